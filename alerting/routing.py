"""Who is told: routes from place, problem, tier, team and time of day to channels, and what each channel is then told of an incident."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from alerting.message import Action
from alerting.model import Incident

Tier = Literal["suspected", "confirmed"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GOING_ON = frozenset({"suspected", "confirmed"})
NEWS = frozenset(
    {"suspected", "confirmed", "grew", "widened", "narrowed", "unmarked", "unsilenced", "late"}
)  # reasons that update
TAKEN_ON = frozenset({"ack", "assign"})


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents that match every condition given go to `channels`; an empty condition matches all."""

    channels: tuple[str, ...]
    tier: Tier = "suspected"  # from this one on
    places: tuple[str, ...] = ()  # ids; what lies in them too
    keywords: tuple[str, ...] = ()  # ids; what belongs to them too
    teams: tuple[str, ...] = ()
    days: tuple[str, ...] = ()  # of DAYS
    begin: time = time(0)  # local times of day; an end not after its begin is on the next day
    end: time = time(0)
    timezone: str = "UTC"

    def takes(self, one: Incident, at: float) -> bool:
        """Whether an incident, told at `at` (Unix seconds), goes this way."""
        if self.tier == "confirmed" and one.confirmed_at is None:
            return False
        return (
            (not self.teams or one.team in self.teams)
            and (not self.places or any(place in self.places for place in _places(one)))
            and (not self.keywords or any(_belongs(own, self.keywords) for own in one.keywords))
            and self.open_at(at)
        )

    def open_at(self, at: float) -> bool:
        """Whether its days and hours hold at `at`; after midnight the day is still the one on which it began."""
        there = datetime.fromtimestamp(at, ZoneInfo(self.timezone))
        day, now = there.weekday(), there.time()
        if self.begin == self.end:
            inside = True
        elif self.begin < self.end:
            inside = self.begin <= now < self.end
        else:
            inside = now >= self.begin or now < self.end
            day = day if now >= self.begin else (day - 1) % 7
        return inside and (not self.days or DAYS[day] in self.days)


TOLD_MARKS = {"unnamed"}  # whatever is marked otherwise is told to nobody
LOG = "log"
LOG_ROUTES = (Route(channels=(LOG,)),)  # where no channel is configured: everything suspected


class Planned(NamedTuple):
    """One delivery to be: to which channel, and what it does there."""

    channel: str
    action: Action


def plan(one: Incident, routes: Sequence[Route], told: Mapping[str, Action], at: float) -> list[Planned]:
    """What a revision gives each channel. `told`: the last action of each channel that knows the incident.

    A channel that was told once hears the rest, whatever the hour; what is silenced is told to nobody, its end only to those who know.
    """
    silenced = (one.silenced_until or 0.0) > one.updated_at
    planned = [Planned(channel, action) for channel in sorted(told) if (action := _next(one, told[channel], silenced))]
    if one.state in GOING_ON and not silenced and not set(one.marks) - TOLD_MARKS:
        new = {channel for route in routes if route.takes(one, at) for channel in route.channels} - told.keys()
        planned += [Planned(channel, "open") for channel in sorted(new)]
    return planned


def _next(one: Incident, last: Action, silenced: bool) -> Action | None:
    """What a channel that knows the incident is told by this revision."""
    if one.state == "resolved" or one.state == "signal":  # a signal again: marked as batch entry
        return "resolve" if last != "resolve" else None
    if silenced:
        return None
    if last == "resolve":
        return "reopen"
    if one.reason in TAKEN_ON:
        return "ack" if one.acked_by is not None else "update"
    return "update" if one.reason in NEWS else None


def _places(one: Incident) -> Iterable[str]:
    return (*one.scope.within, one.scope.place, *(part.place for part in one.places))


def _belongs(own: str, wanted: Sequence[str]) -> bool:
    return any(own == one or own.startswith(f"{one}/") for one in wanted)
