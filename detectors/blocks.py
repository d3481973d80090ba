"""What series gained in a window or a block of windows, in few bytes: most gain nothing, most others little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Indices, Ints
from detectors.state import Arrays

Values = npt.NDArray[Any]
BITS = 32  # of a series' number: from one series in so many on, a bit for each of all is shorter
SMALL = 255  # counts above are kept apart, so that the others need a byte each


class Block(NamedTuple):
    """`where`: the series in ascending order, int32[m], or a bit for each of all, uint8; `values`: of those series."""

    number: int  # of the window or block of windows
    where: Indices
    values: Values

    def series(self) -> Indices:
        """The series that gained, ascending."""
        if self.where.dtype == np.uint8:
            return np.flatnonzero(np.unpackbits(self.where.view(np.uint8)))
        return self.where


def of_window(number: int, series: Indices, values: Values, exact: bool) -> Block:
    """Of one window, ready to be read often. `exact`: floats, else counts."""
    return Block(number, series.astype(np.int32), values.astype(np.float32) if exact else _narrow(values))


def merged(windows: Sequence[Block], number: int, n_series: int, exact: bool) -> list[Block]:
    """Windows summed, in as few bytes as may be: one or two blocks of that number."""
    values = np.concatenate([block.values.astype(np.float64) for block in windows])
    index = np.concatenate([block.series() for block in windows])
    if 16 * len(index) > n_series:
        series = np.flatnonzero(np.bincount(index, minlength=n_series))
        total = np.bincount(index, values, n_series)[series]
    else:
        series, where = np.unique(index, return_inverse=True)
        total = np.bincount(where, values)
    if exact:
        return [Block(number, _listed(series, n_series), total.astype(np.float32))]
    large = total > SMALL
    parts = [part for part in (~large, large) if part.any()]
    return [Block(number, _listed(series[part], n_series), _narrow(total[part])) for part in parts]


def renumbered(blocks: Iterable[Block], number: npt.NDArray[np.int32], n_series: int) -> list[Block]:
    """With the new number of each series, -1 for those forgotten; `n_series`: how many stay."""
    out = []
    for block in blocks:
        new = number[block.series()]
        order = np.argsort(new, kind="stable")[np.count_nonzero(new < 0) :]
        series = new[order]
        where = _listed(series, n_series) if block.where.dtype == np.uint8 else series
        out.append(Block(block.number, where, block.values[order]))
    return out


def state_of(blocks: Sequence[Block]) -> Arrays:
    """`at`: number, bytes of `where` and of `values`, and the widths of their items, a row each block; then all these bytes."""
    at = [(b.number, b.where.nbytes, b.where.itemsize, b.values.nbytes, b.values.itemsize) for b in blocks]
    return {
        "at": np.array(at, np.int64).reshape(-1, 5),
        "where": np.frombuffer(b"".join(b.where.tobytes() for b in blocks), np.uint8),
        "values": np.frombuffer(b"".join(b.values.tobytes() for b in blocks), np.uint8),
    }


def load(arrays: Arrays, exact: bool) -> list[Block]:
    """What `state_of` told."""
    where, values = arrays["where"].tobytes(), arrays["values"].tobytes()
    out, w, v = [], 0, 0
    for number, of_where, wide, of_values, deep in arrays["at"].tolist():
        listed: Indices = np.frombuffer(where[w : w + of_where], f"{'u' if wide == 1 else 'i'}{wide}")
        kind = np.dtype(np.float32) if exact else np.dtype(f"u{deep}")
        out.append(Block(number, listed, np.frombuffer(values[v : v + of_values], kind)))
        w, v = w + of_where, v + of_values
    return out


def _listed(series: Ints | Indices, n_series: int) -> Indices:
    if BITS * len(series) <= n_series:
        return series.astype(np.int32)
    bits = np.zeros(n_series, np.bool_)
    bits[series] = True
    return np.packbits(bits)


def _narrow(counts: Values) -> Values:
    """Counts in as few bytes as they need."""
    return counts.astype(np.min_scalar_type(int(counts.max()))) if len(counts) else counts.astype(np.uint8)
