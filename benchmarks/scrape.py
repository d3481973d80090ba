"""What a scrape costs with as many series as are ever shown: `python -m benchmarks.scrape [--series N] [--times N] [--json FILE]`.

An hour of one-minute windows in which each of N series moves six times (100,000 unless said otherwise), so the ranking has work too; then
ranked, turned into figures and written, as at every scrape. No other figure costs anything beside that, and the pipeline's lock is not held.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from streams.closed import Cells
from streams.last_hour import LastHour
from streams.metrics import MOST_SERIES
from streams.places import Places
from streams.runtime.exporter import exposition, series_figures

KEYWORDS = 31
WINDOWS = 60


def an_hour(places: int, series: int) -> LastHour:
    """Every tenth of them in each window."""
    rng = np.random.default_rng(7)
    hour = LastHour()
    for minute in range(WINDOWS):
        some = np.sort(rng.choice(series, max(1, series // 10), replace=False))
        place, keyword = some // KEYWORDS % places, some % KEYWORDS
        expected, p_value = rng.gamma(0.5, 1.0, len(some)), rng.random(len(some)) ** 3
        people = rng.poisson(expected) + 1
        cells = Cells(minute * 60, 60, place, keyword, people, people, expected, expected, p_value, p_value < 0)
        hour.take([cells], (minute + 1) * 60.0)
    return hour


def milliseconds(times: int, work: Callable[[], object]) -> float:
    """CPU of this process, the median."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=21)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    places = Places.load(())
    hour = an_hour(len(places.parent), asked.series)
    ranked = hour.ranked(MOST_SERIES)
    figures = series_figures(ranked, places, "topic/keyword-{}".format)
    text, _ = exposition(figures)
    found = {
        "series in the last hour": len(ranked.place),
        "samples": len(figures),
        "bytes": len(text),
        "rank, ms": milliseconds(asked.times, lambda: hour.ranked(MOST_SERIES)),
        "look up, ms": milliseconds(asked.times, lambda: series_figures(ranked, places, "topic/keyword-{}".format)),
        "write, ms": milliseconds(asked.times, lambda: exposition(figures)),
    }
    found["scrape, ms"] = found["rank, ms"] + found["look up, ms"] + found["write, ms"]
    print("| | |\n| --- | --- |")
    for name, value in found.items():
        print(f"| {name} | {value:,.1f} |" if isinstance(value, float) else f"| {name} | {value:,} |")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
