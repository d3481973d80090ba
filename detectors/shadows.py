"""What held series have had lately, kept beside a level that does not learn: steady for days, it is the new level.

A series in an incident is not learnt from, so a volume that rose for good would stay news for ever. It is taken for the
new usual when the counts of four days are its profile times a constant: no day, no part of the day, and no single part
of a day stands out by more than chance and a tenth, and two days to the next two are shown to differ by less than half.
What fades, grows or comes and goes is none of that, nor what is too rare to tell.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from detectors.base import Bools, Floats, Ints
from detectors.core import Core
from detectors.state import Arrays
from detectors.strata import DAY_SECONDS

BLOCK_SECONDS = 21_600
A_DAY, DAYS = 4, 4  # blocks a day; days of evidence
BLOCKS = A_DAY * DAYS
AFTER = 8  # blocks a series is followed for after it was last held
FEWEST = 10.0  # complaints of a series that rose with others
ALIKE, SURE = np.log(1.5), 1.64  # ratio of two days to the next two; standard deviations to show that it is less
HIGHER = 1.5  # times the usual: rose with an incident that has become the usual
UNEVEN = 0.1  # standard deviation over mean that still is steady
CHANCE = 0.005  # of a steady series to fail one of the three tests


class Shadows:
    """`series`: int64[m], sorted; `since`, `held`: the block each was first and last held in; `counts`, `windows` of mean
    density: float64[m, BLOCKS + 1], the block under way last. `relearnt`: series that took a new level lately."""

    def __init__(self) -> None:
        self.series, self.since, self.held = (np.zeros(0, np.int64) for _ in range(3))
        self.counts, self.windows = np.zeros((0, BLOCKS + 1)), np.zeros((0, BLOCKS + 1))
        self.block, self.until = 0, 0  # under way; end of the last window taken in
        self.relearnt = np.zeros(0, np.int64)

    def follow(
        self, core: Core, start: int, counts: Ints, weight: tuple[Floats, Floats | None], held: Bools | None
    ) -> None:
        """Take a window in, after `core` did. `weight`: windows of mean density it is worth, by row; exposure, by series.

        Series steady for days are given the level they have then; the window itself no longer counts for that.
        """
        self.relearnt = np.zeros(0, np.int64)
        if self._move(start) and len(ready := self._ready()):
            series = self.series[ready]
            scale, slow = core.scale(start), core.slow_scale(start)
            theta, _ = core.dispersion(core.long, series, core.level.rate(scale, series), slow)
            steady = self._steady(ready, theta, core.doubts(start).take(core.level.groups[series]))
            self.relearnt, seen, known = self._drop(steady)
            core.level.restart(self.relearnt, seen, known, scale)
        if len(self.series) and self.until < start:  # windows in between, that were empty
            between = core.masses(np.array([max(self.until, start - DAY_SECONDS)]), np.array([start]))
            self.windows[:, -1] += between[core.level.groups[self.series], 0]
        if held is not None:
            self._hold(np.flatnonzero(held))
        if len(self.series):
            now, exposure = weight
            self.counts[:, -1] += counts[self.series]
            share = 1.0 if exposure is None else exposure[self.series]
            self.windows[:, -1] += now[core.level.groups[self.series]] * share
        self.until = start + core.window

    def settle(self, core: Core, start: int, series: Ints) -> None:
        """Give those of these series that have been higher for a day or more, too, the level they have had since."""
        at = np.flatnonzero(np.isin(self.series, series) & (self.block - self.since >= A_DAY))
        seen, known = self.counts[at].sum(1), self.windows[at].sum(1)
        usual = core.level.rate(core.scale(start), self.series[at]) * known
        rose = (seen >= FEWEST) & (seen > HIGHER * usual)
        core.level.restart(self.series[at][rose], seen[rose], known[rose], core.scale(start))
        self._take(np.setdiff1d(np.arange(len(self.series)), at[rose]))

    def _move(self, start: int) -> bool:
        """Go on to the block of this window: whether another one has ended. What was not held for long is forgotten."""
        ended = start // BLOCK_SECONDS - self.block
        self.block += ended
        if not ended or not len(self.series):
            return False
        for name in ("counts", "windows"):
            old = getattr(self, name)
            setattr(self, name, np.hstack([old[:, ended:], np.zeros((len(old), min(ended, BLOCKS + 1)))]))
        self._take(np.flatnonzero(self.block - self.held <= AFTER))
        return True

    def _hold(self, held: Ints) -> None:
        """These series (sorted) are held in this window."""
        known = np.isin(held, self.series)
        new = held[~known]
        if len(new):
            nothing = np.zeros((len(new), BLOCKS + 1))
            order = np.argsort(np.concatenate([self.series, new]), kind="stable")
            self.series = np.concatenate([self.series, new])[order]
            self.since = np.concatenate([self.since, np.full(len(new), self.block)])[order]
            self.held = np.concatenate([self.held, np.full(len(new), self.block)])[order]
            self.counts, self.windows = (np.vstack([a, nothing])[order] for a in (self.counts, self.windows))
        self.held[np.searchsorted(self.series, held)] = self.block

    def _ready(self) -> Ints:
        """Positions of the series with enough blocks of evidence."""
        return np.flatnonzero(self.block - self.since > BLOCKS)

    def _steady(self, at: Ints, theta: Floats, doubt: Floats) -> Ints:
        """Those of these positions whose blocks are their profile times a constant. `theta`, `doubt`: float64[len(at)],
        dispersion, relative variance of the profile."""
        counts, windows = self.counts[at, :BLOCKS], self.windows[at, :BLOCKS]
        known = windows.sum(1)
        expected = windows * (counts.sum(1) / np.maximum(known, 1e-9))[:, None]
        days = windows.reshape(-1, DAYS, A_DAY).sum(2)  # one that nobody could see says nothing
        good = (days > 0).all(1) & self._alike(counts, windows, theta)
        relative = (doubt + UNEVEN**2)[:, None]
        for axes in (2, 1, None):  # days, parts of the day, parts of each day
            seen, mean = counts, expected
            if axes is not None:
                seen, mean = (a.reshape(-1, DAYS, A_DAY).sum(axes) for a in (counts, expected))
            odd = (seen - mean) ** 2 / (mean * (1 + theta[:, None]) + mean**2 * relative + 0.25)
            good &= special.chdtrc(seen.shape[1] - 1, odd.sum(1)) >= CHANCE
        steady: Ints = at[good]
        return steady

    @staticmethod
    def _alike(counts: Floats, windows: Floats, theta: Floats) -> Bools:
        """Whether the rates of the first and the second half of the blocks are shown to be about the same, bool[m]."""
        (c1, c2), (w1, w2) = (np.maximum(a.reshape(len(a), 2, -1).sum(2).T, 1e-9) for a in (counts, windows))
        spread = np.sqrt((1 + theta) * (1 / c1 + 1 / c2))
        out: Bools = np.abs(np.log(c2 * w1 / (c1 * w2))) + SURE * spread <= ALIKE
        return out

    def _drop(self, at: Ints) -> tuple[Ints, Floats, Floats]:
        """Let go of these positions: their series, counts and windows of the whole blocks."""
        out = self.series[at], self.counts[at, :BLOCKS].sum(1), self.windows[at, :BLOCKS].sum(1)
        self._take(np.setdiff1d(np.arange(len(self.series)), at))
        return out

    def keep(self, number: Ints) -> None:
        """`number`: the new number of each series, -1 of those forgotten."""
        self.relearnt = np.sort(number[self.relearnt][number[self.relearnt] >= 0])
        self.series = number[self.series]
        order = np.argsort(self.series, kind="stable")
        self._take(order[self.series[order] >= 0])

    def _take(self, at: Ints) -> None:
        for name in ("series", "since", "held", "counts", "windows"):
            setattr(self, name, getattr(self, name)[at])

    def state(self) -> Arrays:
        names = ("series", "since", "held", "counts", "windows", "relearnt")
        return {name: getattr(self, name) for name in names} | {"clock": np.array([self.block, self.until], np.int64)}

    def load(self, arrays: Arrays) -> None:
        for name, array in arrays.items():
            if name == "clock":
                self.block, self.until = array.tolist()
            else:
                setattr(self, name, array)
