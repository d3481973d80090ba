"""What the peers share: a state of arrays with one column a series, and everything of the contract but the method itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.base import Bools, Floats, Scores
from detectors.state import Arrays, pack, unpack


class Columns:
    """A method says how its arrays begin (`FILL`, a value for a new series), how they take a window in, and how they judge one.

    Groups, zones, parents and season are taken and not used: these methods know no profiles.
    """

    KIND: str
    FILL: Mapping[str, float]

    def __init__(self, n_series: int, window_seconds: float, arrays: Arrays, forgets: int | None) -> None:
        """`arrays`: the last axis is the series. `forgets`: after so many empty windows nothing before them counts."""
        self.window, self.n_series = inputs.window_of(window_seconds), n_series
        self.arrays, self.forgets = arrays, forgets
        self.last: int | None = None

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        """Scores of a window. `share`: its exposure; p-values of blind series are set to 1 by the caller."""
        raise NotImplementedError

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        """Write a window into the arrays, of the series in `seen` only. `row`: counts at exposure 1, all series."""
        raise NotImplementedError

    # -- windows --------------------------------------------------------------------------------------------------

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        begin = inputs.start_of(start, self.last, self.window)
        given = inputs.counts_of(counts, self.n_series).astype(np.float64)
        share = inputs.exposure_of(exposure, self.n_series)
        arrays = self.arrays
        if self._left_out(begin):
            arrays = self.copied(arrays)
            self._pass(arrays, begin)
        scores = self.judge(arrays, given, np.ones(self.n_series) if share is None else share)
        if share is not None:
            scores.p_value[share == 0] = 1.0
        return scores

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        begin = inputs.start_of(start, self.last, self.window)
        given, held = inputs.counts_of(counts, self.n_series), inputs.hold_of(hold, self.n_series)
        share = inputs.exposure_of(exposure, self.n_series)
        self._pass(self.arrays, begin)
        row = given / (1.0 if share is None else np.where(share > 0, share, 1.0))
        frozen = np.zeros(self.n_series, np.bool_) if held is None else held
        if share is not None:
            frozen = frozen | (share == 0)
        self.take_in(self.arrays, row, ~frozen if frozen.any() else slice(None))
        self.last = begin

    def _left_out(self, begin: int) -> int:
        return 0 if self.last is None else (begin - self.last) // self.window - 1

    def _pass(self, arrays: Arrays, begin: int) -> None:
        """The windows left out before `begin`, as zeros."""
        left_out = self._left_out(begin)
        nothing = np.zeros(self.n_series)
        for _ in range(left_out if self.forgets is None else min(left_out, self.forgets)):
            self.take_in(arrays, nothing, slice(None))

    def copied(self, arrays: Arrays) -> Arrays:
        return {name: array.copy() for name, array in arrays.items()}

    def skip(self, start: float, stop: float) -> None:
        nothing = np.zeros(self.n_series)
        for at in range(int(start), int(stop), self.window):
            self.learn(at, nothing.astype(np.int64), exposure=nothing)

    # -- series come and go, state --------------------------------------------------------------------------------

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
        for name, array in self.arrays.items():
            more = np.full((*array.shape[:-1], new), self.FILL[name], array.dtype)
            self.arrays[name] = np.concatenate([array, more], axis=-1)
        self.n_series = n_series

    def keep(self, index: npt.ArrayLike) -> None:
        kept = inputs.index_of(index, self.n_series)
        self.arrays = {name: array[..., kept] for name, array in self.arrays.items()}
        self.n_series = len(kept)

    def snapshot(self) -> bytes:
        return pack(self.KIND, self._meta() | {"last": self.last}, self.arrays)

    def restore(self, state: bytes) -> None:
        meta, arrays = unpack(self.KIND, state)
        for name, value in self._meta().items():
            if meta[name] != value:
                raise ValueError(f"state: {name} is {meta[name]}, this bank's is {value}")
        self.arrays, self.last = arrays, meta["last"]
        self.n_series = next(iter(arrays.values())).shape[-1]

    def _meta(self) -> dict[str, Any]:
        rows = {name: array.shape[0] for name, array in self.arrays.items() if array.ndim > 1}
        return {"window_seconds": self.window, "rows": rows}


def empty(fill: Mapping[str, float], n_series: int) -> Arrays:
    """Arrays float64[n] as they begin."""
    return {name: np.full(n_series, value, np.float64) for name, value in fill.items()}


def slide(past: npt.NDArray[Any], row: Floats, seen: Bools | slice) -> None:
    """Drop the oldest row of the columns in `seen` and put `row` last."""
    past[:-1, seen] = past[1:, seen]
    past[-1, seen] = row[seen]
