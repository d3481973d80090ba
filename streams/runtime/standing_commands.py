"""Silences and planned events from a terminal: what stands, what it holds back now, and its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from alerting.model import Control, ControlKind, Incident, iso
from alerting.standing import begin, matchers, silences, standing
from streams.runtime.acting import act, known, made, open_reader, seconds_of, time_of, with_author, with_config
from streams.runtime.incident_commands import OPEN

PLACE = click.option(
    "--place", "places", multiple=True, help="An id, what lies in it too: airport:JFK. May be repeated."
)
KEYWORD = click.option("--keyword", "keywords", multiple=True, help="An id, kinds of it too: baggage. May be repeated.")


@click.command("silence")
@with_config
@click.argument("id")
@click.argument("length", metavar="LENGTH")
@with_author
def silence(config: Path, id: str, length: str, author: str, reason: str) -> None:
    """No messages about this incident's place and problem for LENGTH (30m, 4h, 2d); the incident itself goes on."""
    one = known(config, id)
    control = made("silence", author, reason, incident=one.id, until=time.time() + seconds_of(length),
                   places=(one.scope.place,), keywords=one.keywords)  # fmt: skip
    act(config, control)


@click.group("silences")
def silences_group() -> None:
    """List, add, end silences by place and problem."""


@silences_group.command("list")
@with_config
def list_silences(config: Path) -> None:
    """Silences that stand, and what each holds back now."""
    reader = open_reader(config)
    found = [one for one in standing(reader.controls(), time.time()) if one.kind == "silence"]
    open_now = reader.incidents(states=OPEN)
    for one in found:
        click.echo(f"{one.id}  until {iso(one.until or 0)}  {matchers(one)}  by {one.author}{_why(one)}")
        for each in held_back(one, open_now):
            click.echo(f"    holds back {each.id}  {each.state}  {each.people:,} people  {each.title}")
    if not found:
        click.echo("No silence stands.")


@silences_group.command("add")
@with_config
@click.argument("length", metavar="LENGTH")
@PLACE
@KEYWORD
@with_author
def add_silence(
    config: Path, length: str, places: tuple[str, ...], keywords: tuple[str, ...], author: str, reason: str
) -> None:
    """No messages about these places and problems for LENGTH (30m, 4h, 2d)."""
    _known_ids(config, places, keywords)
    until = time.time() + seconds_of(length)
    act(config, made("silence", author, reason, places=places, keywords=keywords, until=until))


@click.group("events")
def events_group() -> None:
    """List, add, end planned events: times in which more complaints are to be expected."""


@events_group.command("list")
@with_config
def list_events(config: Path) -> None:
    """Planned events that go on or are to come."""
    found = [one for one in standing(open_reader(config).controls(), time.time()) if one.kind == "planned_event"]
    for one in found:
        span = f"{iso(begin(one))} to {iso(one.until or 0)}"
        click.echo(f"{one.id}  {span}  × {one.factor:g}  {matchers(one)}  by {one.author}{_why(one)}")
    if not found:
        click.echo("No planned event.")


@events_group.command("add")
@with_config
@PLACE
@KEYWORD
@click.option("--start", help="ISO 8601 with zone; now unless given.")
@click.option("--end", required=True, help="ISO 8601 with zone.")
@click.option("--factor", type=float, required=True, help="By how much more complaints are expected, for example 3.")
@with_author
def add_event(
    config: Path,
    places: tuple[str, ...],
    keywords: tuple[str, ...],
    start: str | None,
    end: str,
    factor: float,
    author: str,
    reason: str,
) -> None:
    """Expect so many times more complaints at these places, of these problems."""
    _known_ids(config, places, keywords)
    begins = None if start is None else time_of(start)
    act(
        config,
        made("planned_event", author, reason, places=places, keywords=keywords, start=begins, until=time_of(end), factor=factor),
    )  # fmt: skip


def _end(kind: ControlKind) -> click.Command:
    @click.command("end")
    @with_config
    @click.argument("control")
    @with_author
    def end(config: Path, control: str, author: str, reason: str) -> None:
        """End CONTROL now."""
        found = standing(open_reader(config).controls(), time.time())
        if not any(one.id == control and one.kind == kind for one in found):
            raise click.ClickException(f"none of that id stands: {control!r}")
        act(config, made("undo", author, reason, value=control))

    return end


silences_group.add_command(_end("silence"))
events_group.add_command(_end("planned_event"))


def held_back(silence: Control, open_now: Sequence[Incident]) -> list[Incident]:
    """The open incidents a silence keeps from people now."""
    return [one for one in open_now if one.silenced_until is not None and silences(silence, one)]


def _known_ids(config: Path, places: Sequence[str], keywords: Sequence[str]) -> None:
    """Raises ClickException for an id that is unknown to the pack: it would match nothing."""
    from streams.pack import PackError
    from streams.pipeline import REPLAY_SECRET, Pipeline
    from streams.runtime.acting import load
    from streams.runtime.embedded import pipeline_config

    try:
        pipeline = Pipeline(pipeline_config(load(config)), REPLAY_SECRET)
    except PackError as error:
        raise click.ClickException(str(error)) from None
    for ids, tree, what in ((places, pipeline.places, "place"), (keywords, pipeline.keywords, "keyword")):
        for id in ids:
            try:
                tree.index(id)
            except KeyError:
                raise click.ClickException(f"no {what} {id!r} in this pack") from None


def _why(control: Control) -> str:
    return f": {control.reason}" if control.reason else ""


commands: list[click.Command] = [silence, silences_group, events_group]
