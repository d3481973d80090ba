"""A count-min sketch (Cormode and Muthukrishnan 2005) of two rows: how much of each code was added, at least; never less."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of splitmix64 (Steele and others 2014)


class Sketch:
    """Two rows of 2 ** `bits` float32 each."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.rows = np.zeros((2, 1 << bits), np.float32)

    def add(self, codes: Codes, amounts: npt.NDArray[np.float32]) -> None:
        """Add an amount to each code; one may come several times."""
        for row, cells in zip(self.rows, self._cells(codes), strict=True):
            np.add.at(row, cells, amounts)

    def read(self, codes: Codes) -> npt.NDArray[np.float64]:
        """What was added to each code, or more."""
        first, second = self._cells(codes)
        return np.asarray(np.minimum(self.rows[0, first], self.rows[1, second]), np.float64)

    def fade(self, keep: float) -> None:
        """Let all that was added count for less."""
        self.rows *= np.float32(keep)

    def state(self) -> bytes:
        """What `load` takes."""
        return self.rows.tobytes()

    def load(self, state: bytes) -> None:
        """Continue from a state."""
        self.rows = np.frombuffer(state, np.float32).reshape(2, -1).copy()

    def _cells(self, codes: Codes) -> tuple[Codes, Codes]:
        mixed = (codes ^ codes >> np.uint64(30)) * FIRST
        mixed = (mixed ^ mixed >> np.uint64(27)) * SECOND
        mixed ^= mixed >> np.uint64(31)
        return mixed & np.uint64((1 << self.bits) - 1), mixed >> np.uint64(64 - self.bits)
