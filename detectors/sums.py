"""Sums of each series over the last windows, several lengths at once, kept by what moved alone.

Short lengths are exact; longer ones are sums of whole blocks on a fixed grid and the block under way, so that a day of
one-minute windows needs 24 entries of a busy series, not 1,440.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detectors.base import Ints
from detectors.blocks import Block, Values, load, merged, of_window, renumbered, state_of
from detectors.state import Arrays

LENGTHS_SECONDS = (3600, 7200, 21_600, 86_400)
RECENT_SECONDS = 7200
FINE, BLOCKS, FEWEST_BLOCKS = 16, 12, 3
NEVER = -(2**62)


def lengths_of(window_seconds: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lengths in windows, recent and lasting: 1, 2, 4, and about 1, 2, 6, 24 hours where longer; a gap over 8 x is halved."""
    ordered = sorted({1, 2, 4} | {round(s / window_seconds) for s in LENGTHS_SECONDS if s > 4 * window_seconds})
    filled = {round((a * b) ** 0.5) for a, b in pairwise(ordered) if b > 8 * a}
    lengths = sorted(filled.union(ordered))
    recent = tuple(k for k in lengths if k == 1 or k * window_seconds <= RECENT_SECONDS)
    return recent, tuple(k for k in lengths if k not in recent)


def tiers_of(lengths: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Block size in windows and the rows of `lengths` summed in such blocks: at least 3, at most 12 or so blocks a sum."""
    rest, tiers = list(range(len(lengths))), []
    while rest:
        longest = lengths[rest[-1]]
        block = 1 if longest <= FINE else max(1, longest // BLOCKS)
        rows = [r for r in rest if block == 1 or lengths[r] >= FEWEST_BLOCKS * block]
        tiers.append((block, rows))
        rest = [r for r in rest if r not in rows]
    return tiers


class _Tier:
    """The lengths that share one block size: blocks still inside the longest of them, and the block under way."""

    def __init__(self, block: int, rows: list[int], reach: Ints) -> None:
        self.block, self.rows, self.reach = block, rows, reach  # reach: of each row, in blocks
        self.blocks: list[Block] = []
        self.pending: list[Block] = []

    def copy(self) -> _Tier:
        other = _Tier(self.block, self.rows, self.reach)
        other.blocks, other.pending = list(self.blocks), list(self.pending)
        return other

    def add(self, window: Block) -> None:
        if self.block == 1:
            self.blocks.append(window)
        else:
            self.pending.append(window)

    def close_block(self, window: int, n_series: int, exact: bool) -> None:
        """Merge the windows of a block that has ended."""
        if self.pending and self.pending[0].number // self.block != window // self.block:
            self.blocks += merged(self.pending, self.pending[0].number // self.block, n_series, exact)
            self.pending = []

    def expire(self, totals: Values, before: int, now: int) -> None:
        """Take from the totals what they covered when `before` was the current block and no longer cover at `now`."""
        for row, reach in zip(self.rows, self.reach.tolist(), strict=True):
            for block in self.blocks:
                if block.number > now - reach:
                    break
                if block.number > before - reach:
                    totals[row, block.series()] -= block.values.astype(totals.dtype)
        oldest = now - int(self.reach.max())
        if self.blocks and self.blocks[0].number <= oldest:
            self.blocks = [block for block in self.blocks if block.number > oldest]

    def renumber(self, number: npt.NDArray[np.int32], n_series: int) -> None:
        self.blocks = renumbered(self.blocks, number, n_series)
        self.pending = renumbered(self.pending, number, n_series)


class Sums:
    """`totals`: [lengths, n], each series' sums up to and with the last window taken in. Windows are numbered."""

    def __init__(self, n_series: int, lengths: Sequence[int], exact: bool = False) -> None:
        self.lengths, self.exact = tuple(lengths), exact  # exact: floats, else counts
        self.totals = np.zeros((len(self.lengths), n_series), np.float32 if exact else np.int32)
        self.tiers = [
            _Tier(block, rows, np.array([max(1, self.lengths[r] // block) for r in rows], np.int64))
            for block, rows in tiers_of(self.lengths)
        ]
        self.at = NEVER

    def first(self, window: int) -> Ints:
        """For each length the number of the first window its sum covers when `window` is the last."""
        out = np.zeros(len(self.lengths), np.int64)
        for tier in self.tiers:
            out[tier.rows] = (window // tier.block - tier.reach + 1) * tier.block
        return out

    def move(self, window: int) -> None:
        """Drop what sums that end at `window` no longer cover."""
        if self.at < window:
            for tier in self.tiers:
                tier.close_block(window, self.totals.shape[1], self.exact)
                if self.at != NEVER:
                    tier.expire(self.totals, self.at // tier.block, window // tier.block)
            self.at = window

    def add(self, window: int, index: Ints, values: Values) -> None:
        """Take in a window (moved to already): the values of the series that moved, each series once."""
        if len(index):
            more: Values = values.astype(self.totals.dtype)
            for row in self.totals:
                row[index] += more
            gained = of_window(window, index, values, self.exact)
            for tier in self.tiers:
                tier.add(gained)

    def copy(self) -> Sums:
        other = object.__new__(Sums)
        other.__dict__.update(self.__dict__)
        other.totals, other.tiers = self.totals.copy(), [t.copy() for t in self.tiers]
        return other

    def grow(self, n_series: int) -> None:
        new = np.zeros((len(self.lengths), n_series - self.totals.shape[1]), self.totals.dtype)
        self.totals = np.hstack([self.totals, new])

    def keep(self, index: Ints) -> None:
        number = np.full(self.totals.shape[1], -1, np.int32)
        number[index] = np.arange(len(index))
        self.totals = np.ascontiguousarray(self.totals[:, index])
        for tier in self.tiers:
            tier.renumber(number, len(index))

    def state(self) -> Arrays:
        out: Arrays = {"totals": self.totals, "at": np.array([self.at], np.int64)}
        for t, tier in enumerate(self.tiers):
            for name, blocks in ((f"blocks{t}", tier.blocks), (f"pending{t}", tier.pending)):
                out |= {f"{name}_{key}": array for key, array in state_of(blocks).items()}
        return out

    def load(self, arrays: Arrays) -> None:
        self.totals, self.at = arrays["totals"], int(arrays["at"][0])
        for t, tier in enumerate(self.tiers):
            tier.blocks, tier.pending = (
                load({key: arrays[f"{name}{t}_{key}"] for key in ("at", "where", "values")}, self.exact)
                for name in ("blocks", "pending")
            )
