"""The improved Farrington method (Noufaily et al. 2013, Stat Med 32:1206; Farrington et al. 1996, JRSS A 159:547) for all series at once.

A quasi-Poisson regression on the same weeks of five years, with ten periods of the year and a trend; past outbreaks
are weighted down by their Anscombe residuals; the tail is negative binomial with plugged-in figures. The figures are
those of `farringtonFlexible` in R's `surveillance` (thresholdMethod="nbPlugin"), whose arithmetic is followed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special

from detectors.base import Bools, Floats, Ints, Scores
from detectors.peers.columns import Columns, slide
from detectors.state import Arrays
from detectors.tails import negative_binomial, upper_quantile

WEEK_SECONDS, DAY_SECONDS = 604_800, 86_400
CYCLES_FOR_A_TREND = 3
MOST_STEPS, CLOSE_ENOUGH, STEEPEST = 40, 1e-10, 30.0
LEAST_CASES = 0.5  # thought to be in the windows of a period that has had none


class Fit(NamedTuple):
    """A weighted quasi-Poisson regression of m series. Times are scaled to -1 (the oldest) to 0 (now)."""

    slope: Floats  # [m]
    levels: Floats  # [periods, m], at time 0
    mu: Floats  # [times, m]
    hat: Floats  # [times, m], leverage
    information: Floats  # [m], of the slope
    phi: Floats  # [m], dispersion, at least 1
    freedom: Floats  # [m], degrees of it


class Farrington(Columns):
    """`years` of history in cycles of `cycle_windows`, `half_width` windows around the same time of the cycle, the rest in
    `periods` - 1 parts, the last `gap` windows left out, past windows with residuals above `reweight_above` weighted down.

    `cycle_windows` is 52 for windows of a week, the windows of 365 days for those of a day or more, and of a week for
    shorter ones (the same hour of earlier weeks); ValueError where a cycle is too short for the periods. Until `years`
    cycles were seen those that were are used, without a trend before three; p is 1 until a whole one was.
    `trend_p`: a trend that is less significant is left out (1: the improved method keeps all that do not extrapolate
    above what was seen; R's default is 0.05). 1,052 bytes a series.
    """

    KIND, FILL = "farrington/1", {"past": np.nan}

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        cycle_windows: int | None = None,
        years: int = 5,
        half_width: int = 3,
        periods: int = 10,
        gap: int = 26,
        reweight_above: float = 2.58,
        trend_p: float = 1.0,
        **ignored: Any,
    ) -> None:
        self.cycle = _cycle(window_seconds) if cycle_windows is None else cycle_windows
        if self.cycle - 2 * half_width - 1 < periods - 1 or years < 1:
            raise ValueError(
                f"window_seconds: a cycle of {self.cycle} windows cannot be cut into {periods} periods, "
                f"one of them {2 * half_width + 1} windows; give cycle_windows or fewer periods"
            )
        rows = years * self.cycle + half_width
        super().__init__(n_series, window_seconds, {"past": np.full((rows, n_series), np.nan, np.float32)}, rows)
        of = period_of(self.cycle, years, half_width, periods)
        self.used = np.flatnonzero(np.arange(rows, 0, -1) > gap)  # oldest first, as the rows
        self.times = -np.arange(rows, 0, -1)[self.used] / rows
        self.of = of[self.used]
        self.member = (self.of == np.arange(periods)[:, None]).astype(np.float64)
        self.around, self.reweight_above, self.trend_p = 2 * half_width + 1, reweight_above, trend_p

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        slide(arrays["past"], row, seen)

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        past = arrays["past"]
        ready = np.isfinite(past[self.used][self.of == self.of.max()]).sum(0) >= self.around
        index = np.flatnonzero(ready)
        expected, variance, p = np.zeros(self.n_series), np.ones(self.n_series), np.ones(self.n_series)
        if len(index):
            mean, phi, _ = self.forecast(past[:, index].astype(np.float64))
            expected[index] = mean * share[index]
            variance[index] = np.maximum(phi * expected[index], 1e-12)
            p[index] = negative_binomial(counts[index], np.maximum(expected[index], 1e-12), variance[index])
        return Scores(p, expected, upper_quantile(np.maximum(expected, 1e-12), variance))

    def forecast(self, past: Floats) -> tuple[Floats, Floats, Bools]:
        """Mean and dispersion of the window after `past` (float64[rows, m], oldest first), and whether it has a trend."""
        y = past[self.used]
        known = np.isfinite(y)
        y = np.where(known, y, 0.0)
        trend = np.isfinite(past).sum(0) >= CYCLES_FOR_A_TREND * self.cycle
        fit = self._fit(y, known, trend)
        left_out = np.flatnonzero(trend & ~self._trend_stands(y, known, fit))
        level, phi = fit.levels[-1].copy(), fit.phi.copy()
        if len(left_out):
            trend[left_out] = False
            again = self._fit(y[:, left_out], known[:, left_out], trend[left_out])
            level[left_out], phi[left_out] = again.levels[-1], again.phi
        around = self.member[-1] @ known
        return np.maximum(level, LEAST_CASES / np.maximum(around, 1.0)), phi, trend

    def _trend_stands(self, y: Floats, known: Bools, fit: Fit) -> Bools:
        """It is significant, and expects no more than was ever seen."""
        below = fit.levels[-1] <= y.max(0)
        if self.trend_p >= 1:
            return np.asarray(below, np.bool_)
        # R's test takes its dispersion from relative residuals under the weights of the reweighting; so does this.
        relative = np.where(fit.mu > 0, (y - fit.mu) / np.maximum(fit.mu, 1e-300), -1.0)
        weights = self._weights(y, known, self._fit_once(y, known.astype(np.float64), np.ones(y.shape[1], np.bool_)))
        dispersion = (weights * relative**2).sum(0) / fit.freedom
        t = np.abs(fit.slope) / np.sqrt(dispersion / np.maximum(fit.information, 1e-300))
        return np.asarray(below & (2 * special.stdtr(fit.freedom, -t) < self.trend_p), np.bool_)

    def _fit(self, y: Floats, known: Bools, trend: Bools) -> Fit:
        first = self._fit_once(y, known.astype(np.float64), trend)
        return self._fit_once(y, self._weights(y, known, first), trend)

    def _weights(self, y: Floats, known: Bools, fit: Fit) -> Floats:
        """Windows far above what was expected of them count less, by the square of their Anscombe residual."""
        mu = np.maximum(fit.mu, 1e-300)
        residual = 1.5 * (y ** (2 / 3) * mu ** (-1 / 6) - np.sqrt(mu))
        residual /= np.sqrt(fit.phi * np.maximum(1 - fit.hat, 1e-9))
        weights = np.where(residual > self.reweight_above, np.maximum(residual, 1.0) ** -2.0, 1.0) * known
        return np.asarray(weights * (known.sum(0) / np.maximum(weights.sum(0), 1e-300)), np.float64)

    def _fit_once(self, y: Floats, weights: Floats, trend: Bools) -> Fit:
        """Newton's method on the slope alone: given it, the level of each period has a closed form."""
        member, u = self.member, self.times[:, None]
        cases = member @ (weights * y)
        moment = (weights * y * u).sum(0)
        slope = np.zeros(y.shape[1])
        for _ in range(MOST_STEPS):
            shape = weights * np.exp(slope * u)
            mass = np.maximum(member @ shape, 1e-300)
            center = (member @ (shape * u)) / mass
            spread = np.maximum((member @ (shape * u * u)) / mass - center * center, 0.0)
            information = (cases * spread).sum(0)
            step = (moment - (cases * center).sum(0)) / np.maximum(information, 1e-12)
            step = np.where(trend & (information > 1e-12), np.clip(step, -3.0, 3.0), 0.0)
            if np.abs(step).max() < CLOSE_ENOUGH:
                break
            slope = np.clip(slope + step, -STEEPEST, STEEPEST)
        levels = cases / mass
        mu = levels[self.of] * np.exp(slope * u)
        hat = shape / mass[self.of]
        hat += trend * weights * mu * (u - center[self.of]) ** 2 / np.maximum(information, 1e-12)
        freedom = np.maximum((weights > 0).sum(0) - (member @ (weights > 0) > 0).sum(0) - trend, 1.0)
        chi = (weights * (y - mu) ** 2 / np.maximum(mu, 1e-300)).sum(0)
        return Fit(slope, levels, mu, hat, information, np.maximum(chi / freedom, 1.0), freedom)


def period_of(cycle: int, years: int, half_width: int, periods: int) -> Ints:
    """Period of each of the last years * cycle + half_width windows, oldest first; the last one is that of now.

    The windows between two references are cut into periods - 1 parts, the longer ones first.
    """
    between = cycle - 2 * half_width - 1
    lengths = np.full(periods - 1, between // (periods - 1))
    lengths[: between % (periods - 1)] += 1
    year = np.concatenate([np.full(2 * half_width + 1, periods - 1), np.repeat(np.arange(periods - 1), lengths)])
    return np.concatenate([np.tile(year, years), np.full(half_width, periods - 1)])[: years * cycle + half_width]


def _cycle(window_seconds: float) -> int:
    if window_seconds == WEEK_SECONDS:
        return 52
    return round((365 * DAY_SECONDS if window_seconds >= DAY_SECONDS else WEEK_SECONDS) / window_seconds)
