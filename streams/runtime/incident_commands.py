"""What the page does, from a terminal: look at incidents, and act on them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.runtime.why_then import Answer

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
    if newest.promoted_to is not None:
        click.echo(f"promoted to the keyword {newest.promoted_to}")
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
@click.argument("keyword", default="*")
@click.option("--at", help="ISO 8601 with zone; now unless given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def why_not(config: Path, place: str, keyword: str, at: str | None, as_json: bool) -> None:
    """Why there was no incident at PLACE (an id: city:4699066) about KEYWORD."""
    from streams.runtime.why_then import plain

    moment = time.time() if at is None else time_of(at)
    settings = load(config)
    given = {"place": place, "keyword": keyword, "at": iso(moment)}
    told = None if settings.kafka is not None else ask(settings, "GET", "/api/why-not", params=given)
    if told is None:
        told = {**given, **plain(stored_answer(settings, config, place, keyword, moment))}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(told["answer"])
    if told["cell"]:
        click.echo(
            f"{told['people']} people in the hour before, {told['expected']:.2g} expected, p = {told['p_value']:.2g}"
        )
    if told["cut"] is not None:
        click.echo(
            f"the cut then was p = {told['cut']:.2g}" + (f", {told['cut_people']} people" if told["cut_people"] else "")
        )
    for gate in told["gates"]:
        click.echo(f"{'✓' if gate['passed'] else '✗'} {gate['gate']}: {gate['text']}")


def stored_answer(settings: Settings, config: Path, place: str, keyword: str, at: float) -> Answer:
    """The answer from the store alone. Raises ClickException for an unknown place or keyword."""
    from streams.pipeline import REPLAY_SECRET, Pipeline
    from streams.runtime.embedded import pipeline_config
    from streams.runtime.why_then import answer, asked

    pipeline = Pipeline(pipeline_config(settings), REPLAY_SECRET)
    try:
        numbers = pipeline.places.index(place), pipeline.keywords.index(keyword)
    except KeyError as error:
        raise click.ClickException(f"no such place or keyword: {error.args[0]}") from None
    question = asked(pipeline.places, pipeline.keywords, *numbers, at)
    return answer(open_reader(config), question, pipeline.alerts.policy, time.time())


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


@incidents.command("promote")
@with_config
@click.argument("id")
@click.option("--as", "keyword", help="Id of the new keyword, as kiosks/frozen; of its strongest word when not given.")
@click.option("--label", help="What people call it; its strongest word when not given.")
@click.option(
    "--phrase", "phrases", multiple=True, help="What it listens for; its words when not given. May be repeated."
)
@with_author
def promote(
    config: Path, id: str, keyword: str | None, label: str | None, phrases: tuple[str, ...], author: str, reason: str
) -> None:
    """Make an unnamed incident's words a keyword of your pack, which counts from then on; `overheard undo` takes it out again."""
    from streams.promotion import PromotionError, check_promotable, suggestion
    from streams.runtime.own_pack import replay_command

    one = known(config, id)
    try:
        check_promotable(one)
    except PromotionError as error:
        raise click.ClickException(str(error)) from None
    found = suggestion(one)
    keyword = keyword or found.keyword
    control = made("promote", author, reason, incident=one.id, keywords=(keyword,),
                   label=label or found.label, value="\n".join(phrases or found.phrases))  # fmt: skip
    act(config, control)
    click.echo(f"The past with it: {replay_command(load(config), keyword, config)}")


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
