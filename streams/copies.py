"""Copies of one text among many authors: SimHash (Charikar 2002; Manku, Jain, Das Sarma 2007) of its words, distance <= 3 of 64.

A word's 64 bits are kept as 64 byte lanes of one integer, so that adding the lanes of all words is one integer sum; the majority is
taken for many texts at once. Four bands of 16 bits find candidates: at distance <= 3 at least one band is equal.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

import numpy as np

MAX_DISTANCE = 3
MIN_CHARACTERS = 40
SPAN_SECONDS = 24 * 3600.0
MAX_TEXTS = 40_000  # in one of two generations; about 15 MB
MAX_WORDS = 60  # of a lane's 255
_CACHED_WORDS = 30_000

_BAND = 0xFFFF
_SPREAD = [int.from_bytes(bytes((value >> bit) & 1 for bit in range(8)), "big") for value in range(256)]


class Copies:
    """Fingerprints of recent texts: each with the time it came, in two generations, and the newest one of each band."""

    def __init__(self) -> None:
        self.now: dict[int, float] = {}
        self.before: dict[int, float] = {}
        self.since = float("-inf")
        self.texts = 0  # of this generation
        self._bands = [array("Q", bytes(8 * (_BAND + 1))) for _ in range(4)]  # 0 where there is none

    def is_copy(self, print_: int, time: float) -> bool:
        """Whether a text of nearly this fingerprint came within 24 h before `time` (Unix seconds); remembers it if not."""
        first, second, third, fourth = self._bands
        a, b, c, d = print_ & _BAND, print_ >> 16 & _BAND, print_ >> 32 & _BAND, print_ >> 48
        for near in (first[a], second[b], third[c], fourth[d]):
            if (near ^ print_).bit_count() <= MAX_DISTANCE and self._is_recent(near, time):
                return True
        if self.texts >= MAX_TEXTS or time - self.since >= SPAN_SECONDS:
            self.before, self.now, self.texts, self.since = self.now, {}, 0, time
        elif print_ in self.now:
            del self.now[print_]  # to stand last again
        self.texts += 1
        self.now[print_] = time
        first[a] = second[b] = third[c] = fourth[d] = print_
        return False

    def _is_recent(self, print_: int, time: float) -> bool:
        at = self.now.get(print_)
        if at is None:
            at = self.before.get(print_)  # in neither: its generation is gone
        return at is not None and time - at < SPAN_SECONDS

    def restore(self, before: Sequence[tuple[int, float]], now: Sequence[tuple[int, float]]) -> None:
        """Take over two generations, each in order of arrival."""
        self.before, self.now = dict(before), dict(now)
        self._bands = [array("Q", bytes(8 * (_BAND + 1))) for _ in range(4)]
        for print_, _ in (*before, *now):
            for number, band in enumerate(self._bands):
                band[print_ >> 16 * number & _BAND] = print_


class _Lanes(dict[str, int]):
    """A word's lanes, worked out once."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[word] = made = lane(word)
        return made


_LANES = _Lanes()


def fingerprints(texts: Sequence[Sequence[str]]) -> list[int]:
    """The SimHash, 64 bits, of the first MAX_WORDS words of each text: a bit is set where more than half of the words have it."""
    if not texts:
        return []
    of = _LANES.__getitem__
    sums = [
        sum(map(of, words if len(words) <= MAX_WORDS else words[:MAX_WORDS])).to_bytes(64, "big") for words in texts
    ]
    half = np.array([min(len(words), MAX_WORDS) // 2 for words in texts], np.uint8)
    majority = np.frombuffer(b"".join(sums), np.uint8).reshape(-1, 64) > half[:, None]
    found: list[int] = np.packbits(majority, axis=1).view(">u8")[:, 0].tolist()
    return found


def lane(word: str) -> int:
    """The 64 bits of a word's hash, one in each byte."""
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    value = 0
    for byte in digest:
        value = value << 64 | _SPREAD[byte]
    return value
