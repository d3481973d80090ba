"""Work: complaints of 10,000 mostly sparse series; four weeks to learn, the fifth is judged."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import detectors
from benchmarks.detection.complaints import MONDAY, WEEK, WINDOW_SECONDS, town
from benchmarks.detection.episodes import Judged, windows_of
from benchmarks.detection.exact import Oracle
from detectors.base import Floats

WEEKS = 5
PEERS = (
    *("default", "cusum", "ewma", "windowed_gaussian", "ears_c1", "ears_c2", "ears_c3"),
    *("river_gaussian", "river_half_space_trees"),
)
# One model a series in Python is slow: these see only so many of the series that will be disrupted, which are drawn at random.
MOST_SERIES = {"river_gaussian": 200, "river_half_space_trees": 60}
FALSE_RATES = (0.01, 0.001)
CURVE = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0)
STRATA = (0.0, 0.02, 0.1, 1.0, 10.0, np.inf)  # complaints a window, as seen while learning
RARE = 1e-4


class Contender:
    """One detector, the series it sees, and what it found."""

    def __init__(self, name: str, world: Any) -> None:
        n, disruptions = len(world.rates), world.disruptions
        first, _ = windows_of(WEEKS)
        self.index = np.arange(n)
        if name in MOST_SERIES:
            self.index = np.sort(disruptions.series[disruptions.start >= first][: MOST_SERIES[name]])
            place = np.full(n, -1)
            place[self.index] = np.arange(len(self.index))
            kept = place[disruptions.series] >= 0
            disruptions = type(disruptions)(
                place[disruptions.series[kept]], *(getattr(disruptions, a)[kept] for a in ("start", "length", "k"))
            )
        self.judged = Judged(disruptions, first, len(self.index))
        self.calm = self.judged.of < 0
        self.rare = np.zeros(len(self.index), np.int64)
        self.oracle = Oracle(world.phi) if name == "oracle" else None
        if self.oracle is None:
            options = {"n_series": len(self.index), "window_seconds": WINDOW_SECONDS}
            self.bank = detectors.create(name, groups=world.groups[self.index], **options)

    def step(self, window: int, counts: Any, mean: Floats, judged: bool) -> Floats | None:
        """p-values of the judged windows; before them detectors only learn."""
        if self.oracle is not None:
            return self.oracle.step(counts, mean)
        start, mine = MONDAY + window * WINDOW_SECONDS, counts[self.index]
        p = self.bank.score(start, mine).p_value if judged else None
        self.bank.learn(start, mine)
        return p


def run(
    seed: int, *, n_series: int, peers: tuple[str, ...] = PEERS, lengths: tuple[int, int] = (8, 17), past: int = 0
) -> list[dict[str, Any]]:
    """One row a detector."""
    world = town(n_series, WEEKS, seed, lengths, past)
    contenders = {name: Contender(name, world) for name in ("oracle", *peers)}
    first, end = windows_of(WEEKS)
    recent, seen = np.zeros((4, n_series), np.int64), np.zeros(n_series)
    for window in range(end):
        counts, mean = world.counts(window), world.mean(window)
        recent[window % 4] = counts
        in_hour = recent.sum(0)
        seen += counts if window < first else 0
        for one in contenders.values():
            p = one.step(window, counts, mean, window >= first)
            if p is not None and window >= first:
                one.judged.add(window - first, p, in_hour[one.index])
                one.rare += p < RARE
    rate = seen / first
    return [
        {"detector": name, "seed": seed, "series": len(one.index)} | _measured(one, rate)
        for name, one in contenders.items()
    ]


def _measured(one: Contender, rate: Floats) -> dict[str, Any]:
    judged = one.judged
    judged.finish()
    measures: dict[str, float] = {}
    for fa in FALSE_RATES:
        measures |= {f"{name}@{fa}": value for name, value in judged.matched(fa).items()}
    three_sigma = judged.at(1e-3)
    measures |= {"fa_at_p_0.001": three_sigma["fa"], "pod_at_fdr_0.05": judged.pod_at_fdr(0.05)}
    tests = {}
    for low, high in pairwise(STRATA):
        members = one.calm & (rate[one.index] >= low) & (rate[one.index] < high)
        tests[f"{low:g}"] = [int(one.rare[members].sum()), int(members.sum()) * WEEK]
    curve = [[fa, *(judged.matched(fa)[name] for name in ("reached", "pod", "delay_all"))] for fa in CURVE]
    return {"measures": measures, "rare": tests, "curve": curve}
