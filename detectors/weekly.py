"""The bank for weekly (or daily) counts over years: each series has its own yearly season and trend.

A variant, because an hour of week means nothing to a weekly count, and yearly seasons of different problems differ too
much to be pooled. The tails are those of the default bank. They are not calibrated afterwards: in years of weekly
counts the tail of history is made of true outbreaks, and correcting for them costs detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.base import Bools, Floats, Ints, Scores
from detectors.seasons import Seasons
from detectors.state import Arrays, pack, unpack
from detectors.tails import mixed, upper_quantile

LENGTHS = (1, 2)
PENALTIES = np.array([1.33, 1.23])
LEARNING_WINDOWS = 26
POOL_WEIGHT, USUAL_THETA = 8.0, 0.5  # expected counts that the pooled dispersion weighs
SURPRISING, CAP, WIDE = 0.01, 1.5, 3.5


class Weekly:
    """`season` is always the year, whatever is asked; groups, zones and parents are taken and not used."""

    KIND = "weekly/3"

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        groups: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
        parents: npt.ArrayLike | None = None,
        season: str = "yearly",
    ) -> None:
        self.window = inputs.window_of(window_seconds)
        self.model = Seasons(n_series, self.window)
        self.excess, self.weight = np.zeros(n_series), np.zeros(n_series)
        self.age = np.zeros(n_series)  # windows learnt
        self.past = np.zeros((2, len(LENGTHS) - 1, n_series))  # counts and expected of the last windows, newest first
        self.last: int | None = None

    @property
    def n_series(self) -> int:
        return len(self.age)

    # -- windows --------------------------------------------------------------------------------------------------

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        at = self._at(start)
        given = inputs.counts_of(counts, self.n_series)
        return at._judge(int(start), given, inputs.exposure_of(exposure, self.n_series))[0]

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        given, held = inputs.counts_of(counts, self.n_series), inputs.hold_of(hold, self.n_series)
        share = inputs.exposure_of(exposure, self.n_series)
        at = self._at(start)
        if at is not self:
            self.__dict__.update(at.__dict__)
        self._take_in(int(start), given, held, share)

    def _at(self, start: float) -> Weekly:
        """The bank as it stands right before a window: itself, or a copy that has seen the empty ones between."""
        begin = inputs.start_of(start, self.last, self.window)
        if self.last is None or begin < self.last + 2 * self.window:
            return self
        other = object.__new__(Weekly)
        other.__dict__.update(self.__dict__)
        other.model = self.model.copy()
        for name in ("excess", "weight", "age", "past"):
            setattr(other, name, getattr(self, name).copy())
        nothing = np.zeros(self.n_series, np.int64)
        for at in range(self.last + self.window, begin - self.window + 1, self.window):
            other._take_in(at, nothing, None, None)
        return other

    def _judge(self, start: int, counts: Ints, exposure: Floats | None) -> tuple[Scores, Floats, Floats]:
        """Scores, theta and the relative variance of what is expected."""
        rate, spread = self.model.forecast(start)
        expected = rate if exposure is None else rate * exposure
        theta, sd = self._theta()
        total, mean, raw = np.zeros(self.n_series), np.zeros(self.n_series), np.ones(self.n_series)
        for k, penalty in zip(LENGTHS, PENALTIES, strict=True):
            total = total + (counts if k == 1 else self.past[0, k - 2])
            mean = mean + (expected if k == 1 else self.past[1, k - 2])
            tail = mixed(total, np.maximum(mean, 1e-9), theta, sd, spread)
            raw = np.minimum(raw, tail * penalty)
        p = np.minimum(raw, 1.0)
        p[self.age < LEARNING_WINDOWS] = 1.0
        if exposure is not None:
            p[exposure == 0] = 1.0
        variance = expected * (1 + theta + expected * spread) + 1e-12
        return Scores(p, expected, upper_quantile(expected, variance)), theta, spread

    def _theta(self) -> tuple[Floats, Floats]:
        """Over-dispersion by empirical Bayes: a series' own, shrunk to that of all, and its standard deviation."""
        pooled = (self.excess.clip(None, 3 * self.weight).sum() + POOL_WEIGHT * USUAL_THETA) / (
            self.weight.sum() + POOL_WEIGHT
        )
        pooled = max(float(pooled), 0.05)
        theta = np.maximum((self.excess + POOL_WEIGHT * pooled) / (self.weight + POOL_WEIGHT), 0.02)
        worth = np.minimum(self.weight, 0.5 * self.age) + POOL_WEIGHT
        return theta, np.sqrt((theta * (2 + theta * (8 + 6 * theta)) + 2 * (1 + theta) ** 2) / worth) * 0.5

    def _take_in(self, start: int, counts: Ints, held: Bools | None, exposure: Floats | None) -> None:
        scores, theta, spread = self._judge(start, counts, exposure)
        seen = np.ones(self.n_series, np.bool_) if held is None else ~held
        share = np.ones(self.n_series) if exposure is None else exposure
        seen &= share > 0
        mean = np.maximum(scores.expected, 1e-9)
        sd = np.sqrt(mean * (1 + theta + mean * spread))
        fed = np.minimum(counts, np.where(scores.p_value < SURPRISING, mean + CAP * sd, mean + 3 * sd + 1))
        grown = self.age >= LEARNING_WINDOWS
        fed = np.where(grown, fed, counts)
        use = seen & grown
        wide = np.minimum(counts, mean + WIDE * sd + 1)
        self.excess[use] += ((wide - mean) ** 2 - mean * (1 + mean * spread))[use]
        self.weight[use] += mean[use]
        self.model.learn(start, fed, share, 1 + theta, seen)
        known = np.where(seen, [counts, scores.expected], 0.0)
        self.past = np.concatenate([known[:, None], self.past[:, :-1]], axis=1)
        self.age[seen] += 1
        self.last = start

    # -- series come and go, state --------------------------------------------------------------------------------

    def skip(self, start: float, stop: float) -> None:
        nothing = np.zeros(self.n_series)
        for at in range(int(start), int(stop), self.window):
            self.learn(at, nothing.astype(np.int64), exposure=nothing)

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        new = n_series - self.n_series
        if new < 0:
            raise ValueError(f"n_series: {n_series} is fewer than the {self.n_series} there are")
        self.model.grow(n_series)
        self.excess, self.weight, self.age = (np.pad(a, (0, new)) for a in (self.excess, self.weight, self.age))
        self.past = np.pad(self.past, ((0, 0), (0, 0), (0, new)))

    def keep(self, index: npt.ArrayLike) -> None:
        kept = inputs.index_of(index, self.n_series)
        self.model.keep(kept)
        self.excess, self.weight, self.age = (a[kept] for a in (self.excess, self.weight, self.age))
        self.past = self.past[:, :, kept]

    def snapshot(self) -> bytes:
        arrays: Arrays = {name: getattr(self, name) for name in ("excess", "weight", "age", "past")}
        arrays |= {f"model.{k}": a for k, a in self.model.state().items()}
        return pack(self.KIND, {"window_seconds": self.window, "last": self.last}, arrays)

    def restore(self, state: bytes) -> None:
        meta: dict[str, Any]
        meta, arrays = unpack(self.KIND, state)
        if meta["window_seconds"] != self.window:
            raise ValueError(f"state: window_seconds is {meta['window_seconds']}, this bank's is {self.window}")
        self.last = meta["last"]
        for name in ("excess", "weight", "age", "past"):
            setattr(self, name, arrays[name])
        self.model.restore({name.removeprefix("model."): a for name, a in arrays.items() if name.startswith("model.")})
