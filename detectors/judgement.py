"""The default bank's judgement on one window: the tails of all its sums, the smallest taken, weighed and calibrated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Indices, Ints, Scores
from detectors.core import Core
from detectors.tails import mixed, negative_binomial, upper_quantile

LEAST_DOUBT = 0.03**2  # relative variance of the expected count that no history removes
PLAIN = 0.02  # above this the tail with the mean theta is good enough
CORRELATED = 0.5  # the sums overlap: fewer independent tests than sums
UNREMARKABLE = 0.5
HIGH = 1.9  # standard deviations above which a count can matter
CAREFUL = 1 - 1e-5  # more than single precision loses
RAISED = 1.2  # the same of chance alone, from which the lasting sums of a series are looked at

Coarse = npt.NDArray[np.float32]


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
    expected = now.take(level.groups)
    expected *= rate
    if exposure is not None:
        expected *= exposure
    doubt = core.doubts(start) + LEAST_DOUBT
    upper = _upper(core, expected, scale, doubt)
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


def _upper(core: Core, expected: Floats, scale: float, doubt: Floats) -> Floats:
    """The chart's band, of every series, in single precision.

    The count's variance: expected (1 + theta) + expected^2 x the relative variances of level and profile.
    """
    mean = expected.astype(np.float32)
    spread = (1 + core.short.theta).astype(np.float32).take(core.stratum)
    relative: Coarse = np.divide(spread, core.level.shape(scale).astype(np.float32, copy=False))
    relative += doubt.astype(np.float32).take(core.level.groups)
    relative *= mean
    relative += spread
    relative *= mean
    relative += np.float32(1e-12)
    return upper_quantile(mean, relative)


def _candidates(core: Core, counts: Ints, exposure: Floats | None, rate: Floats, masses: Floats) -> Candidates:
    """Recent sums that are high, and lasting ones of series whose longest recent sum is high too.

    Otherwise a rise that is over would go on being news for a day. `masses`: as of `_masses`.
    """
    now = masses[:, -1]
    small, coarse = counts.astype(np.int32), rate.astype(np.float32)
    root = np.sqrt(coarse)
    moved: Ints | None = None
    found: list[Candidates] = []
    for sums, gap in ((core.recent, core.recent_gap), (core.lasting, core.lasting_gap)):
        for row in range(len(sums.lengths)):
            if moved is None:
                missing = None if gap is None else gap.totals[row]
                least = _least(masses, len(found), missing, exposure)
                bar = RAISED if row == len(sums.lengths) - 1 else HIGH
                index = _perhaps_over(bar, sums.totals[row] + small, coarse, root, least)
            else:
                index = moved
            seen = (sums.totals[row, index] + small[index]).astype(np.float64)
            groups = core.level.groups[index]
            windows = masses[:, len(found)].take(groups)
            if gap is not None:
                windows = windows + gap.totals[row, index]
            if exposure is not None:
                windows = windows + (exposure[index] - 1) * now.take(groups)
            mean = rate[index] * np.maximum(windows, 1e-6)
            above, spread = seen - 0.5 - mean, np.sqrt(mean)
            high = np.flatnonzero(above > HIGH * spread)  # no count varies less than by chance alone
            found.append(Candidates(index[high], np.full(len(high), len(found)), seen[high], mean[high]))
        moved = index[above > RAISED * spread] if moved is None else moved
    return Candidates(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _least(masses: Floats, column: int, gap: Coarse | None, exposure: Floats | None) -> float:
    """No series' sum covers fewer windows of mean density."""
    least = float(masses[:, column].min(initial=np.inf))
    if gap is not None:
        least += float(gap.min(initial=0.0))
    if exposure is not None:
        least += min(0.0, float(exposure.min(initial=1.0)) - 1) * float(masses[:, -1].max(initial=0.0))
    return max(least, 1e-6) if np.isfinite(least) else 1e-6


def _perhaps_over(bar: float, total: Indices, rate: Coarse, root: Coarse, least: float) -> Ints:
    """Series that may be over this bar: a quick look at all of them, so that few need be looked at well. `root`: of the rate."""
    over = rate * np.float32(least * CAREFUL)
    over += root * np.float32(bar * np.sqrt(least) * CAREFUL)
    over += np.float32(0.5 * CAREFUL)
    return np.flatnonzero(total.astype(np.float32) > over)


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
    relative = (1 + theta) / core.level.shape(scale, found.series) + doubt.take(core.level.groups[found.series])
    variance = found.mean * (1 + theta + found.mean * relative)
    p = np.ones(len(own))
    high = np.flatnonzero(found.total - 0.5 > found.mean + HIGH * np.sqrt(variance))
    p[high] = negative_binomial(found.total[high], found.mean[high], variance[high])
    deep = high[p[high] < PLAIN]
    sd = theta[deep] * np.hypot(((1 - reach) * short_sd / short)[deep], (reach * long_sd / long)[deep])
    p[deep] = mixed(found.total[deep], found.mean[deep], theta[deep], sd, relative[deep])
    return np.minimum(1.0, p * penalties(lengths, core.window)[found.row])
