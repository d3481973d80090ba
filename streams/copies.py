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
MAX_TEXTS = 40_000  # in one of two generations; about 40 MB
MAX_WORDS = 60  # of a lane's 127
_CACHED_WORDS = 30_000

_ONES = int.from_bytes(b"\x01" * 64, "big")
_DIGITS = bytes.maketrans(b"\x00\x01", b"01")
_MAJORITY = [_ONES * (127 - count // 2) for count in range(MAX_WORDS + 1)]
_SPREAD = [int.from_bytes(bytes((value >> bit) & 1 for bit in range(8)), "big") for value in range(256)]


class Copies:
    """Fingerprints of recent texts."""

    def __init__(self) -> None:
        self.lanes: dict[str, int] = {}
        self.now: dict[int, tuple[int, float]] = {}
        self.before: dict[int, tuple[int, float]] = {}
        self.since = float("-inf")
        self.texts = 0

    def is_copy(self, value: int, time: float) -> bool:
        """Whether a text of nearly this fingerprint came within 24 h before `time` (Unix seconds); remembers it if not."""
        now, before = self.now, self.before
        bands = (
            value & 0xFFFF,
            value >> 16 & 0xFFFF | 0x10000,
            value >> 32 & 0xFFFF | 0x20000,
            value >> 48 | 0x30000,
        )
        for band in bands:
            seen = now.get(band) or before.get(band)
            if seen is not None and (seen[0] ^ value).bit_count() <= MAX_DISTANCE and time - seen[1] < SPAN_SECONDS:
                return True
        self._remember(bands, value, time)
        return False

    def _remember(self, bands: tuple[int, ...], value: int, time: float) -> None:
        if self.texts >= MAX_TEXTS or time - self.since >= SPAN_SECONDS:
            self.before, self.now, self.texts, self.since = self.now, {}, 0, time
        self.texts += 1
        entry = (value, time)
        for band in bands:
            self.now[band] = entry

    def fingerprint(self, words: Sequence[str]) -> int:
        """The SimHash of the first MAX_WORDS words, 64 bits."""
        lanes = self.lanes
        count = min(len(words), MAX_WORDS)
        try:
            total = sum([lanes[word] for word in words[:count]])
        except KeyError:
            if len(lanes) > _CACHED_WORDS:
                lanes.clear()
            for word in words[:count]:
                if word not in lanes:
                    lanes[word] = lane(word)
            total = sum([lanes[word] for word in words[:count]])
        # a lane is set where more than half of the words have the bit
        majority = (total + _MAJORITY[count]) >> 7 & _ONES
        return int(majority.to_bytes(64, "big").translate(_DIGITS), 2)


def lane(word: str) -> int:
    """The 64 bits of a word's hash, one in each byte."""
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    value = 0
    for byte in digest:
        value = value << 64 | _SPREAD[byte]
    return value
