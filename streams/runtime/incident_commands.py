"""What the page does, from a terminal: look at incidents, and act on them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from alerting.model import ControlKind, State, iso
from streams.runtime.acting import (
    act,
    ask,
    known,
    load,
    made,
    open_reader,
    revisions,
    seconds_of,
    time_of,
    with_author,
    with_config,
)

OPEN: tuple[State, ...] = ("signal", "suspected", "confirmed")


@click.group("incidents")
def incidents() -> None:
    """List, show, acknowledge incidents; ask why, and why not."""


@incidents.command("list")
@with_config
@click.option("--all", "every", is_flag=True, help="Resolved ones too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_incidents(config: Path, every: bool, as_json: bool) -> None:
    """Open incidents, latest first."""
    found = open_reader(config).incidents(states=None if every else OPEN)
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
    story = revisions(open_reader(config), id)
    if as_json:
        for one in story:
            click.echo(json.dumps(one.to_json()))
        return
    newest = story[-1]
    click.echo(f"{newest.title}\n{newest.state} since {iso(newest.updated_at)}, began {iso(newest.onset)}")
    click.echo(f"{newest.people} people, {newest.expected:.1f} expected, {newest.factor:.1f} times the usual")
    for one in story:
        click.echo(f"  {iso(one.updated_at)}  {one.reason:<10} {one.state}, {one.people} people at {one.scope.name}")
    for text in newest.examples:
        click.echo(f"  “{text}”")


@incidents.command("why")
@with_config
@click.argument("id")
def why_incident(config: Path, id: str) -> None:
    """Why it is what it is: every gate with its figures."""
    for gate in revisions(open_reader(config), id)[-1].why:
        click.echo(f"{'✓' if gate.passed else '✗'} {gate.gate}: {gate.text}")


@incidents.command("why-not")
@with_config
@click.argument("place")
@click.argument("keyword")
@click.option("--at", help="ISO 8601 with zone; now unless given.")
def why_not(config: Path, place: str, keyword: str, at: str | None) -> None:
    """Why there was no incident at PLACE (an id: city:4699066) about KEYWORD, in the last 24 hours. Asks the running service."""
    moment = None if at is None else time_of(at)
    given = {"place": place, "keyword": keyword, **({} if moment is None else {"at": moment})}
    answer = ask(load(config), "GET", "/-/why-not", params=given)
    if answer is None:
        raise click.ClickException("no service runs on this configuration: why-not is answered from its memory")
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


@incidents.command("ack")
@with_config
@click.argument("id")
@with_author
def ack(config: Path, id: str, author: str, reason: str) -> None:
    """Say that you are on it."""
    act(config, made("ack", author, reason, incident=known(config, id).id))


@incidents.command("assign")
@with_config
@click.argument("id")
@click.argument("to")
@with_author
def assign(config: Path, id: str, to: str, author: str, reason: str) -> None:
    """Say that TO is on it."""
    act(config, made("assign", author, reason, incident=known(config, id).id, value=to.strip()[:80]))


@incidents.command("snooze")
@with_config
@click.argument("id")
@click.argument("length", metavar="LENGTH")
@with_author
def snooze(config: Path, id: str, length: str, author: str, reason: str) -> None:
    """Hear no more of this incident for LENGTH (30m, 4h, 2d); if it still goes on then, all who know are told."""
    until = time.time() + seconds_of(length)
    act(config, made("snooze", author, reason, incident=known(config, id).id, until=until))


def _words(kind: ControlKind, config: Path, id: str, text: str, author: str, reason: str) -> None:
    act(config, made(kind, author, reason, incident=known(config, id).id, value=text.strip()[:2000]))


@click.command("note")
@with_config
@click.argument("id")
@click.argument("text")
@with_author
def note(config: Path, id: str, text: str, author: str, reason: str) -> None:
    """Words for the incident's timeline."""
    _words("note", config, id, text, author, reason)


@click.command("intervention")
@with_config
@click.argument("id")
@click.argument("text")
@with_author
def intervention(config: Path, id: str, text: str, author: str, reason: str) -> None:
    """What was done about it ("second belt opened 07:25"), for the timeline and the chart."""
    _words("intervention", config, id, text, author, reason)


@click.command("undo")
@with_config
@click.argument("control")
@with_author
def undo(config: Path, control: str, author: str, reason: str) -> None:
    """Take back CONTROL, an act's id as it was told and as `overheard audit list` shows it."""
    done = next((one for one in open_reader(config).controls() if one.id == control), None)
    if done is None:
        raise click.ClickException(f"no act {control!r}; see: overheard audit list")
    act(config, made("undo", author, reason, incident=done.incident, value=done.id))


commands: list[click.Command] = [incidents, note, intervention, undo]
