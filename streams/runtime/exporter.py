"""Shows the catalogue's metrics to Prometheus: figures are read when asked for, nothing is kept twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from streams.codec import REASONS
from streams.metrics import BY_NAME, CATALOGUE, MOST_SERIES, OTHER, PREFIX
from streams.part import SourceCount
from streams.pipeline import VERSION

if TYPE_CHECKING:
    from alerting.model import PlaceTree
    from streams.detect import Detect
    from streams.last_hour import Hour
    from streams.runtime.runner import Runner
    from streams.runtime.store.reader import Health
    from streams.runtime.store.writer import Work

MAX_SOURCES = 200  # the rest is summed as `other`
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
OPEN_STATES = ("signal", "suspected", "confirmed")
PARTS = ("disk", "journal", "pack", "pipeline", "store")
Key = tuple[str, tuple[str, ...]]  # name and label values
Figures = dict[Key, float]


class Totals:
    """Counters since the start, by metric and label values."""

    def __init__(self) -> None:
        self.figures: Figures = {
            ("dead_letters_total", (reason,)): 0.0 for reason in REASONS
        }  # so that the first is seen
        self._sources: set[str] = set()

    def add(self, name: str, count: float = 1, *labels: str) -> None:
        """Count something of the catalogue."""
        assert BY_NAME[name].kind == "counter"
        self.figures[name, labels] = self.figures.get((name, labels), 0.0) + count

    def add_source(self, source: str, count: SourceCount) -> None:
        """Count what a source brought; beyond a bounded number of sources the rest goes together."""
        source = self.label(source)
        for name in ("records", "complaints", "voices", "duplicates", "late", "old"):
            if value := getattr(count, name):
                self.add(f"{name}_total", value, source)

    def label(self, source: str) -> str:
        """What a source is called in labels."""
        if source not in self._sources and len(self._sources) >= MAX_SOURCES:
            return "other"
        self._sources.add(source)
        return source

    def add_work(self, work: Work) -> None:
        """Count what was written to the store."""
        for name, count in work.sources.items():
            self.add_source(name, count)
        for letter, _, _ in work.dead_letters:
            self.add("dead_letters_total", 1, letter.reason)
        for incident in work.incidents:
            self.add("incident_revisions_total", 1, incident.reason)


def runner_figures(runner: Runner) -> Figures:
    """Metrics of the pipeline and of what it wrote; hold the runner's lock meanwhile."""
    pipeline, commits = runner.pipeline, runner.commits
    figures: Figures = dict(commits.totals.figures) | detect_figures(pipeline.detect, commits.totals)
    for partition, intake in pipeline.intakes.items():
        figures["dedupe_reach_seconds", (str(partition),)] = intake.seen.reach_seconds(intake.watermark.newest)
    figures["watermark_timestamp_seconds", ()] = min(intake.watermark.value for intake in pipeline.intakes.values())
    figures["backlog_entries", ()] = runner.backlog
    figures["snapshot_age_seconds", ()] = runner.snapshot_age
    figures["commit_age_seconds", ()] = runner.commit_age
    figures["snapshot_bytes", ()] = runner.snapshot_bytes
    return figures


def detect_figures(detect: Detect, totals: Totals) -> Figures:
    """Metrics of DETECT and ALERT, whoever owns them."""
    alerts, until = detect.alerts, detect.closed_until
    figures: Figures = {("open_incidents", (state,)): 0.0 for state in OPEN_STATES}
    for incident in alerts.open:
        figures["open_incidents", (incident.state,)] += 1
    figures["incidents_unanswered", ()] = alerts.spent
    figures["budget_per_week", ()] = alerts.policy.budget_per_week
    figures["last_close_timestamp_seconds", ()] = until
    figures["window_seconds", ()] = detect.config.window_seconds
    blind = {one.source for one in detect.sources.blind(until)}
    figures["sources_blind", ()] = len(blind)
    for source in detect.sources.rates:
        key = "source_blind", (totals.label(source),)
        figures[key] = max(figures.get(key, 0.0), float(source in blind))
    return figures


def series_figures(hour: Hour, places: PlaceTree, keyword: Callable[[int], str]) -> Figures:
    """The most unusual series of the hour, by the ids of places and keywords, the rest in one; and what the places are called."""
    shown = zip(*(column[:MOST_SERIES].tolist() for column in hour), strict=True)
    figures: Figures = {}
    for place in set(hour.place[:MOST_SERIES].tolist()):
        figures["place_info", _place(places, place)] = 1.0
    for place, keyword_number, people, expected, unusual in shown:
        labels = places.id(place), keyword(keyword_number)
        figures["series_people", labels] = people
        figures["series_expected", labels] = expected
        figures["series_unusual", labels] = unusual
    rest, labels = hour.rest(MOST_SERIES), (OTHER, OTHER)
    figures["series_left_out", ()] = len(rest.place)
    figures["series_people", labels] = rest.people.sum()
    figures["series_expected", labels] = rest.expected.sum()
    figures["series_unusual", labels] = rest.unusual.max(initial=0.0)
    return figures


def _place(places: PlaceTree, place: int) -> tuple[str, ...]:
    lat, lon = places.coordinates(place) or ("", "")
    return places.id(place), places.name(place), places.level(place), str(lat), str(lon)


def health_figures(health: Health) -> Figures:
    """What is broken, and what runs here."""
    figures: Figures = {("healthy", ()): 0.0 if health.red else 1.0}
    for part in PARTS:
        figures["broken", (part,)] = 1.0 if getattr(health, "disk_full" if part == "disk" else part) else 0.0
    figures["build_info", (version("overheard"), str(VERSION))] = 1.0
    return figures


def exposition(figures: Figures) -> tuple[bytes, str]:
    """The figures as Prometheus reads them, and the content type; what is not finite is left out.

    Written here and not by prometheus_client, which takes six times as long for the series.
    """
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for (name, labels), value in figures.items():
        if math.isfinite(value):
            found.setdefault(name, []).append((labels, value))
    lines: list[str] = []
    for metric in CATALOGUE:
        if metric.name in found:
            name = PREFIX + metric.name
            lines += (f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}")
            for labels, value in sorted(found[metric.name]):
                lines.append(f"{name}{_written(metric.labels, labels)} {float(value)!r}")
    return "\n".join([*lines, ""]).encode("utf-8", "replace"), CONTENT_TYPE


@lru_cache(maxsize=4 * MOST_SERIES)
def _written(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    said = ",".join(f'{name}="{value.translate(ESCAPED)}"' for name, value in zip(names, values, strict=True))
    return f"{{{said}}}" if said else ""
