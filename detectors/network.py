"""Which series suffer together: their excesses begin within two hours of each other more often than chance brings.

Chance is judged by moving one series against the other within each week: the excesses of a day go to another day of the week, those of workdays
to workdays, those of weekends to weekends. So an excess keeps its hour and its kind of day, a week its number of excesses, and shared rush hours
or bad weeks link nobody. Weeks move independently of each other; the number of coincidences over all 240^weeks such shifts is a sum of
independent terms, and its distribution is told exactly, by convolution, instead of drawing 999 shifts: no seed, and p-values below .001,
without which the false discovery rate over thousands of pairs would pass nothing. That nothing moves is one of the shifts, so no p-value is 0
(Phipson and Smyth 2010, "Permutation P-values should never be zero", SAGMB 9(1), 39). False discovery rate over all pairs that could be linked:
Benjamini and Hochberg 1995, "Controlling the false discovery rate", JRSS B 57(1), 289-300.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np

from detectors.base import Bools, Floats, Ints

DAY = 86400
WEEK = 7 * DAY
REACH_SECONDS = 2 * 3600
QUIET_SECONDS = 2 * REACH_SECONDS  # usual for so long, and an excess is over: so an onset has one partner at most
FEWEST_WEEKS = 3  # with fewer there are too few shifts to tell anything
FEWEST_ONSETS = 5  # of a series
FEWEST_TIMES = 3  # that two coincide
OFTENER = 1.5  # than by chance, at least
FALSE_DISCOVERIES = 0.05


class Excesses(NamedTuple):
    """Times in which a series was unusual, from the first unusual window to the last, and the people heard in such windows."""

    series: Ints
    first: Floats
    last: Floats
    people: Ints


class Edges(NamedTuple):
    """Pairs that suffer together, the least likely by chance first; arrays have one entry a pair, `one` is that which leads."""

    one: Ints
    other: Ints
    times: Ints  # that they began within reach of each other
    by_chance: Floats  # so many times are to be expected
    p_value: Floats
    lag_seconds: Floats  # median, from the onset of `one` to that of `other`; never negative


class Network(NamedTuple):
    """The edges, and by series how many excesses it had and how many of them with a series it is linked to."""

    edges: Edges
    onsets: Ints
    together: Ints


class _Met(NamedTuple):
    """Onsets that meet: the series that stands, the one that was moved, both as indices of onsets."""

    standing: Ints
    moved: Ints


def excesses(series: Ints, first: Floats, last: Floats, people: Ints) -> Excesses:
    """Unusual stretches of time as excesses: those of a series with less than QUIET_SECONDS between them are one. Sorted by series, time."""
    order = np.lexsort((first, series))
    series, first, last, people = series[order], first[order], last[order], people[order]
    if not len(series):
        return Excesses(series, first, last, people)
    begins = np.ones(len(series), bool)
    begins[1:] = (np.diff(series) != 0) | (first[1:] - last[:-1] >= QUIET_SECONDS)
    at = np.flatnonzero(begins)
    return Excesses(series[at], first[at], np.maximum.reduceat(last, at), np.add.reduceat(people, at))


def network(onset: Floats, series: Ints, n_series: int, *, end: float, weeks: int, apart: Bools) -> Network:
    """The network of the `weeks` before `end` (Unix seconds UTC, whole days).

    `onset` and `series` have one entry an excess, in any order; series are numbered from 0 to `n_series`. `apart`: bool[n, n], symmetric:
    which pairs may be linked, that is, share no people. Raises ValueError naming the argument that is wrong.
    """
    if end % DAY:
        raise ValueError(f"end: {end} is not the start of a day")
    if apart.shape != (n_series, n_series) or not np.array_equal(apart, apart.T):
        raise ValueError(f"apart: a symmetric matrix of {n_series} by {n_series} is needed")
    begin = end - weeks * WEEK
    kept = (onset >= begin) & (onset < end)
    order = np.lexsort((series[kept], onset[kept]))
    at, of = (onset[kept] - begin)[order], series[kept][order]
    onsets = np.bincount(of, minlength=n_series)
    enough = onsets >= FEWEST_ONSETS
    may = apart & enough & enough[:, None] & ~np.eye(n_series, dtype=bool)
    nothing = Network(_edges(np.zeros((0, 2), np.int64)), onsets, np.zeros(n_series, np.int64))
    if weeks < FEWEST_WEEKS or not may.any():
        return nothing
    met = _met(at, at, may[of], of)
    times = _counted(met, of, n_series)
    pairs = np.argwhere(times >= FEWEST_TIMES)  # both ways round
    if not len(pairs):
        return nothing
    p_value, by_chance = _chance(at, of, pairs, times, may, round(begin) // DAY, weeks)
    return _linked(pairs, p_value, by_chance, met, at, of, times, int(may.sum()) // 2)._replace(onsets=onsets)


def _met(at: Floats, moved: Floats, may: Bools, of: Ints, which: Ints | None = None) -> _Met:
    """Onsets `at` (sorted) that those `moved` meet; `which` are the indices of the moved, all where not given."""
    which = np.arange(len(moved)) if which is None else which
    low, high = np.searchsorted(at, moved - REACH_SECONDS, "left"), np.searchsorted(at, moved + REACH_SECONDS, "right")
    count = high - low
    standing = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    by = np.repeat(which, count)
    allowed = may[standing, of[by]]
    return _Met(standing[allowed], by[allowed])


def _counted(met: _Met, of: Ints, n: int) -> Ints:
    """int[n, n]: how often two series meet; the moved one in the column."""
    counts: Ints = np.bincount(of[met.standing] * n + of[met.moved], minlength=n * n).reshape(n, n)
    return counts


def _chance(
    at: Floats, of: Ints, pairs: Ints, times: Ints, may: Bools, first_day: int, weeks: int
) -> tuple[Floats, Floats]:
    """By pair: the share of all shifts that bring together as many or more, and how many they bring on average."""
    n, seen = len(times), times[pairs[:, 0], pairs[:, 1]]
    number = np.full(n * n, -1, np.int64)
    number[pairs[:, 0] * n + pairs[:, 1]] = np.arange(len(pairs))
    day = (at // DAY).astype(np.int64)
    weekend = (first_day + np.arange(7) + 3) % 7 >= 5  # day 0 of Unix time was a Thursday
    moves: list[Ints] = []
    for days in (np.flatnonzero(~weekend), np.flatnonzero(weekend)):  # of the week that begins on the first day
        which = np.flatnonzero(np.isin(day % 7, days))
        rank = np.searchsorted(days, day[which] % 7)
        counts = np.zeros((len(days), len(pairs) * weeks * len(days)), np.int64)
        for step in range(len(days)):
            shift = (days[(rank + step) % len(days)] - days[rank]) * DAY
            met = _met(at, at[which] + shift, may[of], of, which)
            pair, moved = number[of[met.standing] * n + of[met.moved]], day[met.moved]
            code = (pair * weeks + moved // 7) * len(days) + np.searchsorted(days, moved % 7)
            counts[step] = np.bincount(code[pair >= 0], minlength=counts.shape[1])
        moves.append(counts.reshape(len(days), len(pairs), weeks, len(days)))
    by_chance: Floats = sum((one.mean(axis=0).sum(axis=(1, 2)) for one in moves), np.zeros(len(pairs)))
    often, p_value = np.flatnonzero(seen >= OFTENER * by_chance), np.ones(len(pairs))  # no others are worth a link
    p_value[often] = _tail([_shifted(one[:, often, week]) for one in moves for week in range(weeks)], seen[often])
    return p_value, by_chance


def _shifted(moves: Ints) -> Ints:
    """int[pairs, ways]: coincidences of one week by each way its days can change places; `moves`: int[step, pairs, day], a day so many on."""
    days = np.arange(len(moves))
    steps = (np.array(list(permutations(days))) - days) % len(days)
    ways: Ints = sum((moves[steps[:, one], :, one] for one in days), np.zeros((1, 1), np.int64)).T
    return ways


def _tail(terms: list[Ints], seen: Ints) -> Floats:
    """The chance that the sum of independent terms, each with equally likely values in a row, reaches what was seen; one entry a row."""
    most = int(sum(one.max(axis=1) for one in terms).max(initial=0))
    chance = np.zeros((len(seen), most + 1))
    chance[:, 0] = 1.0
    for term in terms:
        moved = np.zeros_like(chance)
        for value in np.unique(term):
            weight = (term == value).mean(axis=1)
            moved[:, value:] += weight[:, None] * chance[:, : most + 1 - value]
        chance = moved
    tail: Floats = np.where(np.arange(most + 1) >= seen[:, None], chance, 0.0).sum(axis=1)
    return tail


def _linked(
    pairs: Ints, p_value: Floats, by_chance: Floats, met: _Met, at: Floats, of: Ints, times: Ints, tested: int
) -> Network:
    """Of the two ways round, the less favourable p-value; then those pairs that pass among all tested."""
    n = len(times)
    p, mean = np.ones((n, n)), np.zeros((n, n))
    p[pairs[:, 0], pairs[:, 1]], mean[pairs[:, 0], pairs[:, 1]] = p_value, by_chance
    p, mean = np.maximum(p, p.T), (mean + mean.T) / 2
    upper = pairs[pairs[:, 0] < pairs[:, 1]]
    found = upper[passes(p[upper[:, 0], upper[:, 1]], tested)]
    lag = _lags(found, met, at, of, n)
    leads = lag < 0
    found[leads] = found[leads][:, ::-1]
    edges = _edges(found, times, mean, p, np.abs(lag))
    linked = np.zeros((n, n), bool)
    linked[found[:, 0], found[:, 1]] = linked[found[:, 1], found[:, 0]] = True
    own = met.moved[linked[of[met.standing], of[met.moved]]]
    return Network(edges, np.zeros(0, np.int64), np.bincount(of[np.unique(own)], minlength=n))


def passes(p_value: Floats, tested: int, rate: float = FALSE_DISCOVERIES) -> Bools:
    """Which pass at this false discovery rate among so many `tested`; those that are not given are held for 1."""
    ranked = np.sort(p_value)
    good = np.flatnonzero(ranked <= rate * np.arange(1, len(ranked) + 1) / max(tested, 1))
    passed: Bools = p_value <= (ranked[good[-1]] if len(good) else -1.0)
    return passed


def _lags(found: Ints, met: _Met, at: Floats, of: Ints, n: int) -> Floats:
    """Median seconds from the onsets of a pair's first to those of its second."""
    code = of[met.standing] * n + of[met.moved]
    seconds = at[met.moved] - at[met.standing]
    order = np.lexsort((seconds, code))
    code, seconds = code[order], seconds[order]
    wanted = found[:, 0] * n + found[:, 1]
    low, high = np.searchsorted(code, wanted, "left"), np.searchsorted(code, wanted, "right")
    middle: Floats = (seconds[(low + high - 1) // 2] + seconds[(low + high) // 2]) / 2 if len(found) else np.zeros(0)
    return middle


def _edges(
    found: Ints,
    times: Ints | None = None,
    by_chance: Floats | None = None,
    p_value: Floats | None = None,
    lag: Floats | None = None,
) -> Edges:
    """In order."""
    one, other = found[:, 0], found[:, 1]
    if times is None or by_chance is None or p_value is None or lag is None:
        return Edges(one, other, one, np.zeros(0), np.zeros(0), np.zeros(0))
    count, p = times[one, other], p_value[one, other]
    order = np.lexsort((other, one, -count, p))
    one, other = one[order], other[order]
    return Edges(one, other, count[order], by_chance[one, other], p[order], lag[order])
