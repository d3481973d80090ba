"""`overheard notify test` and what `check-config` says of routes: who would be told, before anybody is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import time as day_time
from pathlib import Path

import click

from alerting.message import Action, Message
from alerting.model import Gate, Incident, KeywordTree, PlaceTree, Scope
from alerting.notify.base import Channel, Refused, Unsent
from alerting.routing import Route
from streams.runtime.acting import load, with_config
from streams.runtime.notify_settings import NotifySettings

EVERY_HOUR = day_time(0)


@click.group()
def notify() -> None:
    """Try the channels people are told by."""


@notify.command("test")
@with_config
@click.argument("channel")
def test_command(config: Path, channel: str) -> None:
    """Send CHANNEL a drill and its end, as a real incident would be sent."""
    settings = load(config)
    known = settings.notify.channels
    if channel not in known:
        raise click.ClickException(f"no channel is named {channel!r}: {', '.join(sorted(known))}")
    failed = asyncio.run(_try(known[channel].make(channel), channel, settings.notify))
    if failed is not None:
        raise click.ClickException(f"{channel}: {failed}")
    click.echo(f"{channel}: took a drill and its end. Look whether they arrived.")


async def _try(channel: Channel, name: str, notify: NotifySettings) -> str | None:
    """What went wrong; None where nothing did."""
    now = time.time()
    opened = _message(name, notify, now, "open", 1, None)
    try:
        began = time.monotonic()
        thread = (await channel.send([opened], now)).thread
        click.echo(f"{name}: sent in {time.monotonic() - began:.2f} s")
        if channel.every_seconds:
            await asyncio.sleep(channel.every_seconds)
        await channel.send([_message(name, notify, now, "resolve", 2, thread)], time.time())
    except Unsent as error:
        return f"not taken, a real message would be tried again: {error.reason}"
    except Refused as error:
        return f"refused, a real message would wait until that is mended: {error.reason}"
    finally:
        await channel.close()
    return None


def _message(
    channel: str, notify: NotifySettings, now: float, action: Action, revision: int, thread: str | None
) -> Message:
    over = action == "resolve"
    drill = Incident(
        id=f"notify-test-{round(now)}", revision=revision, state="resolved" if over else "confirmed", onset=now - 600,
        opened_at=now - 300, suspected_at=now - 300, confirmed_at=now, resolved_at=now if over else None, updated_at=now, drill=True,
        scope=Scope("everywhere", "Everywhere", "everywhere", ("Everywhere",), within=("everywhere",)), keywords=("*",),
        title="test message, nothing is wrong, everywhere", people=12, messages=14, expected=0.4, factor=30.0, p_value=1e-9, peak=12,
        channels={"tests": 12}, terms=(("test", 12),), examples=("this is a test of who is told",), reason="confirmed",
        why=(Gate("test", True, f"sent by hand to the channel {channel}"),),
    )  # fmt: skip
    return Message(
        channel=channel, key=drill.id, sequence=revision, action=action, created_at=now, incident=drill,
        links=notify.links, timezone=notify.timezone, thread=thread,
    )  # fmt: skip


def told_lines(settings: NotifySettings, places: PlaceTree) -> Iterator[str]:
    """Who would be told what, a route a line."""
    for number, route in enumerate(settings.routes, 1):
        yield f"route {number}: {_conditions(route, places)} → {', '.join(route.channels)}"
    unused = sorted(set(settings.channels) - {name for route in settings.routes for name in route.channels})
    if unused:
        yield f"no route leads to {', '.join(unused)}"
    yield f"overheard's own troubles → {', '.join(settings.trouble_channels)}"


def _conditions(route: Route, places: PlaceTree) -> str:
    parts = [f"{route.tier}{' and confirmed' if route.tier == 'suspected' else ''}"]
    if route.keywords:
        parts.append(f"about {', '.join(route.keywords)}")
    if route.places:
        names = {places.id(place): places.name(place) for place in range(len(places.parent))}
        parts.append(f"at {', '.join(names.get(id, id) for id in route.places)}")
    if route.teams:
        parts.append(f"of team {', '.join(route.teams)}")
    if route.days:
        parts.append(f"on {', '.join(route.days)}")
    if route.begin != route.end:
        parts.append(f"from {route.begin:%H:%M} to {route.end:%H:%M} {route.timezone}")
    return ", ".join(parts)


def route_problems(routes: Sequence[Route], places: PlaceTree, keywords: KeywordTree) -> list[str]:
    """Conditions no incident can match: places, problems and teams that are not there."""
    known_places = {places.id(place) for place in range(len(places.parent))}
    known_keywords = {keywords.id(keyword) for keyword in range(len(keywords.parent))}
    teams = {team for keyword in range(len(keywords.parent)) if (team := keywords.team(keyword)) is not None}
    problems = []
    for number, route in enumerate(routes, 1):
        problems += [f"routes.{number}.places: no such place: {id!r}" for id in route.places if id not in known_places]
        problems += [
            f"routes.{number}.keywords: not in the pack: {id!r}" for id in route.keywords if id not in known_keywords
        ]
        problems += [
            f"routes.{number}.teams: no keyword of the pack names the team {team!r}"
            for team in route.teams
            if team not in teams
        ]
    return problems
