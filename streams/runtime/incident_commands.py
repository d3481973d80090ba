"""What the page does, from a terminal: look at incidents, and act. Acts go to the running service, or into the journal when it is down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from alerting.model import Control, ControlKind, Incident, State, iso
from streams.runtime.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from streams.runtime.store.reader import Reader

OPEN: tuple[State, ...] = ("signal", "suspected", "confirmed")
VERDICTS = ("real", "not_real", "known_event")
UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
Command = Callable[..., None]


def with_config(command: Command) -> Command:
    """Adds `--config` and `--by`'s file."""
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option("--config", type=file, required=True, help="The service's TOML file.")(command)


def with_author(command: Command) -> Command:
    """Adds `--author` and `--reason`."""
    command = click.option("--reason", default="", help="Why, for those who read it later.")(command)
    return click.option("--author", envvar="USER", required=True, help="Who you are; $USER unless given.")(command)


@click.group("incidents")
def incidents() -> None:
    """List, show, acknowledge incidents; ask why, and why not."""


@incidents.command("list")
@with_config
@click.option("--all", "every", is_flag=True, help="Resolved ones too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_incidents(config: Path, every: bool, as_json: bool) -> None:
    """Open incidents, latest first."""
    found = _reader(config).incidents(states=None if every else OPEN)
    for one in found:
        if as_json:
            click.echo(json.dumps(one.to_json()))
        else:
            click.echo(f"{one.id}  {one.state:<9}  {iso(one.onset)}  {one.people:>6,} people  {one.title}")
    if not found and not as_json:
        click.echo("No incident." if every else "No open incident.")


@incidents.command("show")
@with_config
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="All revisions, one JSON object a line.")
def show_incident(config: Path, id: str, as_json: bool) -> None:
    """One incident: its story, revision by revision."""
    revisions = _revisions(_reader(config), id)
    if as_json:
        for one in revisions:
            click.echo(json.dumps(one.to_json()))
        return
    newest = revisions[-1]
    click.echo(f"{newest.title}\n{newest.state} since {iso(newest.updated_at)}, began {iso(newest.onset)}")
    click.echo(f"{newest.people} people, {newest.expected:.1f} expected, {newest.factor:.1f} times the usual")
    for one in revisions:
        click.echo(f"  {iso(one.updated_at)}  {one.reason:<10} {one.state}, {one.people} people at {one.scope.name}")
    for text in newest.examples:
        click.echo(f"  “{text}”")


@incidents.command("why")
@with_config
@click.argument("id")
def why_incident(config: Path, id: str) -> None:
    """Why it is what it is: every gate with its figures."""
    for gate in _revisions(_reader(config), id)[-1].why:
        click.echo(f"{'✓' if gate.passed else '✗'} {gate.gate}: {gate.text}")


@incidents.command("why-not")
@with_config
@click.argument("place")
@click.argument("keyword")
@click.option("--at", help="ISO 8601 with zone; now unless given.")
def why_not(config: Path, place: str, keyword: str, at: str | None) -> None:
    """Why there was no incident at PLACE (an id: city:4699066) about KEYWORD, in the last 24 hours. Asks the running service."""
    moment = None if at is None else datetime.fromisoformat(at).astimezone(UTC).timestamp()
    given = {"place": place, "keyword": keyword, **({} if moment is None else {"at": moment})}
    answer = _ask(_settings(config), "GET", "/-/why-not", params=given)
    if answer is None:
        raise click.ClickException("no service runs on this configuration: why-not is answered from its memory")
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


@incidents.command("ack")
@with_config
@click.argument("id")
@with_author
def ack(config: Path, id: str, author: str, reason: str) -> None:
    """Say that you are on it."""
    _act(config, _control("ack", author, reason, incident=_known(config, id).id))


@click.command("silence")
@with_config
@click.argument("id")
@click.argument("length", metavar="LENGTH")
@with_author
def silence(config: Path, id: str, length: str, author: str, reason: str) -> None:
    """No messages about this incident's place and problem for LENGTH (30m, 4h, 2d); the incident itself goes on."""
    one = _known(config, id)
    control = _control("silence", author, reason, incident=one.id, until=time.time() + _seconds(length),
                       places=(one.scope.place,), keywords=one.keywords)  # fmt: skip
    _act(config, control)


@click.command("feedback")
@with_config
@click.argument("id")
@click.argument("verdict", type=click.Choice(VERDICTS))
@with_author
def feedback(config: Path, id: str, verdict: str, author: str, reason: str) -> None:
    """Say whether it was real; teaches the evaluation."""
    _act(config, _control("feedback", author, reason, incident=_known(config, id).id, value=verdict))


@click.command("note")
@with_config
@click.argument("id")
@click.argument("text")
@with_author
def note(config: Path, id: str, text: str, author: str, reason: str) -> None:
    """Words for the incident's timeline."""
    if not text.strip():
        raise click.BadParameter("the note is empty")
    _act(config, _control("note", author, reason, incident=_known(config, id).id, value=text.strip()[:2000]))


commands: list[click.Command] = [incidents, silence, feedback, note]


def _control(kind: ControlKind, author: str, reason: str, **fields: Any) -> Control:
    return Control(id=uuid4().hex, kind=kind, at=time.time(), author=author, reason=reason, **fields)


def _settings(config: Path) -> Settings:
    try:
        return load_settings(config)
    except SettingsError as error:
        click.echo(f"{config}:\n  " + "\n  ".join(error.problems), err=True)
        sys.exit(2)


def _reader(config: Path) -> Reader:
    from streams.runtime.store.migrations import StoreError, open_store
    from streams.runtime.store.reader import Reader

    service = _settings(config).service
    if service.store is None and not (service.data / "store.sqlite").exists():
        raise click.ClickException(f"no store in {service.data}: nothing ran on this configuration yet")
    try:
        return Reader(open_store(service.store_url))
    except StoreError as error:
        raise click.ClickException(str(error)) from None


def _revisions(reader: Reader, id: str) -> list[Incident]:
    found = reader.incident(id)
    if not found:
        raise click.ClickException(f"no incident {id!r}; see: overheard incidents list --all")
    return found


def _known(config: Path, id: str) -> Incident:
    return _revisions(_reader(config), id)[-1]


def _act(config: Path, control: Control) -> None:
    """Hand the control to the running service; into the journal when none runs."""
    import msgspec

    from streams.runtime.entries import CONTROL, Entry
    from streams.runtime.journal import Journal
    from streams.runtime.lock import Lock, LockedError

    settings = _settings(config)
    body = msgspec.json.encode(control)
    if _ask(settings, "POST", "/controls", content=body) is not None:
        click.echo(f"{control.kind} recorded ({control.id}); it takes effect at the next close.")
        return
    try:
        with Lock(settings.service.data):
            journal = Journal(settings.service.data / "journal")
            journal.write([Entry(CONTROL, body, control.at)])
            journal.close()
    except LockedError as error:
        raise click.ClickException(f"{error}, and it does not answer on its port") from None
    click.echo(f"{control.kind} written to the journal ({control.id}); it takes effect when the service runs.")


def _ask(settings: Settings, method: str, path: str, **request: Any) -> Any:
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
        raise click.ClickException(f"{answer.status_code}: {answer.text}")
    return answer.json()


def _seconds(length: str) -> float:
    try:
        seconds = float(length[:-1]) * UNITS[length[-1:]]
    except (ValueError, KeyError):
        raise click.BadParameter(f"{length!r}: a number and m, h or d, as in 30m") from None
    if not 60 <= seconds <= 30 * 86400:
        raise click.BadParameter("from 1 minute to 30 days")
    return seconds
