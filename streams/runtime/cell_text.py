"""Columns of numbers as CSV lines, many at once: each number's text is made once, and lines are put together as bytes.

A column is a matrix of bytes, one row a line, as wide as its longest text and filled up with NUL; a block of lines is the matrices
side by side without the NULs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.bytes_]
Column = npt.NDArray[Any]
WIDEST_RANGE = 1 << 22  # of whole numbers, for a table of all between the least and the greatest
UNSURE = 1e-4  # this near to the middle between two texts Python's own formatting decides
POWERS = (-20, 12)  # of ten: most numbers lie between


def of_whole(values: Column, text: Callable[[int], str] = str) -> Texts:
    """The text of each whole number, which is made once for each that occurs."""
    low = int(values.min())
    if int(values.max()) - low >= WIDEST_RANGE:
        known, at = np.unique(values, return_inverse=True)
        every: Texts = np.array([text(value).encode() for value in known.tolist()])[at]
        return every
    number = values - low
    known = np.flatnonzero(np.bincount(number))
    texts = np.array([text(value).encode() for value in (known + low).tolist()])
    table: Texts = np.zeros(int(known[-1]) + 1, texts.dtype)
    table[known] = texts
    found: Texts = table[number]
    return found


class RealText:
    """Numbers as `format(value, ".{digits}g")` has them; texts are remembered."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self._least, self._most = 10 ** (digits - 1), 10**digits  # of the digits as a whole number
        self._known: Texts = np.zeros((POWERS[1] - POWERS[0]) * self._most, f"S{digits + 6}")

    def __call__(self, values: Column) -> Texts:
        plain = (values > 10.0 ** (POWERS[0] + 1)) & (values < 10.0 ** (POWERS[1] - 1))
        given = np.where(plain, values, 1.0).astype(np.float64)
        power = np.floor(np.log10(given)).astype(np.int64)
        scaled = given * 10.0 ** (self.digits - 1 - power)
        number = np.rint(scaled).astype(np.int64)
        unsure = np.abs(scaled - np.floor(scaled) - 0.5) < UNSURE
        odd = np.flatnonzero(~plain | unsure | (number < self._least) | (number >= self._most))
        number[odd], power[odd] = self._least, 0
        code = (power - POWERS[0]) * self._most + number
        texts: Texts = self._known[code]
        new = np.unique(code[texts == b""])
        if len(new):
            self._known[new] = [self._text(one) for one in new.tolist()]
            texts = self._known[code]
        if len(odd):
            exact = np.array([format(value, f".{self.digits}g").encode() for value in values[odd].tolist()])
            texts = texts.astype(max(texts.dtype, exact.dtype, key=lambda one: one.itemsize))
            texts[odd] = exact
        return texts

    def _text(self, code: int) -> bytes:
        power = code // self._most + POWERS[0] - self.digits + 1
        return format(float(f"{code % self._most}e{power}"), f".{self.digits}g").encode()


def lines(columns: Sequence[Texts]) -> bytes:
    """The lines of a block: its columns with commas between them."""
    count = len(columns[0])
    ends = [b","] * (len(columns) - 1) + [b"\n"]
    parts = [
        part
        for column, end in zip(columns, ends, strict=True)
        for part in (column.view(np.uint8).reshape(count, -1), np.full((count, 1), end[0], np.uint8))
    ]
    return np.concatenate(parts, axis=1).tobytes().translate(None, b"\0")
