"""`overheard drill`: tagged complaints through the real intake to a real page, with the seconds each leg took.

What is tagged opens incidents of its own, marked DRILL, is never learnt and not counted on boards.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from sqlalchemy import select

from alerting.messages import duration, usually
from alerting.model import Incident, iso
from streams.runtime.acting import ask, load, open_reader, with_config

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.runtime.store.reader import Reader

FEWEST, MOST = 24, 2000
SPREAD_WINDOWS = 4  # one channel alone is confirmed by two windows running, however the clock cuts them
STEPS = 24
LOOK_SECONDS = 0.5
HOUR = 3600.0


@click.command("drill")
@with_config
@click.option("--place", required=True, help="As people write it: JFK, Boston, MA.")
@click.option("--keyword", required=True, help="A problem of the pack: baggage.")
@click.option("--factor", type=click.FloatRange(min=1), default=5.0, show_default=True, help="Times the usual people.")
@click.option(
    "--wait", type=float, default=600.0, show_default=True, help="Seconds to wait for the page after the last is sent."
)
def drill_command(config: Path, place: str, keyword: str, factor: float, wait: float) -> None:
    """Send tagged complaints to the running service and follow them until people were told. Those told see that it is a drill."""
    settings = load(config)
    spot, said, window = _understood(settings, place, keyword)
    spread = SPREAD_WINDOWS * window
    reader = open_reader(config)
    began = time.time()
    usual = sum(cell.expected for cell in reader.series(spot, keyword, began - HOUR, began)) * spread / HOUR
    people = min(MOST, max(FEWEST, math.ceil(factor * usual)))
    span = duration(spread)
    click.echo(f"{people} people over {span} ({usually(usual)}), bit by bit; told as a drill to the real channels")
    enough = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send, settings, list(_records(settings, place, said, people)), spread / STEPS, enough)
        try:
            told = _follow(reader, began, began + spread + wait, sending)
        finally:
            enough.set()
        sending.result()
    if told is None:
        raise click.ClickException(
            f"nobody was told within {duration(spread + wait)}; ask: overheard incidents why-not --place {spot} --keyword {keyword}"
        )
    click.echo(
        f"{told - began:6.1f} s  the last channel has it. It ends by itself, or is told to be over after an hour."
    )


def _understood(settings: Settings, place: str, keyword: str) -> tuple[str, tuple[str, ...], int]:
    """The place's id, what people say about the problem, and a window's length in seconds. Raises ClickException."""
    from streams.pack import load_pack
    from streams.places import Places
    from streams.resolver import Resolver
    from streams.taxonomy import Taxonomy

    pack = load_pack(settings.pack)
    places, keywords = Places.load(settings.spots), Taxonomy(pack)
    found = Resolver(places).from_location(place)
    if found == places.nowhere:
        raise click.ClickException(f"place: {place!r} is understood as no place; write it as people do: Boston, MA")
    try:
        keywords.index(keyword)
    except KeyError:
        raise click.ClickException(f"keyword: {keyword!r} is not in the pack {settings.pack}") from None
    said = [
        phrase
        for leaf, phrases in keywords.sayings().items()
        if f"{keywords.id(leaf)}/".startswith(f"{keyword}/")
        for phrase in phrases
    ]
    if not said:
        raise click.ClickException(f"keyword: the pack has no phrase for {keyword!r}")
    return places.id(found), tuple(said[:50]), pack.window_seconds


def _records(settings: Settings, place: str, said: tuple[str, ...], people: int) -> Iterator[Mapping[str, Any]]:
    names = [one.name for one in settings.sources if one.kind == "http"] or ["drill"]
    run = uuid4().hex[:8]
    for number in range(people):
        yield {
            "id": f"drill-{run}-{number}",
            "text": f"{said[number % len(said)]} ({number})",
            "source": names[number % len(names)].replace("*", "drill"),
            "author": f"drill-{run}-{number}",
            "location": place,
            "drill": True,
        }


def _send(settings: Settings, records: Sequence[Mapping[str, Any]], pause: float, enough: threading.Event) -> None:
    """Bit by bit, until it is enough. Raises ClickException."""
    for step in range(STEPS):
        due = records[step * len(records) // STEPS : (step + 1) * len(records) // STEPS]
        body = [{**one, "created_at": iso(time.time())} for one in due]
        if body and ask(settings, "POST", "/complaints", content=json.dumps(body)) is None:
            raise click.ClickException(f"nothing listens on {settings.service.host}:{settings.service.port}")
        if step < STEPS - 1 and enough.wait(pause):
            return


def _follow(reader: Reader, began: float, until: float, sending: Future[None]) -> float | None:
    """When the last channel had the page, telling each leg; None where nobody was told by `until`. Raises what sending raises."""
    seen: set[str] = set()
    last: float | None = None
    while time.time() < until:
        if sending.done():
            sending.result()
        one = _drill_of(reader, began)
        if one is not None:
            if one.state not in seen:
                seen.add(one.state)
                click.echo(f"{time.time() - began:6.1f} s  {one.state}: {one.title}, {one.people} people ({one.id})")
            told = _deliveries(reader, one.id)
            for channel, at, state, error in told:
                if channel not in seen and at is not None and state == "sent":
                    seen.add(channel)
                    last = max(last or 0.0, at)
                    click.echo(f"{at - began:6.1f} s  {channel} took it")
                elif error and f"{channel}!" not in seen:
                    seen.add(f"{channel}!")
                    click.echo(f"{time.time() - began:6.1f} s  {channel}: {error}")
            waiting = any(state in ("pending", "sending") for _, _, state, _ in told)
            if one.state == "confirmed" and last is not None and not waiting:
                return last
        time.sleep(LOOK_SECONDS)
    return last


def _drill_of(reader: Reader, began: float) -> Incident | None:
    found = [one for one in reader.incidents(since=began - HOUR) if one.drill and one.opened_at >= began - HOUR]
    return max(found, key=lambda one: (one.suspected_at is not None, one.opened_at), default=None)


def _deliveries(reader: Reader, incident: str) -> list[tuple[str, float | None, str, str | None]]:
    from streams.runtime.store.tables import outbox

    columns = outbox.c.channel, outbox.c.ended_at, outbox.c.state, outbox.c.error
    with reader.engine.connect() as connection:
        rows = connection.execute(select(*columns).where(outbox.c.key == incident).order_by(outbox.c.id)).all()
    return [(row.channel, row.ended_at, row.state, row.error) for row in rows]
