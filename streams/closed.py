"""What closing a window gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alerting.model import Incident

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Cells(NamedTuple):
    """Closed cells of one window, rolled up the place tree, sorted by (place, keyword); arrays have one entry a cell."""

    start: int
    seconds: int
    place: Ints
    keyword: Ints
    voices: Ints
    messages: Ints
    expected: Floats
    upper: Floats
    p_value: Floats
    held: npt.NDArray[np.bool_]  # stands in an open incident
    cut: float | None = None  # the p-value that incidents were opened at then; None where nothing was judged
    learning: bool = False  # too little history for more than signals


class Closed(NamedTuple):
    """What closing one window gave."""

    cells: Cells
    incidents: list[Incident]


class Revision(NamedTuple):
    """Late rows, rolled up: they change history, never the detector."""

    start: int
    place: Ints
    keyword: Ints
    voices: Ints
    messages: Ints


class Passed(NamedTuple):
    """What a part gave, in order of time."""

    closed: list[Closed]
    late: list[Revision]
    corrected: list[Incident]  # by late rows


def nothing(start: int, seconds: int) -> Cells:
    """The cells of a window in which nothing moved."""
    none, nought = np.zeros(0, np.int64), np.zeros(0)
    return Cells(start, seconds, none, none, none, none, nought, nought, nought, np.zeros(0, bool))
