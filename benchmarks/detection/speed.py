"""Work: closing one window of 100,000 mostly sparse series, scoring and learning, after a week; time, and bytes of
state a series (of the snapshot, shared profiles included)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import detectors
from benchmarks.detection.complaints import MONDAY, WEEK, WINDOW_SECONDS, town

PEERS = (
    "default",
    "cusum",
    "ewma",
    "ears_c1",
    "ears_c2",
    "ears_c3",
    "windowed_gaussian",
    "river_gaussian",
    "river_half_space_trees",
)
# 2,016 windows of a series are 8 kB; a model a series costs microseconds to a millisecond a window. Their times are scaled up.
MOST_SERIES = {"windowed_gaussian": 20_000, "river_gaussian": 500, "river_half_space_trees": 50}
MEASURED = 96  # windows: a day


def run(seed: int, *, n_series: int = 100_000, peers: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """Rows with times in ms for `n_series`."""
    world = town(n_series, 2, seed)
    banks, taken, size = {}, {name: [] for name in peers}, {}
    for name in peers:
        n = min(n_series, MOST_SERIES.get(name, n_series))
        banks[name] = detectors.create(name, n_series=n, window_seconds=WINDOW_SECONDS, groups=world.groups[:n])
        size[name] = n
    for window in range(WEEK + MEASURED):
        counts = world.counts(window)
        for name, bank in banks.items():  # one after the other in the same window, so that all see the same machine
            mine, start = counts[: size[name]], MONDAY + window * WINDOW_SECONDS
            begun = time.perf_counter()
            bank.score(start, mine)
            bank.learn(start, mine)
            if window >= WEEK:
                taken[name].append(1e3 * (time.perf_counter() - begun) * n_series / size[name])
    rows = []
    for name, bank in banks.items():
        measures = {
            "ms_median": float(np.median(taken[name])),
            "ms_p95": float(np.percentile(taken[name], 95)),
            "bytes_a_series": len(bank.snapshot()) / size[name],
        }
        rows.append({"detector": name, "seed": seed, "series": size[name], "measures": measures})
    return rows
