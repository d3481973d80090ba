"""A negative binomial likelihood-ratio CUSUM (Höhle and Paul 2008, Comput Stat Data Anal 52:4357; Watkins et al. 2008, BMC Med Inform 8:37)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.base import Bools, Floats, Scores
from detectors.peers.columns import Columns, empty
from detectors.state import Arrays
from detectors.tails import upper_quantile

DAY_SECONDS = 86_400
LEAST_WINDOWS = 14
FORGOTTEN_HALF_LIVES = 64
LEAST_MEAN_CASES = 0.5  # thought to be in what was seen of a series that had none


class Cusum(Columns):
    """Adds up, from zero, the log likelihood ratio of a mean `times` as high against the usual one.

    The usual mean and dispersion are those of the past with a half-life of `half_life_days` (at least 26 windows), with
    no rhythm; the window and what the chart holds are judged together. p = exp(-sum): by Wald's inequality the chance that
    one run of the chart, begun at zero, ever comes this high; a bound, not calibrated. A chart that has passed
    `restart_above` begins again at zero, as one does after an alarm, and so does that of a series in an open incident.
    40 bytes a series.
    """

    KIND = "cusum/1"
    FILL: Mapping[str, float] = {"known": 0, "weight": 0, "total": 0, "squares": 0, "chart": 0}

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        times: float = 2.0,
        half_life_days: float = 28.0,
        restart_above: float = 16.0,
        **ignored: Any,
    ) -> None:
        if not times > 1:
            raise ValueError(f"times: {times} is no rise")
        half_life = max(26.0, half_life_days * DAY_SECONDS / window_seconds)
        self.times, self.restart_above, self.fade = times, restart_above, 0.5 ** (1 / half_life)
        forgets = int(FORGOTTEN_HALF_LIVES * half_life)
        super().__init__(n_series, window_seconds, empty(self.FILL, n_series), forgets)

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        chart, _, _ = self._step(arrays, row, np.ones(self.n_series))
        chart[chart > self.restart_above] = 0.0
        if not isinstance(seen, slice):
            chart[~seen] = 0.0
        arrays["chart"][:] = chart
        arrays["known"][seen] += 1
        for name, more in (("weight", np.ones(self.n_series)), ("total", row), ("squares", row * row)):
            arrays[name][seen] = arrays[name][seen] * self.fade + more[seen]

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        chart, mean, phi = self._step(arrays, counts, share)
        expected = mean * share
        return Scores(
            np.exp(-np.minimum(chart, 690.0)), expected, upper_quantile(expected + 1e-12, phi * expected + 1e-12)
        )

    def _step(self, arrays: Arrays, counts: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
        """The chart after a window, the usual mean at exposure 1, and variance / mean."""
        weight = np.maximum(arrays["weight"], 1.0)
        mean = np.maximum(arrays["total"], LEAST_MEAN_CASES) / weight
        phi = np.maximum((arrays["squares"] / weight - (arrays["total"] / weight) ** 2) / mean, 1.0)
        ratio = _log_ratio(counts, mean * np.maximum(share, 1e-12), phi, self.times)
        chart = np.where(arrays["known"] >= LEAST_WINDOWS, np.maximum(0.0, arrays["chart"] + ratio), 0.0)
        return chart, np.where(arrays["known"] > 0, mean, 0.0), phi


def _log_ratio(counts: Floats, mean: Floats, phi: Floats, times: float) -> Floats:
    """Log likelihood of a mean `times` as high against `mean`, the size parameter of the negative binomial being the same."""
    poisson = counts * np.log(times) - (times - 1) * mean
    size = mean / np.maximum(phi - 1, 1e-9)
    binomial = counts * np.log(times) - (counts + size) * np.log((size + times * mean) / (size + mean))
    return np.asarray(np.where(phi > 1 + 1e-6, binomial, poisson), np.float64)
