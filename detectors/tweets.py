"""The bank for mentions of a few brands: what is new beyond a fading cascade, held against each series' own record.

Mentions come in cascades: their tails are far heavier than negative binomial, and differ from brand to brand, so "the
largest in weeks for this series" says more than any fitted law. The record of a series gives how often it goes so high;
its upper end is followed by a Pareto tail (Hill 1975, Ann Stat 3:1163; kept on a stream as by Siffer et al. 2017, KDD), which
tells the large from the largest. And while a cascade fades its next windows are high, too, and no news: only what
stands above it is judged, so that one event surprises once. 208 bytes a series beside the default bank's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.bank import Bank
from detectors.base import Floats, Scores
from detectors.state import pack, unpack

BINS, STEP, LOWEST = 48, 0.25, -2.0  # of ln(news): from 0.14 to 22,000
RECORD_DAYS = 28.0  # half-life of the record, as of the bank's levels
CASCADE_HOURS = 3.0  # half-life of what a cascade leaves to be expected
LEAST_EXPECTED = 0.3  # so that the first mention in a quiet series is no marvel
TAIL_SHARE, TAIL_FEWEST = 0.005, 8.0  # of the windows make the tail
USUAL_INDEX, USUAL_WEIGHT = 2.0, 4.0  # the tail index of mentions, and for how many windows of the tail that counts


class Tweets:
    """Takes the options of the default bank."""

    KIND = "tweets/2"

    def __init__(self, *, n_series: int, window_seconds: float, **options: Any) -> None:
        self.bank = Bank(n_series=n_series, window_seconds=window_seconds, **options)
        self.record = np.zeros((n_series, BINS), np.float32)  # windows with news, by its logarithm, discounted
        self.windows = np.zeros(n_series)  # all of them
        self.left = np.zeros(n_series)  # excess that a cascade leaves after the last window

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        scores = self.bank.score(start, counts, exposure)
        news = _excess(counts, scores.expected) - self.left * self._fade(int(start), CASCADE_HOURS)
        return scores._replace(p_value=np.maximum(scores.p_value, self._own(news)))

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        n, bank = self.bank.n_series, self.bank
        held, share = inputs.hold_of(hold, n), inputs.exposure_of(exposure, n)
        excess = _excess(counts, bank.score(start, counts, exposure).expected)
        learning = bank.core.age(int(start)) < bank.learning_seconds
        left, fade = self.left * self._fade(int(start), CASCADE_HOURS), self._fade(int(start), RECORD_DAYS * 24)
        bank.learn(start, counts, hold, exposure)
        self.record *= np.float32(fade)
        one = 0.5 ** (bank.window / (RECORD_DAYS * 86_400))
        self.windows = self.windows * fade + ((1 - fade) / (1 - one) - 1)  # the windows left out, too
        seen = np.full(n, not learning) if held is None else ~held & (not learning)
        seen = seen if share is None else seen & (share > 0)
        at = _place(excess - left)
        index = np.flatnonzero(seen & (at >= 0))
        self.record[index, np.minimum(at[index].astype(np.int64), BINS - 1)] += 1
        self.windows[seen] += 1
        self.left = np.where(seen, np.maximum(excess, left), left)

    def _fade(self, start: int, half_life_hours: float) -> float:
        """Of what was known after the last window, so much is left at this one."""
        passed = self.bank.window if self.bank.core.last is None else start - self.bank.core.last
        return float(0.5 ** (passed / (half_life_hours * 3600)))

    def _own(self, news: Floats) -> Floats:
        """How often, by its own record, a series has so much news or more; float64[n]."""
        rows, place = np.arange(len(news)), _place(news)
        above = np.cumsum(self.record[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
        wanted = np.maximum(TAIL_FEWEST, TAIL_SHARE * self.windows)
        first = np.maximum((above >= wanted[:, None]).sum(axis=1) - 1, 0)  # bin where the tail begins
        beyond = np.maximum(np.arange(BINS) + 0.5 - first[:, None], 0.0) * STEP  # ln of news over the tail's beginning
        weight = above[rows, first]
        index = (weight + USUAL_WEIGHT) / ((self.record * beyond).sum(axis=1) + USUAL_WEIGHT / USUAL_INDEX)
        tail = weight * np.exp(-index * STEP * np.maximum(place - first, 0.0))
        low = np.clip(place, 0, BINS - 1).astype(np.int64)
        inside = above[rows, low] - self.record[rows, low] * np.clip(place - low, 0.0, 1.0)
        windows = np.where(place > first, tail, inside)
        return np.where(place >= 0, np.minimum(windows / (self.windows + 1), 1.0), 1.0)

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
        self.windows, self.left = (np.pad(array, (0, new)) for array in (self.windows, self.left))

    def keep(self, index: npt.ArrayLike) -> None:
        kept = inputs.index_of(index, self.bank.n_series)
        self.bank.keep(kept)
        self.record, self.windows, self.left = self.record[kept], self.windows[kept], self.left[kept]

    def snapshot(self) -> bytes:
        bank = np.frombuffer(self.bank.snapshot(), np.uint8)
        return pack(self.KIND, {}, {"bank": bank, "record": self.record, "windows": self.windows, "left": self.left})

    def restore(self, state: bytes) -> None:
        _, arrays = unpack(self.KIND, state)
        self.bank.restore(arrays["bank"].tobytes())
        self.record, self.windows, self.left = (arrays[name] for name in ("record", "windows", "left"))


def _excess(counts: npt.ArrayLike, expected: Floats) -> Floats:
    """Above what is expected, in Poisson standard deviations."""
    return np.asarray((np.asarray(counts) - expected) / np.sqrt(expected + LEAST_EXPECTED), np.float64)


def _place(news: Floats) -> Floats:
    """Where it stands among the bins; below 0 where there is none."""
    return np.asarray((np.log(np.maximum(news, 1e-12)) - LOWEST) / STEP, np.float64)
