"""The default bank's judgement on one window: the tails of all its sums, the smallest taken, weighed and calibrated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.base import Floats, Indices, Ints, Scores
from detectors.core import Core
from detectors.tails import mixed, negative_binomial, upper_quantile

LEAST_DOUBT = 0.03**2  # relative variance of the expected count that no history removes
PLAIN = 0.02  # above this the tail with the mean theta is good enough
CORRELATED = 0.5  # the sums overlap: fewer independent tests than sums
UNREMARKABLE = 0.5
HIGH = 1.9  # standard deviations above which a count can matter


class Judgement(NamedTuple):
    """Scores and what learning needs of them. `rate`: expected in a window of mean density; `now`: such windows
    this one is worth, per group; `moved`: series with a raw p-value."""

    scores: Scores
    rate: Floats
    now: Floats
    moved: Ints
    raw: Floats
    strata: Indices


class Candidates(NamedTuple):
    """Sums well above what is expected; one entry a (series, length)."""

    series: Ints
    row: Ints
    total: Floats
    mean: Floats


def penalties(lengths: tuple[int, ...], window_seconds: int) -> Floats:
    """What each sum's p-value is multiplied by: most of the chance is spent on sums of one to six hours."""
    hours = np.array(lengths) * window_seconds / 3600
    weight = np.where((hours >= 0.9) & (hours <= 7), 2.0, np.where(hours <= 0.9, 1.0, 0.7))
    out: Floats = CORRELATED * weight.sum() / weight
    return out


def judge(core: Core, start: int, counts: Ints, exposure: Floats | None, *, learning: bool) -> Judgement:
    """`core` stands right before the window; nothing of it is changed. `learning`: all p-values are 1."""
    level, n = core.level, len(counts)
    scale = core.scale(start)
    rate = level.rate(scale)
    masses = _masses(core, start)
    now = masses[:, -1]
    expected = rate * now[level.groups]
    if exposure is not None:
        expected *= exposure
    doubt = core.doubts(start) + LEAST_DOUBT
    upper = upper_quantile(expected, _variance(core, expected, scale, doubt))
    p = np.ones(n)
    if learning:
        return Judgement(
            Scores(p, expected, upper), rate, now, np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
        )
    found = _candidates(core, counts, exposure, rate, masses)
    raw = _tails(core, found, rate, (scale, core.slow_scale(start)), doubt)
    np.minimum.at(p, found.series, raw)
    moved = np.flatnonzero(p < UNREMARKABLE)
    strata = core.stratum[moved]
    raw = p[moved]
    p[moved] = core.calibration(raw, strata)
    if exposure is not None:
        p[exposure == 0] = 1.0
    return Judgement(Scores(p, expected, upper), rate, now, moved, raw, strata)


def _variance(core: Core, expected: Floats, scale: float, doubt: Floats) -> Floats:
    """Of the window's count, by series: expected (1 + theta) + expected^2 x the relative variances of level and profile."""
    spread = 1 + core.short.theta[core.stratum]
    relative = spread / core.level.shape(scale)
    relative += doubt[core.level.groups]
    relative *= expected * expected
    variance: Floats = np.multiply(expected, spread, out=spread)
    variance += relative
    variance += 1e-12
    return variance


def _candidates(core: Core, counts: Ints, exposure: Floats | None, rate: Floats, masses: Floats) -> Candidates:
    """Recent sums that are high, and lasting ones of series whose longest recent sum is high too.

    Otherwise a rise that is over would go on being news for a day. `masses`: as of `_masses`.
    """
    small = counts.astype(np.int32)
    moved: Ints | None = None
    found: list[Candidates] = []
    for sums, gap in ((core.recent, core.recent_gap), (core.lasting, core.lasting_gap)):
        for row in range(len(sums.lengths)):
            total = sums.totals[row] + small
            index = np.flatnonzero(total > 0) if moved is None else moved[total[moved] > 0]
            groups = core.level.groups[index]
            windows = masses[groups, len(found)]
            if gap is not None:
                windows = windows + gap.totals[row, index]
            if exposure is not None:
                windows = windows + (exposure[index] - 1) * masses[groups, -1]
            mean = rate[index] * np.maximum(windows, 1e-6)
            seen = total[index].astype(np.float64)
            high = np.flatnonzero(seen - 0.5 > mean + 1.2 * np.sqrt(mean))
            found.append(Candidates(index[high], np.full(len(high), len(found)), seen[high], mean[high]))
        moved = found[-1].series
    return Candidates(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _masses(core: Core, start: int) -> Floats:
    """Windows of mean density each sum covers, and at last the window itself: float64[groups, lengths + 1].

    None before the bank's first window: nothing is known of that time.
    """
    number = start // core.window
    first = np.concatenate([core.recent.first(number), core.lasting.first(number), [number]])
    starts = np.maximum(start - (number - first) * core.window, start if core.born is None else core.born)
    return core.masses(starts, np.full(len(starts), start + core.window))


def _tails(core: Core, found: Candidates, rate: Floats, scales: tuple[float, float], doubt: Floats) -> Floats:
    """Weighed p-value of each candidate, float64[m]. `scales`: of levels, of dispersion."""
    scale, slow = scales
    if not len(found.series):
        return np.zeros(0)
    own = rate[found.series]
    short, short_sd = core.dispersion(core.short, found.series, own, slow)
    long, long_sd = core.dispersion(core.long, found.series, own, slow)
    lengths = core.recent.lengths + core.lasting.lengths
    reach = (np.log(lengths) / max(np.log(core.long_windows), 1e-9)).clip(0, 1)[found.row]
    theta = np.exp((1 - reach) * np.log(short) + reach * np.log(long))
    relative = (1 + theta) / core.level.shape(scale, found.series) + doubt[core.level.groups[found.series]]
    variance = found.mean * (1 + theta + found.mean * relative)
    p = np.ones(len(own))
    high = np.flatnonzero(found.total - 0.5 > found.mean + HIGH * np.sqrt(variance))
    p[high] = negative_binomial(found.total[high], found.mean[high], variance[high])
    deep = high[p[high] < PLAIN]
    sd = theta[deep] * np.hypot(((1 - reach) * short_sd / short)[deep], (reach * long_sd / long)[deep])
    p[deep] = mixed(found.total[deep], found.mean[deep], theta[deep], sd, relative[deep])
    return np.minimum(1.0, p * penalties(lengths, core.window)[found.row])
