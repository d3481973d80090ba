"""The bank for mentions of a few brands: the default bank, its p-values held against each series' own record.

A variant, because mentions come in cascades: their tails are far heavier than negative binomial, and differ from brand
to brand, so "the largest in weeks for this series" says more than any fitted tail. It costs 256 bytes a series.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.bank import Bank
from detectors.base import Floats, Ints, Scores
from detectors.state import pack, unpack

BINS, STEP = 64, 0.09  # of ln(1 + depth), depth = -log10 p: from p = 0.8 to 1e-300
RECORD_DAYS = 28.0  # half-life of the record
BEYOND = 2.0  # beyond the record p falls with this power of the depth
LEARNING_WEIGHT_HOURS = 24.0


class Tweets:
    """Takes the options of the default bank."""

    KIND = "tweets/1"

    def __init__(self, *, n_series: int, window_seconds: float, **options: Any) -> None:
        self.bank = Bank(n_series=n_series, window_seconds=window_seconds, **options)
        self.record = np.zeros((n_series, BINS), np.float32)  # windows with mentions by depth, discounted
        self.windows = np.zeros(n_series)  # all of them

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        scores = self.bank.score(start, counts, exposure)
        depth = _depth(scores.p_value)
        return scores._replace(p_value=np.maximum(scores.p_value, self._own(depth)) ** (depth > 0))

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        n, bank = self.bank.n_series, self.bank
        held, share = inputs.hold_of(hold, n), inputs.exposure_of(exposure, n)
        depth = _depth(bank.score(start, counts, exposure).p_value)
        passed = 1.0 if bank.core.last is None else (int(start) - bank.core.last) / bank.window
        learning = bank.core.age(int(start)) < bank.learning_seconds
        bank.learn(start, counts, hold, exposure)
        one = 0.5 ** (bank.window / (RECORD_DAYS * 86_400))
        fade = one**passed
        self.record *= np.float32(fade)
        self.windows = self.windows * fade + ((1 - fade) / (1 - one) - 1)  # the windows left out, too
        seen = np.full(n, not learning) if held is None else ~held & (not learning)
        seen = seen if share is None else seen & (share > 0)
        index = np.flatnonzero(seen & (depth > 0) & (np.asarray(counts) > 0))
        self.record[index, _bin(depth[index])] += 1
        self.windows[seen] += 1

    def _own(self, depth: Floats) -> Floats:
        """How often, by its own record, a series stands this deep or deeper; float64[n]."""
        rows = np.arange(len(depth))
        at = np.log1p(depth) / STEP
        low = np.minimum(at.astype(np.int64), BINS - 1)
        above = np.cumsum(self.record[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
        deeper = np.hstack([above[:, 1:], np.zeros((len(depth), 1))])[rows, low]
        share = deeper + (above[rows, low] - deeper) * np.clip(low + 1 - at, 0.0, 1.0)
        deepest = np.expm1(STEP * (BINS - np.argmax(self.record[:, ::-1] > 0.5, axis=1)))
        tail = 0.5 * (np.minimum(deepest, np.maximum(depth, 1e-9)) / np.maximum(depth, 1e-9)) ** BEYOND
        known = np.any(self.record > 0.5, axis=1)
        day = LEARNING_WEIGHT_HOURS * 3600 / self.bank.window
        own = (share + np.where(known, tail, 0.0)) / (self.windows + day)
        return np.where(known, np.minimum(own, 1.0), 0.0)

    def skip(self, start: float, stop: float) -> None:
        self.bank.skip(start, stop)

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        new = n_series - self.bank.n_series
        self.bank.grow(n_series, groups, parents, zones)
        self.record = np.pad(self.record, ((0, new), (0, 0)))
        self.windows = np.pad(self.windows, (0, new))

    def keep(self, index: npt.ArrayLike) -> None:
        kept = inputs.index_of(index, self.bank.n_series)
        self.bank.keep(kept)
        self.record, self.windows = self.record[kept], self.windows[kept]

    def snapshot(self) -> bytes:
        bank = np.frombuffer(self.bank.snapshot(), np.uint8)
        return pack(self.KIND, {}, {"bank": bank, "record": self.record, "windows": self.windows})

    def restore(self, state: bytes) -> None:
        _, arrays = unpack(self.KIND, state)
        self.bank.restore(arrays["bank"].tobytes())
        self.record, self.windows = arrays["record"], arrays["windows"]


def _depth(p: Floats) -> Floats:
    return np.where(p < 1, -np.log10(np.maximum(p, 1e-300)), 0.0)


def _bin(depth: Floats) -> Ints:
    return np.minimum((np.log1p(depth) / STEP).astype(np.int64), BINS - 1)
