"""Incidents held against disruptions known from elsewhere: which were found, how soon, and what was opened that no label explains.

A label is answered by an incident that first became suspected or confirmed between start - 24 h and max(end, start + 36 h), was not
resolved before start - 1 h, and whose scope or places are or lie in a place of the label, or whose scope contains one.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from alerting.model import Incident, iso
from streams.label_names import ALL_OR_NONE, comma_separated, head, heads
from streams.labels import HOUR, KINDS, OPEN_END_SECONDS, Kind, Label

WEEK_HOURS = 168
EARLY_SECONDS = 24 * HOUR
RESOLVED_BEFORE_SECONDS = HOUR
WIDE_PLACES = 10  # an incident of more places answers by its scope alone, so that a list of places cannot buy recall
REACHABLE_PEOPLE = 3
REACHABLE_FACTOR = 3
REACHABLE_WEEKS = 8


class PlacePeople(NamedTuple):
    """People heard at a place and in it, by hour (Unix hours) of event time."""

    name: str
    path: tuple[str, ...]  # from itself up to everywhere
    hours: Mapping[int, int]


class Miss(NamedTuple):
    """The gate that kept a label, or a signal, from becoming an incident."""

    gate: str
    text: str


class LabelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one label. `delay_hours` counts from its start to the first suspected or confirmed."""

    start: str
    end: str | None
    where: str
    what: str
    precision: Kind
    people: int
    usual: float  # median of the same hours over the eight weeks before
    reachable: bool
    answered: bool
    delay_hours: float | None = None
    incident: str | None = None  # the first that answered
    incidents: tuple[str, ...] = ()
    gate: str | None = None  # of a miss
    why: str | None = None


class Share(msgspec.Struct, frozen=True):
    """Labels of one kind, and how many of them were answered."""

    labels: int
    answered: int


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All labels against all incidents that became more than signals."""

    labels: int
    answered: int
    recall: float | None
    reachable: Share
    recall_reachable: float | None
    by_precision: dict[str, Share]
    delay_hours_median: float | None
    incidents: int
    unanswered: int  # incidents no label explains: not proven false, labels are never complete
    unanswered_per_week: float | None
    wide: int
    weeks: float
    rows: tuple[LabelResult, ...]
    unanswered_incidents: tuple[str, ...]


def evaluate(
    labels: Sequence[Label],
    revisions: Sequence[Incident],
    weeks: float,
    people: Sequence[PlacePeople] = (),
    misses: Mapping[int, Miss] | None = None,
) -> Evaluation:
    """`revisions` are all revisions of all incidents; `misses` gives, by the label's number, the gate that stopped its best candidate."""
    revisions = [one for one in revisions if not one.drill]
    incidents = newest(revisions)
    beyond = beyond_signal(revisions)
    reached = [one for one in incidents if one.id in beyond]
    signals = [one for one in incidents if one.id not in beyond]
    rows: list[LabelResult] = []
    used: set[str] = set()
    for number, label in enumerate(labels):
        hits = sorted((decided(one) - label.begins, one.id) for one in reached if answers(one, label))
        used.update(id for _, id in hits)
        miss = None if hits else _miss(label, signals, (misses or {}).get(number))
        rows.append(_result(label, hits, people, miss))
    found = [row for row in rows if row.answered]
    within = [row for row in rows if row.reachable]
    reachable = Share(len(within), sum(row.answered for row in within))
    delays = sorted(row.delay_hours for row in found if row.delay_hours is not None)
    return Evaluation(
        labels=len(rows),
        answered=len(found),
        recall=_ratio(len(found), len(rows)),
        reachable=reachable,
        recall_reachable=_ratio(reachable.answered, reachable.labels),
        by_precision={
            kind: Share(sum(row.precision == kind for row in rows), sum(row.precision == kind for row in found))
            for kind in KINDS
        },
        delay_hours_median=round(delays[len(delays) // 2], 2) if delays else None,
        incidents=len(reached),
        unanswered=len(reached) - len(used),
        unanswered_per_week=round((len(reached) - len(used)) / weeks, 3) if weeks else None,
        wide=sum(map(is_wide, reached)),
        weeks=round(weeks, 1),
        rows=tuple(rows),
        unanswered_incidents=tuple(one.id for one in reached if one.id not in used),
    )


def newest(revisions: Sequence[Incident]) -> list[Incident]:
    """The newest revision of each incident, in the order they first came."""
    last: dict[str, Incident] = {}
    for one in revisions:
        if one.id not in last or one.revision >= last[one.id].revision:
            last[one.id] = one
    return list(last.values())


def beyond_signal(revisions: Sequence[Incident]) -> set[str]:
    """Ids of incidents that were suspected or confirmed at some time."""
    return {
        one.id
        for one in revisions
        if one.state in ("suspected", "confirmed") or one.suspected_at is not None or one.confirmed_at is not None
    }


def decided(incident: Incident) -> float:
    """When an incident first became suspected or confirmed, Unix seconds; when it opened, where it never did."""
    return min(
        [at for at in (incident.suspected_at, incident.confirmed_at) if at is not None], default=incident.opened_at
    )


def is_wide(incident: Incident) -> bool:
    """Whether it answers by its scope alone."""
    return len(incident.places) > WIDE_PLACES


def answers(incident: Incident, label: Label) -> bool:
    """Whether this incident, in time and place, is the label's disruption."""
    at = decided(incident)
    resolved = max(at, label.begins) if incident.resolved_at is None else incident.resolved_at
    in_time = label.begins - EARLY_SECONDS <= at <= label.ends and resolved >= label.begins - RESOLVED_BEFORE_SECONDS
    return in_time and same_place(incident, label)


def same_place(incident: Incident, label: Label) -> bool:
    """Whether the scope or a contributing place is, or lies in, a place of the label, or the scope contains one."""
    if label.precision == "no_place":
        return True
    parts = () if is_wide(incident) else incident.places
    names = [incident.scope.name, *(part.name for part in parts)]
    if any(comma_separated(name) & label.wanted for name in names) or head(incident.scope.name) in label.above:
        return True
    inside = heads(name for path in (incident.scope.path, *(part.path for part in parts)) for name in path)
    return bool((inside - ALL_OR_NONE) & label.wanted)


def heard(label: Label, people: Sequence[PlacePeople]) -> tuple[int, float]:
    """People in the label's places between its start and its end (at most 36 h), and the median of the same hours over 8 weeks before."""
    until = min(label.said_end or label.begins + OPEN_END_SECONDS, label.begins + OPEN_END_SECONDS)
    first, last = int(label.begins // HOUR), max(int(-(-until // HOUR)), int(label.begins // HOUR) + 1)
    places = [place for place in people if _counts_for(place, label)]

    def total(weeks_before: int) -> int:
        hours = range(first - weeks_before * WEEK_HOURS, last - weeks_before * WEEK_HOURS)
        return sum(place.hours.get(hour, 0) for place in places for hour in hours)

    return total(0), statistics.median(total(week) for week in range(1, REACHABLE_WEEKS + 1))


def _counts_for(place: PlacePeople, label: Label) -> bool:
    """Whether the place is the label's, and no place above it is too (which counts its people already)."""
    if label.precision == "no_place":
        return len(place.path) == 1
    above = heads(place.path[1:]) - ALL_OR_NONE
    return bool(comma_separated(place.name) & label.wanted) and not above & label.wanted


def _result(
    label: Label, hits: list[tuple[float, str]], people: Sequence[PlacePeople], miss: Miss | None
) -> LabelResult:
    count, usual = heard(label, people)
    reachable = count >= REACHABLE_PEOPLE and count >= REACHABLE_FACTOR * usual
    if miss is not None and not any(_counts_for(place, label) for place in people) and people:
        miss = Miss("unknown_place", f"no place that was heard is, or lies in, {', '.join(sorted(label.wanted))}")
    elif miss is not None and not reachable and miss.gate == "no_signal":
        miss = Miss("not_reachable", f"{count} people were heard there, usually {usual:g}: nothing to find")
    return LabelResult(
        start=iso(label.begins),
        end=None if label.said_end is None else iso(label.said_end),
        where=label.where,
        what=label.what,
        precision=label.precision,
        people=count,
        usual=usual,
        reachable=reachable,
        answered=bool(hits),
        delay_hours=round(hits[0][0] / HOUR, 2) if hits else None,
        incident=hits[0][1] if hits else None,
        incidents=tuple(id for _, id in hits),
        gate=miss.gate if miss else None,
        why=miss.text if miss else None,
    )


def _miss(label: Label, signals: Sequence[Incident], watched: Miss | None) -> Miss:
    """Why a label was not answered: the gate of a signal there, else of the best candidate watched, else that there was none."""
    for one in signals:
        if answers(one, label):
            failed = [gate for gate in one.why if not gate.passed]
            if failed:
                return Miss(failed[0].gate, f"{one.title}: stayed a signal; {failed[0].text}")
    return watched or Miss("no_signal", "no series there was unusual enough to open a signal")


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
