"""Copies of one text among many authors: SimHash (Charikar 2002; Manku, Jain, Das Sarma 2007) of its words, distance <= 3 of 64.

A word's 64 bits are kept as 64 byte lanes of one integer, so that adding the lanes of all words is one integer sum and the majority one
comparison for all lanes. Four bands of 16 bits find candidates: at distance <= 3 at least one band is equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

MAX_DISTANCE = 3
MIN_CHARACTERS = 40
SPAN_SECONDS = 24 * 3600.0
MAX_TEXTS = 40_000  # in one of two generations; about 25 MB
MAX_WORDS = 60  # of a lane's 127
_CACHED_WORDS = 30_000

_ONES = int.from_bytes(b"\x01" * 64, "big")
_SECOND, _THIRD, _FOURTH = b"2", b"3", b"4"
_MAJORITY = [_ONES * (127 - count // 2) for count in range(MAX_WORDS + 1)]
_SPREAD = [int.from_bytes(bytes((value >> bit) & 1 for bit in range(8)), "big") for value in range(256)]


class Copies:
    """Fingerprints of recent texts."""

    def __init__(self) -> None:
        self.lanes: dict[str, int] = {}
        self.now: dict[bytes, tuple[bytes, float]] = {}
        self.before: dict[bytes, tuple[bytes, float]] = {}
        self.since = float("-inf")
        self.texts = 0

    def is_copy(self, print_: bytes, time: float) -> bool:
        """Whether a text of nearly this fingerprint came within 24 h before `time` (Unix seconds); remembers it if not."""
        now, before = self.now, self.before
        bands = (print_[:16], print_[16:32] + _SECOND, print_[32:48] + _THIRD, print_[48:] + _FOURTH)
        for band in bands:
            seen = now.get(band) or before.get(band)
            if seen is not None and time - seen[1] < SPAN_SECONDS and distance(seen[0], print_) <= MAX_DISTANCE:
                return True
        if self.texts >= MAX_TEXTS or time - self.since >= SPAN_SECONDS:
            self.before, self.now, self.texts, self.since = now, {}, 0, time
            now = self.now
        self.texts += 1
        entry = (print_, time)
        for band in bands:
            now[band] = entry
        return False

    def fingerprint(self, words: Sequence[str]) -> bytes:
        """The SimHash of the first MAX_WORDS words: 64 bytes, each 0 or 1."""
        lanes = self.lanes
        if len(words) > MAX_WORDS:
            words = words[:MAX_WORDS]
        try:
            total = sum([lanes[word] for word in words])
        except KeyError:
            if len(lanes) > _CACHED_WORDS:
                lanes.clear()
            for word in words:
                if word not in lanes:
                    lanes[word] = lane(word)
            total = sum([lanes[word] for word in words])
        # a lane is set where more than half of the words have the bit
        return ((total + _MAJORITY[len(words)]) >> 7 & _ONES).to_bytes(64, "big")


def distance(one: bytes, other: bytes) -> int:
    """Bits in which two fingerprints differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def lane(word: str) -> int:
    """The 64 bits of a word's hash, one in each byte."""
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    value = 0
    for byte in digest:
        value = value << 64 | _SPREAD[byte]
    return value
