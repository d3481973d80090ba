"""How an act goes from a terminal into the log: to the running service, to Kafka, or into the journal when nothing runs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from alerting.controls import check, clean
from alerting.model import Control, ControlKind, Incident
from streams.runtime.section import SettingsError
from streams.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.runtime.entries import Entry
    from streams.runtime.own_pack import OwnPack
    from streams.runtime.store.reader import Reader

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
Command = Callable[..., None]


def with_config(command: Command) -> Command:
    """Adds `--config`."""
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option("--config", type=file, required=True, help="The service's TOML file.")(command)


def with_author(command: Command) -> Command:
    """Adds `--author` and `--reason`."""
    command = click.option("--reason", default="", help="Why, for those who read it later.")(command)
    return click.option("--author", envvar="USER", required=True, help="Who you are; $USER unless given.")(command)


def made(kind: ControlKind, author: str, reason: str, **fields: Any) -> Control:
    """A control made just now. Raises ClickException where it cannot be taken."""
    control = clean(
        Control(id=uuid4().hex, kind=kind, at=time.time(), author=author, reason=reason, via="cli", **fields)
    )
    try:
        check(control)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    return control


def load(config: Path) -> Settings:
    """The settings; ends with every error of theirs."""
    try:
        return load_settings(config)
    except SettingsError as error:
        click.echo(f"{config}:\n  " + "\n  ".join(error.problems), err=True)
        sys.exit(2)


def open_reader(config: Path) -> Reader:
    """The store's reader. Raises ClickException where there is no store yet."""
    from streams.runtime.store.migrations import StoreError, open_store
    from streams.runtime.store.reader import Reader

    service = load(config).service
    if service.store is None and not (service.data / "store.sqlite").exists():
        raise click.ClickException(f"no store in {service.data}: nothing ran on this configuration yet")
    try:
        return Reader(open_store(service.store_url))
    except StoreError as error:
        raise click.ClickException(str(error)) from None


def revisions(reader: Reader, id: str) -> list[Incident]:
    """All revisions of an incident. Raises ClickException for an unknown id."""
    found = reader.incident(id)
    if not found:
        raise click.ClickException(f"no incident {id!r}; see: overheard incidents list --all")
    return found


def known(config: Path, id: str) -> Incident:
    """The newest revision of an incident."""
    return revisions(open_reader(config), id)[-1]


def act(config: Path, control: Control) -> None:
    """Hand the control to the running service, to the log on Kafka where that is used, or into the journal when none runs."""
    import msgspec

    from streams.runtime.entries import CONTROL, Entry
    from streams.runtime.lock import Lock, LockedError
    from streams.runtime.own_pack import OwnPack

    settings = load(config)
    body = msgspec.json.encode(control)
    own_pack = OwnPack(settings.pack, lambda: open_reader(config))
    said = f"{control.kind.replace('_', ' ')} recorded ({control.id}); it takes effect at the next close."
    if settings.kafka is not None:
        asyncio.run(_produce(settings, control, own_pack))
        click.echo(said)
        return
    if ask(settings, "POST", "/controls", content=body) is not None:
        click.echo(said)
        return
    try:
        with Lock(settings.service.data):
            asyncio.run(_write(settings, Entry(CONTROL, body, control.at), control, own_pack))
    except LockedError as error:
        raise click.ClickException(f"{error}, and it does not answer on its port") from None
    click.echo(f"{control.kind} written to the journal ({control.id}); it takes effect when the service runs.")


async def _write(settings: Settings, entry: Entry, control: Control, own_pack: OwnPack) -> None:
    from streams.runtime.journal import Journal

    with _refused():
        async with own_pack.changed(control):
            journal = Journal(settings.service.data / "journal")
            journal.write([entry])
            journal.close()


@contextmanager
def _refused() -> Iterator[None]:
    from streams.promotion import PromotionError

    try:
        yield
    except (PromotionError, OSError) as error:
        raise click.ClickException(str(error)) from None


async def _produce(settings: Settings, control: Control, own_pack: OwnPack) -> None:
    from aiokafka import AIOKafkaProducer

    from streams.runtime.kafka import wire
    from streams.runtime.own_pack import as_change

    assert settings.kafka is not None
    with _refused():
        async with own_pack.changed(control) as text:
            acts = [control] if text is None else [as_change(control, text), control]
            async with AIOKafkaProducer(**settings.kafka.client(), acks="all", enable_idempotence=True) as producer:
                for one in map(wire.control, acts):
                    name = one.topic.full(settings.kafka.prefix)
                    await producer.send_and_wait(name, one.value, key=one.key, partition=0)


def ask(settings: Settings, method: str, path: str, **request: Any) -> Any:
    """The running service's answer; None where nobody listens."""
    import httpx

    service = settings.service
    token = service.read_token()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
        service.host, f"[{service.host}]" if ":" in service.host else service.host
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.request(
            method, f"http://{host}:{service.port}{path}", headers=headers, timeout=10, trust_env=False, **request
        )
    except httpx.TransportError:
        return None
    if answer.is_error:
        raise click.ClickException(f"{answer.status_code}: {_detail(answer)}")
    return answer.json()


def _detail(answer: Any) -> str:
    """What an error says, without its JSON where it has that of ours."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text)


def seconds_of(length: str) -> float:
    """30m, 4h, 2d in seconds. Raises BadParameter."""
    try:
        seconds = float(length[:-1]) * UNITS[length[-1:]]
    except (ValueError, KeyError):
        raise click.BadParameter(f"{length!r}: a number and m, h or d, as in 30m") from None
    if not 60 <= seconds <= 30 * 86400:
        raise click.BadParameter("from 1 minute to 30 days")
    return seconds


def time_of(said: str) -> float:
    """ISO 8601 with a zone as Unix seconds. Raises BadParameter."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise click.BadParameter(f"{said!r}: a time as in 2026-03-01T07:43:00Z") from None
    if at.tzinfo is None:
        raise click.BadParameter(f"{said!r} lacks a zone: write 2026-03-01T07:43:00Z or …+01:00")
    return at.astimezone(UTC).timestamp()
