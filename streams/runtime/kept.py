"""The complaints a service has kept, read back for a replay while it may go on running: its journal, and the files it follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from alerting.model import Control
from streams.runtime.entries import ADVANCE, RECORD, Advance, Logged
from streams.runtime.files import FileError
from streams.runtime.followed import Followed
from streams.runtime.journal import SUFFIX
from streams.runtime.journal_reader import JournalReader
from streams.runtime.settings import Settings, SourceSettings
from streams.runtime.store.migrations import is_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import write_meta

BATCH_ENTRIES = 1000


class Kept(NamedTuple):
    """Complaints as a file of JSON lines, what people did meanwhile, and what could not be read."""

    path: Path
    controls: list[Control]
    notices: list[str]


def note_where(engine: Engine, settings: Settings) -> None:
    """Write into the store where the complaints behind it are kept."""
    files = [source.model_dump(mode="json") for source in settings.files]
    where = {"journal": str((settings.service.data / "journal").resolve()), "files": files}
    with engine.begin() as connection:
        write_meta(connection, {"kept": where})


def read_kept(url: str, folder: Path, since: float | None, until: float | None) -> Kept:
    """Write what arrived in [since, until) (Unix seconds) to a file in `folder`. Raises FileError."""
    reader = Reader(_open(url))
    kept = reader.meta().get("kept")
    if kept is None:
        raise FileError(f"{url}: no service has said where it keeps its complaints; start it once with this version")
    journal = OldJournal(Path(kept["journal"]))
    if not journal.segments():
        raise FileError(f"{journal.folder}: no journal there; its complaints may be on another machine")
    sources = [SourceSettings.model_validate(one) for one in kept["files"]]
    followed = {str(source.path): Followed(source, number) for number, source in enumerate(sources, 1)}
    path, notices = folder / "journal.jsonl", list[str]()
    entries = JournalReader(journal, 0)
    with path.open("wb") as file:
        while batch := entries.take(BATCH_ENTRIES):
            for entry in batch:
                if (since is None or entry.arrival >= since) and (until is None or entry.arrival < until):
                    file.writelines(_dated(body, entry.arrival) for body in _bodies(entry, followed, notices))
    return Kept(path, reader.controls(), [*notices, *entries.passed])


class OldJournal:
    """A journal that is only read, as far as it reached when it was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.past_damage = True
        found = self.segments()
        self._end = (found[-1], found[-1].stat().st_size) if found else (folder, 0)

    def segments(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    def synced(self) -> tuple[int, Path, int]:
        """No end in entries; the newest segment, and its bytes."""
        return 2**63, *self._end


def _open(url: str) -> Engine:
    """The store; only read."""
    try:
        engine = create_engine(url)
        if engine.url.get_backend_name() == "sqlite" and not Path(engine.url.database or "").is_file():
            raise FileError(f"{url}: no such store")
        if not is_store(engine):
            raise FileError(f"{url}: not a store of overheard")
    except (ArgumentError, SQLAlchemyError, ModuleNotFoundError) as error:
        raise FileError(f"{url}: {str(error).splitlines()[0]}") from None
    return engine


def _bodies(entry: Logged, followed: dict[str, Followed], notices: list[str]) -> Iterator[bytes]:
    if entry.kind == RECORD:
        yield entry.payload
    elif entry.kind == ADVANCE:
        advance = msgspec.msgpack.decode(entry.payload, type=Advance)
        file = followed.get(advance.path)
        if file is None:
            notices.append(f"{advance.path}: no longer followed; its lines are left out")
            return
        try:
            yield from (record.value for record in file.records(advance, entry.arrival))
        except OSError as error:
            notices.append(str(error))


def _dated(body: bytes, arrival: float) -> bytes:
    """A line of its own, with the arrival the service saw; a body that is no object is left to be a dead letter again."""
    line = body.replace(b"\r", b" ").replace(b"\n", b" ").strip()
    if line.startswith(b"{") and b'"received_at"' not in line and line[1:].lstrip()[:1] == b'"':
        line = b'{"received_at":%s,%s' % (repr(arrival).encode(), line[1:])
    return line + b"\n"
