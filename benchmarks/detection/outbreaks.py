"""Work: weekly counts of 42 scenarios with seasons, trends and past outbreaks, after Noufaily et al. 2013 (Stat Med 32:1206).

log mu(t) = theta + beta t + sum over j of [g1 cos(2 pi j t / 52) + g2 sin(2 pi j t / 52)], variance phi mu, 624 weeks of
which the last 49 are judged. An outbreak of k standard deviations has Poisson(k sd) cases, two at least, spread over the
weeks by a log-normal(0, 0.5). Each series has four past ones, and one more in the judged weeks in its second version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import detectors
from benchmarks.detection.complaints import MONDAY, Floats, Ints
from benchmarks.detection.exact import Oracle

WEEKS, FIRST_BASELINE, FIRST_JUDGED = 624, 312, 575
WEEK_SECONDS = 604_800
REPEATS = 100
#         theta   beta    g1    g2   phi
SETS = (
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2.0, 0.005, 0.1, 0.3, 2.0),
    (1.5, 0.003, 0.2, -0.4, 1.0),
    (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5.0, 0.0001, 0.05, 0.01, 1.2),
)
PAST_STRENGTHS = (2, 3, 5, 10)
PEERS = (
    *("weekly", "farrington", "cusum", "ewma", "windowed_gaussian", "ears_c1", "ears_c2", "ears_c3"),
    *("river_gaussian", "river_half_space_trees"),
)
MOST_SERIES = {"river_gaussian": 1000, "river_half_space_trees": 100}  # one model a series in Python is slow
FALSE_RATES = (0.01, 0.001)
CURVE = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Weeks:
    """Arrays with a row a series; `calm` has the past outbreaks only, `ill` the one of the judged weeks too."""

    calm: Ints
    ill: Ints
    mean: Floats
    phi: Floats
    scenario: Ints
    begin: Ints  # first and last week with a case of the judged outbreak
    end: Ints

    def part(self, index: Ints) -> Weeks:
        return Weeks(*(array[index] for array in vars(self).values()))


def simulate(seed: int, repeats: int = REPEATS) -> Weeks:
    """`repeats` series of each scenario, in random order."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, WEEKS + 1)
    found: list[tuple[Any, ...]] = []
    scenarios = [(one, trend, waves) for one in SETS for trend in (0, 1) for waves in (0, 1, 2)]
    for number, ((theta, beta, g1, g2, phi), trend, waves) in enumerate(scenarios):
        angles = [2 * np.pi * j * t / 52 for j in range(1, waves + 1)]
        season = sum((g1 * np.cos(angle) + g2 * np.sin(angle) for angle in angles), np.zeros(WEEKS))
        mean = np.exp(theta + beta * trend * t + season)
        sd = np.sqrt(phi * mean)
        for repeat in range(repeats):
            calm = rng.poisson(mean if phi == 1 else rng.gamma(mean / (phi - 1), phi - 1))
            for start in rng.choice(np.arange(FIRST_BASELINE, FIRST_JUDGED), 4, replace=False):
                weeks = _cases(rng, start, rng.choice(PAST_STRENGTHS) * sd[start])
                np.add.at(calm, weeks[weeks < FIRST_JUDGED], 1)
            start = int(rng.integers(FIRST_JUDGED, WEEKS - 1))
            weeks = np.minimum(_cases(rng, start, (repeat % 10 + 1) * sd[start]), WEEKS - 1)
            ill = calm.copy()
            np.add.at(ill, weeks, 1)
            found.append((calm, ill, mean, phi, number, weeks.min(), weeks.max()))
    order = rng.permutation(len(found))
    return Weeks(*(np.array(column)[order] for column in zip(*found, strict=True)))


def _cases(rng: np.random.Generator, start: int, expected: float) -> Ints:
    """Week of each case of an outbreak."""
    size = 0
    while size < 2:
        size = int(rng.poisson(max(expected, 0.05)))
    return np.asarray(start + np.floor(rng.lognormal(0, 0.5, size)), np.int64)


def run(seed: int, *, repeats: int = REPEATS, peers: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """One row a detector."""
    world, rows = simulate(seed, repeats), []
    for name in ("oracle", *peers):
        part = world.part(np.arange(min(len(world.phi), MOST_SERIES.get(name, 1 << 30))))
        calm, ill = (_p_values(name, part, counts) for counts in (part.calm, part.ill))
        rows.append({"detector": name, "seed": seed, "series": len(part.phi)} | _measured(part, calm, ill))
    return rows


def _p_values(name: str, world: Weeks, counts: Ints) -> Floats:
    """Of the judged weeks, float64[series, 49]. No series shares a profile with another."""
    n, judged = counts.shape[0], []
    if name == "oracle":
        exact = Oracle(world.phi, sums=(1, 2), penalty=1.5)
        steps = [exact.step(counts[:, t], world.mean[:, t]) for t in range(FIRST_JUDGED - 2, WEEKS)]
        return np.stack(steps[2:], axis=1)
    bank = detectors.create(name, n_series=n, window_seconds=WEEK_SECONDS, season="yearly", groups=np.arange(n))
    for t in range(WEEKS):
        start = MONDAY + t * WEEK_SECONDS
        if t >= FIRST_JUDGED:
            judged.append(bank.score(start, counts[:, t]).p_value)
        bank.learn(start, counts[:, t])
    return np.stack(judged, axis=1)


def _measured(world: Weeks, calm: Floats, ill: Floats) -> dict[str, Any]:
    week = np.arange(FIRST_JUDGED, WEEKS)
    inside = (week >= world.begin[:, None]) & (week <= world.end[:, None])

    def at(cut: float) -> tuple[float, float, float]:
        """False positives, outbreaks found, delay in weeks of those found."""
        hot = (ill <= cut) & inside
        found = hot.any(1)
        delay = hot.argmax(1) + FIRST_JUDGED - world.begin
        return float((calm <= cut).mean()), float(found.mean()), float(delay[found].mean()) if found.any() else np.nan

    def cut_of(rate: float) -> float:
        """The loosest cut with no more than this share of the calm weeks."""
        allowed = int(rate * calm.size)
        lowest = np.partition(calm.ravel(), allowed)[: allowed + 1]
        return float(np.nextafter(lowest[allowed], 0))

    measures: dict[str, float] = {}
    for rate in FALSE_RATES:
        fpr, pod, delay = at(cut_of(rate))
        measures |= {f"pod@{rate}": pod, f"delay@{rate}": delay, f"fpr@{rate}": fpr}
    numbers = np.unique(world.scenario)
    measures["fpr_nominal_0.01"] = float((calm <= 0.01).mean())
    measures["worst_nominal_0.01"] = max(float((calm[world.scenario == one] <= 0.01).mean()) for one in numbers)
    curve = [[rate, 1.0, *at(cut_of(rate))[1:]] for rate in CURVE]
    return {"measures": measures, "curve": curve}
