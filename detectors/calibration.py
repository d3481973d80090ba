"""Makes p-values honest: how often each rate stratum in fact falls under 1 %, 0.1 %, … corrects what is reported."""

from __future__ import annotations

import numpy as np

from detectors.base import Floats, Indices
from detectors.state import Arrays
from detectors.strata import STRATA

KNOTS = np.array([-1.5, -2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0])  # log10 of the raw p-value
PRIOR_EVENTS = 20.0  # weight, in expected exceedances, of "right as it is"
ODD = 1e-7  # below this it is no chance and says nothing about chance
STEEPEST = 0.35  # most the correction may grow per decade beyond the last knot, in decades
LOOSEST, TIGHTEST = -0.6, 2.0  # bounds of the correction, in decades


class Calibration:
    """Tests and exceedances by stratum, scaled by the bank's forgetting."""

    def __init__(self) -> None:
        self.tests = np.zeros(STRATA)
        self.under = np.zeros((STRATA, len(KNOTS)))
        self.shift = np.zeros((STRATA, len(KNOTS)))  # decades to add at each knot
        self.steep = np.zeros(STRATA)

    def copy(self) -> Calibration:
        other = object.__new__(Calibration)
        other.__dict__.update(self.__dict__)
        other.tests, other.under = self.tests.copy(), self.under.copy()
        return other

    def learn(self, p: Floats, strata: Indices, weight: float) -> None:
        """Raw p-values of one window that could matter, with the stratum of each."""
        chance = p > ODD
        deep = np.searchsorted(-KNOTS, -np.log10(p[chance]))  # knots reached
        hit = np.bincount(strata[chance] * (len(KNOTS) + 1) + deep, minlength=STRATA * (len(KNOTS) + 1))
        # under[knot] counts p <= knot: everything that reached at least knot + 1 of them
        reached = hit.reshape(STRATA, -1)[:, ::-1].cumsum(1)[:, ::-1][:, 1:]
        self.under += reached * weight

    def pass_time(self, tests: Floats) -> None:
        """Tests made by stratum, scaled: float64[STRATA]."""
        self.tests += tests

    def refresh(self, scale: float) -> None:
        """Work out the correction anew, smoothed towards none where little was seen."""
        expected = self.tests[:, None] / scale * 10.0**KNOTS
        ratio = (self.under / scale + PRIOR_EVENTS) / (expected + PRIOR_EVENTS)
        self.shift = np.clip(np.log10(ratio), LOOSEST, TIGHTEST)
        slope = (self.shift[:, -1] - self.shift[:, -4]) / (KNOTS[-4] - KNOTS[-1])
        self.steep = np.clip(slope, 0.0, STEEPEST)

    def __call__(self, p: Floats, strata: Indices) -> Floats:
        """Calibrated p-values of raw ones, float64[m], in [0, 1] and in the same order within a stratum."""
        depth = -np.log10(np.maximum(p, 1e-300))
        place = np.clip((depth + KNOTS[0]) / 0.5, -1.0, len(KNOTS) - 1.0)
        i = np.minimum(np.maximum(place, 0.0).astype(np.int64), len(KNOTS) - 2)
        f = np.maximum(place, 0.0) - i
        shift = (1 - f) * self.shift[strata, i] + f * self.shift[strata, i + 1]
        shift *= np.where(shift < 0, np.minimum(1.0, 1.0 + place), 1.0)  # what loosens fades to nothing at p = 0.1
        shift += self.steep[strata] * np.maximum(0.0, depth + KNOTS[-1])
        return np.asarray(np.minimum(1.0, np.maximum(p, 1e-300) * 10.0**shift), np.float64)

    def rescale(self, factor: float) -> None:
        self.tests *= factor
        self.under *= factor

    def state(self) -> Arrays:
        return {"tests": self.tests, "under": self.under, "shift": self.shift, "steep": self.steep}

    def load(self, arrays: Arrays) -> None:
        self.tests, self.under = arrays["tests"], arrays["under"]
        self.shift, self.steep = arrays["shift"], arrays["steep"]
