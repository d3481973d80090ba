"""Is it any good? What people made of what they were told, by week, problem, rule and route; how early it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import NamedTuple

from alerting.case import UNNAMED
from alerting.model import Incident
from alerting.standing import kept
from dashboards.acts import overlaid
from dashboards.live import Live
from dashboards.words import local, zone_of

WEEKS = 12
MOST = 5000


class Tally(NamedTuple):
    """How many were told, and what people called them; the rest nobody judged."""

    name: str
    told: int
    real: int
    known: int
    not_real: int

    @property
    def unanswered(self) -> int:
        return self.told - self.judged

    @property
    def judged(self) -> int:
        return self.real + self.known + self.not_real

    @property
    def precision(self) -> float | None:
        """Real or a known event, of those judged."""
        return (self.real + self.known) / self.judged if self.judged else None


class Quality(NamedTuple):
    """Of the last weeks: all, by week (oldest first, named by its Monday), by problem, rule and route; medians in seconds."""

    total: Tally
    weeks: list[Tally]
    problems: list[Tally]
    rules: list[Tally]
    routes: list[Tally]
    after: float | None  # from onset until it was told
    ahead: float | None  # from when it was told to what was first done about it, where that was noted
    ahead_of: int  # of so many
    not_real: list[Incident]  # newest first


def read_quality(live: Live, now: float, zone: str) -> Quality:
    """Reads the store; runs in a thread."""
    last = _monday(now, zone)
    mondays = [last - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    since = datetime.combine(mondays[0], time(), zone_of(zone)).timestamp()
    controls = live.controls(since=since)
    found = [overlaid(i, controls) for i in live.reader.incidents(since=since, limit=MOST)]
    told = [i for i in found if (i.suspected_at or 0.0) >= since and i.merged_into is None and not i.drill]
    first: dict[str, float] = {}
    for control in kept(controls):
        if control.kind == "intervention" and control.incident is not None:
            first.setdefault(control.incident, control.at)
    gained = [first[i.id] - (i.suspected_at or 0.0) for i in told if i.id in first]
    channels = live.reader.told()
    return Quality(
        tally("all", told),
        [tally(f"{day}", [i for i in told if _monday(i.suspected_at or 0.0, zone) == day]) for day in mondays],
        _by(told, lambda i: [i.keywords[0].split("/")[0]] if UNNAMED not in i.marks else []),
        _by(told, _rules),
        _by(told, lambda i: channels.get(i.id, ())),
        median((i.suspected_at or 0.0) - i.onset for i in told) if told else None,
        median(gained) if gained else None,
        len(gained),
        sorted((i for i in told if i.verdict == "not_real"), key=lambda i: -i.onset),
    )


def tally(name: str, found: Iterable[Incident]) -> Tally:
    """Of these incidents."""
    verdicts = [i.verdict for i in found]
    return Tally(name, len(verdicts), *(verdicts.count(one) for one in ("real", "known_event", "not_real")))


def _by(found: list[Incident], names: Callable[[Incident], Iterable[str]]) -> list[Tally]:
    """Most told first; an incident counts under each of its names."""
    groups: dict[str, list[Incident]] = {}
    for one in found:
        for name in names(one):
            groups.setdefault(name, []).append(one)
    return sorted((tally(name, some) for name, some in groups.items()), key=lambda t: (-t.told, t.name))


def _rules(one: Incident) -> list[str]:
    """What made it be told."""
    if UNNAMED in one.marks:
        return ["new words"]
    tier = "confirmed" if one.confirmed_at is not None else "suspected only"
    return [f"{tier}, {'several channels' if len(one.channels) > 1 else 'one channel'}"]


def _monday(at: float, zone: str) -> date:
    day = local(at, zone).date()
    return day - timedelta(days=day.weekday())
