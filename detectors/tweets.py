"""The bank for mentions of a few brands: the burst that stands above what is expected, held against each series' own record.

Mentions come in cascades: their tails are far heavier than negative binomial, and differ from brand to brand, so "once in
so many weeks for this series" says more than any fitted law. Judged is a burst, the mentions above what is expected, of
the window and of those before it as they fade. The record of a series keeps the height of each event, however many windows it
lasted (runs declustering: Coles 2001, An Introduction to Statistical Modeling of Extreme Values, 5.3.2); its upper end is
followed by a Pareto tail whose index is as uncertain as so few events leave it, so that the tail is that of a Lomax in the logarithm.
And an event is news once: while it lasts, only what is half as likely surprises again. 232 bytes a series beside the
default bank's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.bank import Bank
from detectors.base import Bools, Floats, Ints, Scores
from detectors.state import pack, unpack

Coarse = npt.NDArray[np.float32]

BINS, STEP = 48, 0.25  # of ln(mentions): from 1 to 160,000
RECORD_DAYS = 28.0  # half-life of the record, as of the bank's levels
BURST_HOURS = 1 / 3  # half-life of a window's mentions in the burst
EVENT_SECONDS = 6 * 3600  # with nothing higher for so long an event is over
TAIL_A_DAY, TAIL_FEWEST = 0.6, 8.0  # events that make the tail
USUAL_INDEX, USUAL_WEIGHT = 2.0, 4.0  # the tail index of mentions, and for how many events that counts
LESS_LIKELY = 0.5
LONG_AGO = -(2**60)
FRESH = {"record": 0, "windows": 0, "burst": 0, "height": 0, "highest_at": LONG_AGO, "told": 1}  # of a new series


class Tweets:
    """Takes the options of the default bank."""

    KIND = "tweets/3"

    def __init__(self, *, n_series: int, window_seconds: float, **options: Any) -> None:
        self.bank = Bank(n_series=n_series, window_seconds=window_seconds, **options)
        self.record = np.zeros((n_series, BINS), np.float32)  # events, by the logarithm of their height, discounted
        self.windows = np.zeros(n_series)  # in which they could have been seen
        self.burst = np.zeros(n_series)  # mentions above what was expected, after the last window
        self.height = np.zeros(n_series)  # of the last event
        self.highest_at = np.full(n_series, LONG_AGO)  # when it was so high
        self.told = np.ones(n_series)  # least p of it

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        scores = self.bank.score(start, counts, exposure)
        p, _, news = self._judge(int(start), counts, scores)
        return scores._replace(p_value=np.where(news, p, 1.0))

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        n, bank, at = self.bank.n_series, self.bank, int(start)
        held, share = inputs.hold_of(hold, n), inputs.exposure_of(exposure, n)
        p, burst, news = self._judge(at, counts, bank.score(start, counts, exposure))
        learning = bank.core.age(at) < bank.learning_seconds
        left = self.burst * self._fade(at, BURST_HOURS)
        self.record, self.windows = self._known(at)
        bank.learn(start, counts, hold, exposure)
        seen = np.full(n, not learning) if held is None else ~held & (not learning)
        seen = seen if share is None else seen & (share > 0)
        self.windows[seen] += 1
        self._enter(at, np.where(seen, burst, 0.0), p, news)
        self.burst = np.where(seen & (burst > 0), burst, left)
        if held is not None:
            self.told[held] = 1.0  # the incident wants to know how unusual it still is

    def _judge(self, at: int, counts: npt.ArrayLike, scores: Scores) -> tuple[Floats, Floats, Bools]:
        """p-value, burst (0 in a window that is not above what is expected), and whether that is news; each [n]."""
        above = np.asarray(counts) - scores.expected
        burst = np.where(above > 0, self.burst * self._fade(at, BURST_HOURS) + above, 0.0)
        p = np.where(scores.p_value < 1, self._own(burst, *self._known(at)), 1.0)  # what the bank finds unremarkable is
        return p, burst, self._over(at) | (p <= LESS_LIKELY * self.told)

    def _enter(self, at: int, burst: Floats, p: Floats, news: Bools) -> None:
        """Bring the events up to this window; one that is over enters the record when the next begins."""
        begins = self._over(at) & (burst >= 1)
        ended = np.flatnonzero(begins & (self.height >= 1))
        self.record[ended, np.minimum(_place(self.height[ended]).astype(np.int64), BINS - 1)] += 1
        higher = begins | ((burst > self.height) & ~self._over(at))
        self.told = np.where(begins | (news & (burst >= 1)), p, self.told)
        self.height, self.highest_at = np.where(higher, burst, self.height), np.where(higher, at, self.highest_at)

    def _over(self, at: int) -> Bools:
        """Of which series the last event is over."""
        return np.asarray(at - self.highest_at > EVENT_SECONDS)

    def _fade(self, start: int, half_life_hours: float) -> float:
        """Of what was known after the last window, so much is left at this one."""
        passed = self.bank.window if self.bank.core.last is None else start - self.bank.core.last
        return float(0.5 ** (passed / (half_life_hours * 3600)))

    def _known(self, at: int) -> tuple[Coarse, Floats]:
        """Record and windows as they have faded; the windows left out are among them."""
        fade, one = self._fade(at, RECORD_DAYS * 24), 0.5 ** (self.bank.window / (RECORD_DAYS * 86_400))
        return self.record * np.float32(fade), self.windows * fade + ((1 - fade) / (1 - one) - 1)

    def _own(self, burst: Floats, record: Coarse, windows: Floats) -> Floats:
        """In what share of windows, by its own record and this one, a series begins so high an event; float64[n]."""
        rows, place = np.arange(len(burst)), _place(burst)
        above = np.cumsum(record[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
        wanted = np.maximum(TAIL_FEWEST, TAIL_A_DAY * windows * self.bank.window / 86_400)
        first = np.maximum((above >= wanted[:, None]).sum(axis=1) - 1, 0)  # bin where the tail begins
        beyond = np.maximum(np.arange(BINS) + 0.5 - first[:, None], 0.0) * STEP  # ln of height over its start
        weight = above[rows, first]
        known = (record * beyond).sum(axis=1) + USUAL_WEIGHT / USUAL_INDEX
        tail = (weight + 1) * (1 + STEP * np.maximum(place - first, 0.0) / known) ** -(weight + USUAL_WEIGHT)
        low = np.clip(place, 0, BINS - 1).astype(np.int64)
        inside = 1 + above[rows, low] - record[rows, low] * np.clip(place - low, 0.0, 1.0)
        events = np.where(place > first, tail, inside)
        return np.where(place >= 0, np.minimum(events / (windows + 1), 1.0), 1.0)

    @property
    def relearnt(self) -> Ints:
        return self.bank.relearnt

    def settle(self, start: float, series: npt.ArrayLike) -> None:
        self.bank.settle(start, series)

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
        for name, fresh in FRESH.items():
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.full((new, *array.shape[1:]), fresh, array.dtype)]))

    def keep(self, index: npt.ArrayLike) -> None:
        kept = inputs.index_of(index, self.bank.n_series)
        self.bank.keep(kept)
        for name in FRESH:
            setattr(self, name, getattr(self, name)[kept])

    def snapshot(self) -> bytes:
        bank = np.frombuffer(self.bank.snapshot(), np.uint8)
        return pack(self.KIND, {}, {"bank": bank} | {name: getattr(self, name) for name in FRESH})

    def restore(self, state: bytes) -> None:
        _, arrays = unpack(self.KIND, state)
        self.bank.restore(arrays["bank"].tobytes())
        for name in FRESH:
            setattr(self, name, arrays[name])


def _place(burst: Floats) -> Floats:
    """Where it stands among the bins; below 0 where it is less than one mention."""
    return np.asarray(np.log(np.maximum(burst, 1e-12)) / STEP, np.float64)
