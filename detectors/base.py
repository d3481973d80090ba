"""What every detector bank offers: counts of many series in, one p-value a series out, once a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.integer[Any]]  # of any width, only ever used to index
AnyFloats = npt.NDArray[np.floating[Any]]


class Scores(NamedTuple):
    """The judgement on one window; arrays have one entry a series.

    `p_value`: chance of a count this high or higher had nothing happened, the smallest over several window sums and
    calibrated; what is unremarkable (above about .05) is reported as 1. `expected`: count expected in this window.
    `upper`: about the 97.5 % quantile of the count expected, for the band of a chart.
    """

    p_value: Floats
    expected: Floats
    upper: Floats


@runtime_checkable
class Detector(Protocol):
    """A bank of series stepped once a window. `start` is the window's start in Unix seconds UTC, strictly increasing.

    Windows that are left out count as windows in which every count was zero. All methods raise ValueError, naming the
    argument, when an array has the wrong shape or kind, or a time lies before what was learnt.
    """

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        """Judge a window without changing anything. `counts`: int[n]. `exposure`: float[n], 1 as usual, 0 blind."""
        ...

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        """Take a window in. `hold`: bool[n], series inside an open incident, whose baseline stays as it is."""
        ...

    def skip(self, start: float, stop: float) -> None:
        """Let the windows of [start, stop) pass that nobody could see; those before `start` are taken as empty."""
        ...

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        """Append series up to `n_series`. `groups`, `parents`: for the new ones, or for all of them; `zones`: for all groups."""
        ...

    def keep(self, index: npt.ArrayLike) -> None:
        """Forget all series but these, which are numbered in the order given."""
        ...

    def snapshot(self) -> bytes:
        """The whole state, with a version and a checksum."""
        ...

    def restore(self, state: bytes) -> None:
        """Become what was snapshot; ValueError when it is damaged or belongs to another kind of detector."""
        ...


@runtime_checkable
class Relearning(Protocol):
    """A detector that gives held series a new level when they have been steady for long, and says which."""

    @property
    def relearnt(self) -> Ints:
        """Series that the last window learnt has given one."""
        ...

    def settle(self, start: float, series: npt.ArrayLike) -> None:
        """The incident these series (bool[n]) stand in is the usual now: give those that rose with it the level they have."""
        ...
