"""What the report of a replay shows, gathered from the replay: figures and plain words, nothing that depends on the machine or the hour."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import NamedTuple

from alerting.model import Incident, KeywordTree, shared_keyword
from dashboards.series import Bar, bars, step_for
from streams.evaluation import Evaluation, LabelResult, PlacePeople, beyond_signal, decided, newest
from streams.part import SourceCount
from streams.pipeline import Pipeline
from streams.runtime.replay import Replayed

MAX_CARDS = 60
MIN_AROUND_SECONDS = 3 * 3600.0
MOST_SHOWN_SECONDS = 5 * 86400.0  # of an incident after it was told
TIMELINE_SLOTS = 240
GAP_EXPECTED = 20.0  # a silence in which this many records are usual is a gap
HOUR = 3600
WEEK_HOURS = 168
VERSIONS = ("overheard", "numpy", "scipy")


class Card(NamedTuple):
    """One incident in full. `labels` are those it answers first or also."""

    incident: Incident
    bars: list[Bar]
    zone: str
    keyword: str  # name for people
    labels: tuple[LabelResult, ...]


class Gap(NamedTuple):
    """A stretch without any record; Unix seconds."""

    start: float
    end: float
    usual: float  # records usual in such a stretch


class Settings(NamedTuple):
    """How the replay was called, for repeating it: names of files, not paths."""

    command: str
    files: tuple[str, ...]
    labels: str | None
    controls: str | None


class Report(NamedTuple):
    """Everything the page shows."""

    pack: str
    zone: str
    first: float
    last: float
    weeks: float
    records: int
    people: int
    places: int
    signals: int
    evaluation: Evaluation | None
    incidents: list[Incident]  # beyond a signal, newest revisions, by onset
    cards: list[Card]
    dead: list[tuple[str, int]]
    sources: list[tuple[str, SourceCount]]
    gaps: list[Gap]
    notices: list[str]
    volume: list[tuple[float, int]]  # people by slot of the timeline: start, count
    settings: list[tuple[str, str]]
    command: str


def gather(
    replayed: Replayed,
    pipeline: Pipeline,
    evaluation: Evaluation | None,
    people: Sequence[PlacePeople],
    settings: Settings,
    notices: Sequence[str],
) -> Report:
    """The report of one replay."""
    beyond = beyond_signal(replayed.incidents)
    everyone = newest(replayed.incidents)
    reached = sorted((one for one in everyone if one.id in beyond), key=lambda one: (one.onset, one.id))
    zone = _zone(reached, pipeline)
    hours = {name: place.hours for place in people if len(place.path) == 1 for name in place.path}
    return Report(
        pack=pipeline.pack.title,
        zone=zone,
        first=replayed.first,
        last=replayed.last,
        weeks=replayed.weeks,
        records=replayed.records,
        people=sum(sum(one.values()) for one in hours.values()),
        places=_leaves(people),
        signals=len(everyone) - len(reached),
        evaluation=evaluation,
        incidents=reached,
        cards=_cards(reached, replayed, pipeline, evaluation, zone),
        dead=sorted(
            ((reason, one.count) for reason, one in replayed.dead.items()), key=lambda item: (-item[1], item[0])
        ),
        sources=sorted(replayed.sources.items(), key=lambda item: (-item[1].records, item[0])),
        gaps=gaps(replayed.sources.values()),
        notices=sorted(notices),
        volume=_volume(list(hours.values()), replayed.first, replayed.last),
        settings=_settings(replayed, pipeline, settings),
        command=settings.command,
    )


def people_by_place(replayed: Replayed, pipeline: Pipeline) -> list[PlacePeople]:
    """People about any keyword by place and hour, rolled up."""
    places = pipeline.places
    return [
        PlacePeople(places.name(place), tuple(places.path(place)), hours)
        for place, hours in sorted(replayed.spool.people_by_hour().items())
    ]


def gaps(sources: Iterable[SourceCount]) -> list[Gap]:
    """Stretches of whole hours without a record of any source in which, by the hour of the week, many are usual."""
    by_hour: dict[int, int] = {}
    for source in sources:
        for hour, records in source.seen_by_hour.items():
            by_hour[hour] = by_hour.get(hour, 0) + records
    if not by_hour:
        return []
    heard = sorted(by_hour)
    usual = [0.0] * WEEK_HOURS
    for hour, records in by_hour.items():
        usual[hour % WEEK_HOURS] += records
    weeks = max(1.0, (heard[-1] - heard[0] + 1) / WEEK_HOURS)
    found = []
    for before, after in pairwise(heard):
        if after - before > 1:
            whole, rest = divmod(after - before - 1, WEEK_HOURS)
            missing = whole * sum(usual) + sum(usual[hour % WEEK_HOURS] for hour in range(after - rest, after))
            if missing / weeks >= GAP_EXPECTED:
                found.append(Gap((before + 1) * HOUR, after * HOUR, missing / weeks))
    return found


def _cards(
    reached: list[Incident], replayed: Replayed, pipeline: Pipeline, evaluation: Evaluation | None, zone: str
) -> list[Card]:
    answering: dict[str, list[LabelResult]] = {}
    for row in evaluation.rows if evaluation else ():
        for id in row.incidents:
            answering.setdefault(id, []).append(row)
    chosen = sorted(reached, key=lambda one: (one.id not in answering, one.confirmed_at is None, -one.people, one.id))
    chosen = sorted(chosen[:MAX_CARDS], key=lambda one: (one.onset, one.id))
    spans = [_span(one, replayed.last) for one in chosen]
    keyword_of = {pipeline.keywords.id(node): node for node in range(len(pipeline.keywords.parent))}
    places = pipeline.places
    wanted = [
        (places.index(one.scope.place), keyword_of[shared_keyword(one.keywords)], *span)
        for one, span in zip(chosen, spans, strict=True)
    ]
    cards = []
    for one, (place, keyword, since, until), rows in zip(chosen, wanted, replayed.spool.series(wanted), strict=True):
        cells = replayed.spool.cells(rows, one.scope.place, shared_keyword(one.keywords))
        step = step_for(until - since, pipeline.window_seconds)
        here = places.zone(place) if one.scope.level not in ("everywhere", "nowhere", "country") else zone
        cards.append(
            Card(
                one,
                bars(cells, since, until, step),
                here or zone,
                keyword_name(pipeline.keywords, keyword),
                tuple(answering.get(one.id, ())),
            )
        )
    return cards


def keyword_name(keywords: KeywordTree, keyword: int) -> str:
    """The name people use; the root is "any problem"."""
    return "any problem" if keyword == 0 else keywords.name(keyword)


def _span(incident: Incident, last: float) -> tuple[float, float]:
    """What the chart shows: the incident (of a very long one its first days), and some time around it."""
    end = min(incident.resolved_at or max(last, decided(incident)), decided(incident) + MOST_SHOWN_SECONDS)
    around = max(MIN_AROUND_SECONDS, 0.6 * (end - incident.onset))
    return incident.onset - around, end + around / 3


def _zone(reached: Sequence[Incident], pipeline: Pipeline) -> str:
    """The zone set for the replay, else that of most incidents, else UTC."""
    if pipeline.config.timezone:
        return pipeline.config.timezone
    zones: dict[str, int] = {}
    for one in reached:
        if one.scope.level not in ("everywhere", "nowhere", "country"):
            zone = pipeline.places.zone(pipeline.places.index(one.scope.place))
            zones[zone] = zones.get(zone, 0) + 1
    return min(zones, key=lambda zone: (-zones[zone], zone), default="UTC") or "UTC"


def _leaves(people: Sequence[PlacePeople]) -> int:
    """How many places were named that hold no other named place."""
    holders = {place.path[1:] for place in people}
    above = {path[at:] for path in holders for at in range(len(path))}
    return sum(place.path not in above and len(place.path) > 1 for place in people)


def _volume(hours: Sequence[Mapping[int, int]], first: float, last: float) -> list[tuple[float, int]]:
    if not last > first:
        return []
    width = max(HOUR, -(-(last - first) // TIMELINE_SLOTS // HOUR) * HOUR)
    slots: dict[int, int] = {}
    for one in hours:
        for hour, count in one.items():
            slot = int((hour * HOUR - first) // width)
            slots[slot] = slots.get(slot, 0) + count
    return [(first + slot * width, slots.get(slot, 0)) for slot in range(int((last - first) // width) + 1)]


def _settings(replayed: Replayed, pipeline: Pipeline, settings: Settings) -> list[tuple[str, str]]:
    config = pipeline.config
    return [
        ("files", ", ".join(settings.files)),
        ("records", f"{replayed.records:,}, fingerprint {replayed.records:x}-{replayed.fingerprint:x}"),
        ("labels", settings.labels or "none"),
        ("controls", f"{replayed.controls} of {settings.controls}" if settings.controls else "none"),
        ("pack", f"{pipeline.pack.name} ({pipeline.pack.title})"),
        ("window", f"{pipeline.window_seconds} s"),
        ("lateness", f"{config.lateness_seconds:g} s"),
        ("alert budget", f"{config.budget_per_week:g} a week"),
        ("detector", config.detector),
        ("partitions", str(config.partitions)),
        ("zone of times without one", config.timezone or "refused"),
        ("configuration", pipeline.digest),
        (
            "versions",
            ", ".join([*(f"{name} {_version(name)}" for name in VERSIONS), f"Python {platform.python_version()}"]),
        ),
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a source folder"
