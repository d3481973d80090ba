"""What `replay` reads: files, and topics named kafka://TOPIC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
import msgspec

from alerting.model import Control
from streams.codec import Rejected, parse_time
from streams.labels import Label, read_labels
from streams.runtime.file_options import read_csv_options
from streams.runtime.files import FileError, Input, Source
from streams.runtime.kept import read_kept

SCHEME = "kafka://"


class Topic(NamedTuple):
    """A topic, as it was named."""

    name: str  # with kafka://

    @property
    def topic(self) -> str:
        """Its name on the brokers."""
        return self.name.removeprefix(SCHEME)


class FileOrTopic(click.ParamType):
    """A file that exists, or kafka://TOPIC."""

    name = "file or topic"
    _file = click.Path(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Path or Topic."""
        if isinstance(value, str) and value.startswith(SCHEME):
            return Topic(value) if len(value) > len(SCHEME) else self.fail(f"{value}: name a topic", param, ctx)
        return self._file.convert(value, param, ctx)


class Moment(click.ParamType):
    """A point of time, ISO 8601 with zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Unix seconds."""
        try:
            return value if isinstance(value, float) else parse_time(value)[0]
        except Rejected as error:
            return self.fail(f"{value!r}: {error.detail}", param, ctx)


class Inputs(NamedTuple):
    """What is to be replayed; `partitions` of the topic, 1 where there is none."""

    sources: Sequence[Source]
    partitions: int = 1
    controls: Sequence[Control] = ()
    notices: Sequence[str] = ()


@contextmanager
def inputs(named: Sequence[Path | Topic], given: dict[str, Any]) -> Iterator[Inputs]:
    """Open what was named; what a service has kept and topics lie in a temporary folder while this lasts. Raises FileError."""
    options = read_csv_options(given)
    topics = [one for one in named if isinstance(one, Topic)]
    if bool(named) == bool(given["store"]):
        raise click.UsageError("name files to replay, or --store, not both")
    if topics and len(named) > 1:
        raise click.UsageError("a topic is replayed alone")
    if not topics and given["kafka_config"]:
        raise click.UsageError("--config is for kafka://TOPIC")
    with TemporaryDirectory(prefix="overheard-replay-") as folder:
        if topics:
            fetched = _fetched(topics[0], given, Path(folder))
            yield Inputs(fetched, len(fetched))
        elif given["store"]:
            kept = read_kept(given["store"], Path(folder), given["since"], given["until"])
            yield Inputs([Input(kept.path, options)], 1, kept.controls, kept.notices)
        else:
            yield Inputs([Input(one, options) for one in named if isinstance(one, Path)])


def _fetched(named: Topic, given: dict[str, Any], folder: Path) -> Sequence[Source]:
    from streams.runtime.kafka.options import read_kafka_config
    from streams.runtime.kafka.settings import KafkaSettings
    from streams.runtime.topic_input import fetch

    kafka = read_kafka_config(given["kafka_config"]).kafka if given["kafka_config"] else KafkaSettings()
    assert kafka is not None
    return fetch(kafka.client(), named.topic, folder, given["since"], given["until"])


def labels(path: Path | None) -> list[Label]:
    """The known disruptions of a file. Raises FileError."""
    if path is None:
        return []
    try:
        return read_labels(path.read_bytes())
    except (ValueError, msgspec.DecodeError) as error:
        raise FileError(f"{path}: {error}") from None


def controls(path: Path | None) -> list[Control]:
    """People's acts of a file. Raises FileError."""
    if path is None:
        return []
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=Control))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise FileError(f"{path}, line {number}: {error}") from None
    return found
