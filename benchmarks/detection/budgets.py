"""Work: an alert budget of N false incidents a week over twelve weeks of single disruptions and one storm a week.

Only the budget is judged: its input are p-values of one who knows the rates. An incident is false when none of the
series it opened on is disrupted or was within two hours. Beside it the best fixed cut, chosen in hindsight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import detectors
from benchmarks.detection.complaints import MONDAY, WEEK, WINDOW_SECONDS, Disruptions, Ints, Town, some
from benchmarks.detection.episodes import AFTER, HOUR, LEAST_COMPLAINTS, QUIET
from benchmarks.detection.exact import Oracle

KEYWORDS, STORM_PLACES = 10, 5
STORM_WINDOWS, STORM_STRENGTH = 12, 8
SINGLE = 5  # of 1,000 series, a week


def world(n_series: int, weeks: int, seed: int) -> tuple[Town, Ints]:
    """Series i is keyword i % 10 at place i // 10. The second: the week of the storm a disruption belongs to, or -1."""
    rng = np.random.default_rng(seed)
    count = max(1, n_series * SINGLE * weeks // 1000)
    disruptions = some(rng, rng.integers(0, n_series, count), 16, weeks * WEEK - 40, (8, 17))
    storm = [np.full(count, -1)]
    for week in range(weeks):
        place = rng.integers(0, max(1, n_series // KEYWORDS - STORM_PLACES))
        hit = np.arange(place * KEYWORDS, min(n_series, (place + STORM_PLACES) * KEYWORDS))
        start = np.full(len(hit), week * WEEK + rng.integers(96, WEEK - 120))
        length, k = np.full(len(hit), STORM_WINDOWS), np.full(len(hit), STORM_STRENGTH)
        disruptions += Disruptions(hit, start, length, k)
        storm.append(np.full(len(hit), week))
    return Town(rng, n_series, disruptions), np.concatenate(storm)


class Hindsight:
    """The lowest p of each quiet spell of each series, and of each disruption: what any fixed cut would have brought."""

    def __init__(self, n_series: int, count: int) -> None:
        self.lowest, self.last = np.ones(n_series), np.full(n_series, -99)
        self.of_disruption, self.spells = np.ones(count), [np.zeros(0)]

    def step(self, window: int, p: np.ndarray, in_hour: Ints, calm: np.ndarray, now: Ints, series: Ints) -> None:
        hot = (in_hour >= LEAST_COMPLAINTS) & (p < 1e-3)
        self.of_disruption[now] = np.minimum(self.of_disruption[now], np.where(hot[series], p[series], 1.0))
        hot &= calm
        fresh = hot & (window - self.last > QUIET)
        self.spells.append(self.lowest[fresh & (self.lowest < 1)])
        self.lowest[fresh] = 1.0
        self.lowest[hot] = np.minimum(self.lowest[hot], p[hot])
        self.last[hot] = window

    def pod(self, allowed: int, single: np.ndarray) -> float:
        """Of the loosest cut with `allowed` false spells in all."""
        spells = np.sort(np.concatenate([*self.spells, self.lowest[self.lowest < 1]]))
        cut = spells[allowed] if len(spells) > allowed else 1e-3
        return float((self.of_disruption[single] < cut).mean())


def run(seed: int, *, n_series: int, weeks: int = 12, per_week: float = 1.0) -> list[dict[str, Any]]:
    """Rows of the budget and of the cut in hindsight."""
    town, storm = world(n_series, weeks, seed)
    ids = np.arange(n_series)
    layer = detectors.budget(
        n_series=n_series,
        window_seconds=WINDOW_SECONDS,
        per_week=per_week,
        places=ids // KEYWORDS,
        keywords=ids % KEYWORDS,
    )
    exact, disruptions = Oracle(town.phi), town.disruptions
    hindsight = Hindsight(n_series, len(storm))
    until, recent = np.full(n_series, -1), np.zeros((HOUR, n_series), np.int64)
    known: set[int] = set()
    false, found = np.zeros(weeks, np.int64), np.zeros(len(storm), bool)
    of_storm: dict[int, set[int]] = {}
    storm_starts, after_storm = np.unique(disruptions.start[storm >= 0]), 0
    for window in range(weeks * WEEK):
        now = disruptions.at(window)
        series = disruptions.series[now]
        until[series] = window + AFTER
        counts = town.counts(window)
        recent[window % HOUR] = counts
        p = exact.step(counts, town.mean(window))
        opened = layer.step(MONDAY + window * WINDOW_SECONDS, p, counts)
        hindsight.step(window, p, recent.sum(0), until < window, now, series)
        found[now] |= opened[series] > 0
        for number in set(opened[opened > 0].tolist()) - known:
            known.add(number)
            if not (until[opened == number] >= window).any():
                false[window // WEEK] += 1
                after_storm += bool(((window >= storm_starts) & (window < storm_starts + 96)).any())
        for one in now[(storm[now] >= 0) & (opened[series] > 0)]:
            of_storm.setdefault(int(storm[one]), set()).add(int(opened[disruptions.series[one]]))
    single = storm < 0
    held = false.sum() <= stats.poisson.ppf(0.99, per_week * weeks) and false.max() <= stats.poisson.ppf(
        0.999, per_week
    )
    best = hindsight.pod(int(per_week * weeks), single)
    measures = {
        "held": float(held),
        "false_per_week": float(false.mean()),
        "pod": float(found[single].mean()),
        "pod_share_of_hindsight": float(found[single].mean()) / best,
        "incidents_per_storm": float(np.mean([len(one) for one in of_storm.values()])),
        "false_per_storm_day": after_storm / len(storm_starts),
    }
    row = {"seed": seed, "series": n_series}
    return [
        row | {"detector": "budget", "measures": measures},
        row | {"detector": "hindsight", "measures": {"pod": best}},
    ]
