"""Writes the page about the metrics from the catalogue. `python -m streams.runtime.metric_docs FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from streams.metrics import CATALOGUE, MOST_SERIES, OTHER, PREFIX, Metric

HEAD = f"""# Metrics

*Made by `make docs`; do not edit.* What `/metrics` of `overheard run` and of each worker shows; a worker shows what belongs to the
partitions it owns, so ask for `sum` or `max` over a deployment. With `service.token` set, `run` asks for it. No label holds what people wrote:
places and keywords are ids of the gazetteer and of the pack, sources the first 200 names that came (`other` for the rest), channels and
parts names of the configuration.

Of the series (place and keyword) the {MOST_SERIES:,} most unusual of the last hour are shown (of the time since the process began
where that is shorter); the rest is summed as `{OTHER}`, in which a person counts once for each series. The store has all of them.

Each is in a panel of the [dashboards](../dashboards/generated) or in a rule, apart from those marked *raw*, which are there for questions of
your own.

Rules about overheard itself: [rules.yml](../dashboards/prometheus/rules.yml), what to do when they fire: [runbooks](runbooks.md).

| metric | kind | labels | what it says |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(map(_row, CATALOGUE))


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {labels} | {metric.help}{' *Raw.*' if metric.raw else ''} |\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
