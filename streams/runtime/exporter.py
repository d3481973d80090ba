"""Shows the catalogue's metrics to Prometheus: figures are read when asked for, nothing is kept twice."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.metrics import BY_NAME, CATALOGUE, PREFIX
from streams.part import SourceCount

if TYPE_CHECKING:
    from streams.runtime.runner import Runner
    from streams.runtime.store.writer import Work

MAX_SOURCES = 200  # the rest is summed as `other`
Key = tuple[str, tuple[str, ...]]  # name and label values
Figures = dict[Key, float]


class Totals:
    """Counters since the start, by metric and label values."""

    def __init__(self) -> None:
        self.figures: Figures = {}
        self._sources: set[str] = set()

    def add(self, name: str, count: float = 1, *labels: str) -> None:
        """Count something of the catalogue."""
        assert BY_NAME[name].kind == "counter"
        self.figures[name, labels] = self.figures.get((name, labels), 0.0) + count

    def add_source(self, source: str, count: SourceCount) -> None:
        """Count what a source brought; beyond a bounded number of sources the rest goes together."""
        if source not in self._sources and len(self._sources) >= MAX_SOURCES:
            source = "other"
        self._sources.add(source)
        for name in ("records", "complaints", "voices", "duplicates", "late", "old"):
            if value := getattr(count, name):
                self.add(f"{name}_total", value, source)

    def add_work(self, work: Work) -> None:
        """Count what was written to the store."""
        for name, count in work.sources.items():
            self.add_source(name, count)
        for letter, _, _ in work.dead_letters:
            self.add("dead_letters_total", 1, letter.reason)
        for incident in work.incidents:
            self.add("incident_revisions_total", 1, incident.reason)


def runner_figures(runner: Runner) -> Figures:
    """Metrics of the pipeline and of what it wrote."""
    figures: Figures = dict(runner.commits.totals.figures)
    for state, found in Counter(incident.state for incident in runner.pipeline.alerts.open).items():
        figures["open_incidents", (state,)] = found
    detect = runner.pipeline.detect
    figures["last_close_seconds", ()] = detect.closed_until
    figures["sources_blind", ()] = len(detect.sources.blind(detect.closed_until))
    for partition, intake in runner.pipeline.intakes.items():
        figures["dedupe_reach_seconds", (str(partition),)] = intake.seen.reach_seconds(intake.watermark.newest)
    figures["watermark_seconds", ()] = min(intake.watermark.value for intake in runner.pipeline.intakes.values())
    figures["backlog_entries", ()] = runner.backlog
    figures["snapshot_age_seconds", ()] = time.monotonic() - runner.snapshot_at
    figures["snapshot_bytes", ()] = runner.snapshot_bytes
    return {key: value for key, value in figures.items() if math.isfinite(value)}


class Exporter:
    """`read` gives the figures of the moment."""

    def __init__(self, read: Callable[[], Figures]) -> None:
        self._read = read
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """One family for each metric of the catalogue that has a figure."""
        figures = self._read()
        for metric in CATALOGUE:
            family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(
                PREFIX + metric.name, metric.help, labels=metric.labels
            )
            found = sorted((labels, value) for (name, labels), value in figures.items() if name == metric.name)
            for labels, value in found:
                family.add_metric(labels, value)
            if found:
                yield family

    def text(self) -> tuple[bytes, str]:
        """The exposition and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
