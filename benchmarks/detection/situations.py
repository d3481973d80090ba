"""Work: four ordinary situations of one place and problem in windows of a minute, which ElastAlert 2's spike rule mostly gets wrong.

quiet    one complaint a day for two weeks, then six people within ten minutes: found by the fourth or fifth, not the first two
mornings two a minute from 06:00 to 22:00 and silence at night, on weekdays: no alarm on any of the days after the first
ramp     from two a minute, 25 % more every ten minutes, 55-fold within three hours: found before it is 8-fold
step     20-fold for three hours: found within five minutes, as one episode, which ends within the longest sum of hours
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import detectors
from benchmarks.detection.complaints import MONDAY, Ints
from benchmarks.detection.episodes import LEAST_COMPLAINTS
from detectors import registry

MINUTE, DAY = 60, 24 * 60
CUT = 1e-6  # an alarm in two years of a series, were p exact
NEIGHBOURS = 50  # places with a complaint a day, in one bank with it; peers look at each series alone
APART = 30  # minutes of quiet that end an episode
PEERS = (
    *("default", "cusum", "ewma", "windowed_gaussian", "ears_c1", "ears_c2", "ears_c3"),
    *("river_gaussian", "river_half_space_trees"),
)
SPIKE_RULES = {"elastalert_spike_3": 3, "elastalert_spike_10": 10}


class Situation(NamedTuple):
    """Counts a minute from a Monday 00:00 UTC, what is judged from which minute on, and the rule for its alarms."""

    counts: Ints
    first: int
    right: Callable[[Ints], bool]


def quiet(rng: np.random.Generator) -> Situation:
    counts = np.zeros(14 * DAY + 120, np.int64)
    counts[np.arange(14) * DAY + rng.integers(0, DAY, 14)] = 1
    first = 14 * DAY + 30
    cases = first + np.sort(rng.choice(10, 6, replace=False))
    counts[cases] = 1
    return Situation(counts, first, lambda alarms: bool(len(alarms)) and cases[2] <= alarms[0] <= cases[4])


def mornings(rng: np.random.Generator) -> Situation:
    minute = np.arange(5 * DAY) % DAY
    awake = (minute >= 6 * 60) & (minute < 22 * 60)
    return Situation(rng.poisson(np.where(awake, 2.0, 0.0)).astype(np.int64), DAY, lambda alarms: not len(alarms))


def ramp(rng: np.random.Generator) -> Situation:
    first, usual = 7 * DAY + 12 * 60, 2.0
    rise = 1.25 ** (np.arange(180) // 10 + 1)
    rate = np.concatenate([np.full(first, usual), usual * rise])
    eightfold = first + int(np.argmax(rise >= 8))
    return Situation(
        rng.poisson(rate).astype(np.int64), first, lambda alarms: bool(len(alarms)) and alarms[0] < eightfold
    )


def step(rng: np.random.Generator) -> Situation:
    first, usual = 7 * DAY + 12 * 60, 2.0
    rate = np.full(first + 180 + 8 * 60, usual)
    rate[first : first + 180] *= 20

    def right(alarms: Ints) -> bool:
        if not len(alarms) or alarms[0] >= first + 5:
            return False
        return bool((np.diff(alarms) <= APART).all() and alarms[-1] < first + 180 + 4 * 60)

    return Situation(rng.poisson(rate).astype(np.int64), first, right)


SITUATIONS = {"quiet": quiet, "mornings": mornings, "ramp": ramp, "step": step}


def alarms_of(name: str, situation: Situation, cut: float = CUT) -> Ints:
    """Minutes with an alarm, from `first` on: p at most `cut` and three complaints within the hour. The detector is told of
    an episode as a product would tell it: what goes on is held."""
    around = 0 if name in registry.PEERS else NEIGHBOURS
    rng = np.random.default_rng(len(situation.counts))
    counts = np.hstack([situation.counts[:, None], rng.poisson(1 / DAY, (len(situation.counts), around))])
    bank, last = detectors.create(name, n_series=1 + around, window_seconds=MINUTE), -APART - 1
    alarms, hour = [], np.convolve(counts[:, 0], np.ones(60, np.int64))[: len(counts)]
    hold = np.zeros(1 + around, np.bool_)
    for minute, row in enumerate(counts):
        start = MONDAY + minute * MINUTE
        if minute >= situation.first and hour[minute] >= LEAST_COMPLAINTS and bank.score(start, row).p_value[0] <= cut:
            alarms.append(minute)
            last = minute
        hold[0] = minute - last < APART
        bank.learn(start, row, hold=hold)
    return np.array(alarms, np.int64)


def spike_rule(situation: Situation, least_now: int, *, height: float = 3, frame: int = 30) -> Ints:
    """ElastAlert 2's spike rule as its documentation has it: this half hour against the one before, after two of them;
    silent for two after a match. `least_now`: its threshold_cur."""
    counts, alarms, since = situation.counts, [], 0
    total = np.r_[0, np.cumsum(counts)]
    for minute in range(len(counts)):
        middle, begin = max(since, minute + 1 - frame), max(since, minute + 1 - 2 * frame)
        now, before = total[minute + 1] - total[middle], total[middle] - total[begin]
        if minute + 1 - since >= 2 * frame and counts[minute] and now >= least_now and now >= height * before:
            alarms.append(minute)
            since = minute + 1
    return np.array([one for one in alarms if one >= situation.first], np.int64)


def run(seed: int, *, peers: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """Rows with 1 for each situation that was judged right."""
    made = {name: make(np.random.default_rng([seed, number])) for number, (name, make) in enumerate(SITUATIONS.items())}
    rows = []
    for name in (*SPIKE_RULES, *peers):
        measures = {}
        for which, one in made.items():
            alarms = spike_rule(one, SPIKE_RULES[name]) if name in SPIKE_RULES else alarms_of(name, one)
            measures[which] = float(one.right(alarms))
        measures["all_right"] = min(measures.values())
        rows.append({"detector": name, "seed": seed, "series": 1, "measures": measures})
    return rows
