"""Emerging terms: words heard from more people in the last hour than chance brings, beside the words one listens for.

The usual share of texts that hold a term is kept in a count-min sketch (Cormode and Muthukrishnan 2005) of two rows whose counts fade with a
half-life of a week, so memory does not grow with the vocabulary; a collision makes a term look more usual, never less. A count is held against
a negative binomial whose variance is E + E^2 / SHAPE: what people talk about drifts, so a share may double without anything being new.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

Floats = npt.NDArray[np.float64]
WIDTH_BITS = 15
WIDTH = 1 << WIDTH_BITS
SLOT_SECONDS = 600.0
SPAN_SECONDS = 3600.0
DAY_SECONDS = 86400.0
HALF_LIFE_SECONDS = 7 * DAY_SECONDS
MOST_TERMS_A_SLOT = 2000
MIN_PEOPLE = 5
MIN_FACTOR = 3.0
SHAPE = 4.0
P_NEW = 1e-8  # some hundred terms are looked at in a window, thirty thousand windows a month
P_STAYS = 1e-4
PRIOR_PEOPLE, PRIOR_TEXTS = 0.5, 500.0  # what is believed of a term before any text was read
MIN_TEXTS = 200.0


class Term(NamedTuple):
    """A term with the people who used it in the last hour, how many are usual, and since when it stands out (Unix seconds)."""

    term: str
    people: int
    expected: float
    since: float
    p_value: float


class Slot(msgspec.Struct, array_like=True):
    """Counts of ten minutes, or of one window where that is longer."""

    number: int
    texts: int = 0
    people: dict[str, int] = {}


class EmergingState(msgspec.Struct, array_like=True):
    """A snapshot."""

    usual: bytes
    texts: float
    slots: list[Slot]
    first: float | None
    since: dict[str, float]
    found: tuple[Term, ...]


class Emerging:
    """Give it each window's counts with `take`, in order of time, and `pass_time` where windows were silent."""

    def __init__(self, window_seconds: float) -> None:
        self.slot_seconds = max(SLOT_SECONDS, window_seconds)
        self.most_slots = max(1, round(SPAN_SECONDS / self.slot_seconds))
        self.fade = 0.5 ** (self.slot_seconds / HALF_LIFE_SECONDS)
        self.usual = np.zeros((2, WIDTH), np.float32)
        self.texts = 0.0  # behind `usual`, older ones for less
        self.slots: list[Slot] = []
        self.recent: dict[str, int] = {}  # people by term, over the slots
        self.first: float | None = None
        self.since: dict[str, float] = {}
        self.found: tuple[Term, ...] = ()  # what stands out now, strongest first

    def take(self, start: float, texts: int, people: Mapping[str, int]) -> None:
        """Add the window that starts at `start` (Unix seconds): how many texts were looked at, and in how many each term stood."""
        self.first = float(start) if self.first is None else self.first
        self.pass_time(start)
        number = int(start // self.slot_seconds)
        if not self.slots or self.slots[-1].number != number:
            self.slots.append(Slot(number))
        slot = self.slots[-1]
        slot.texts += texts
        for term, count in people.items():
            slot.people[term] = slot.people.get(term, 0) + count
            self.recent[term] = self.recent.get(term, 0) + count
        if len(slot.people) > MOST_TERMS_A_SLOT:
            self._cut(slot)
        self._look(start, people)

    def pass_time(self, now: float) -> None:
        """Slots older than the span become part of what is usual."""
        oldest = int(now // self.slot_seconds) - self.most_slots
        while self.slots and self.slots[0].number <= oldest:
            gone = self.slots.pop(0)
            self._forget(gone.people)
            self._learn(gone.people)
            self.texts += gone.texts
            following = self.slots[0].number if self.slots else int(now // self.slot_seconds)
            keep = self.fade ** (following - gone.number)
            self.usual *= np.float32(keep)
            self.texts *= keep
            self._look(now, ())

    def expected(self, terms: Iterable[str]) -> Floats:
        """People usual over the span for each term, float64[number of terms]."""
        packed = np.array([zlib.crc32(term.encode()) for term in terms], np.int64)
        seen = np.minimum(self.usual[0, packed & (WIDTH - 1)], self.usual[1, packed >> (32 - WIDTH_BITS)])
        texts = sum(slot.texts for slot in self.slots)
        share = (seen.astype(np.float64) + PRIOR_PEOPLE) / (self.texts + PRIOR_TEXTS)
        return np.asarray(texts * share, np.float64)

    def _look(self, now: float, moved: Iterable[str]) -> None:
        """Which terms stand out: those that moved and those that did before."""
        young = self.first is None or now - self.first < DAY_SECONDS or self.texts < MIN_TEXTS
        terms = sorted({term for term in (*moved, *self.since) if self.recent.get(term, 0) >= MIN_PEOPLE})
        if young or not terms:
            self.since, self.found = {}, ()
            return
        expected = self.expected(terms)
        people = np.array([self.recent[term] for term in terms], np.float64)
        p_value = betainc(people, SHAPE, expected / (expected + SHAPE))
        known = np.array([term in self.since for term in terms])
        new = (p_value <= np.where(known, P_STAYS, P_NEW)) & (people >= MIN_FACTOR * expected)
        rows = [
            Term(terms[i], int(people[i]), float(expected[i]), self.since.get(terms[i], float(now)), float(p_value[i]))
            for i in np.flatnonzero(new).tolist()
        ]
        self.since = {row.term: row.since for row in rows}
        self.found = tuple(sorted(rows, key=lambda row: (row.p_value, row.term)))

    def _learn(self, people: Mapping[str, int]) -> None:
        packed = np.array([zlib.crc32(term.encode()) for term in people], np.int64)
        counts = np.fromiter(people.values(), np.float32, len(people))
        np.add.at(self.usual[0], packed & (WIDTH - 1), counts)
        np.add.at(self.usual[1], packed >> (32 - WIDTH_BITS), counts)

    def _forget(self, people: Mapping[str, int]) -> None:
        for term, count in people.items():
            left = self.recent[term] - count
            if left:
                self.recent[term] = left
            else:
                del self.recent[term]

    def _cut(self, slot: Slot) -> None:
        """Keep half as many terms as fit, most people first; the others are learnt at once."""
        ranked = sorted(slot.people.items(), key=lambda item: (-item[1], zlib.crc32(item[0].encode())))
        rest = dict(ranked[MOST_TERMS_A_SLOT // 2 :])
        slot.people = dict(ranked[: MOST_TERMS_A_SLOT // 2])
        self._forget(rest)
        self._learn(rest)

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(
            EmergingState(self.usual.tobytes(), self.texts, self.slots, self.first, self.since, self.found)
        )

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot."""
        taken = msgspec.msgpack.decode(state, type=EmergingState)
        self.usual = np.frombuffer(taken.usual, np.float32).reshape(2, WIDTH).copy()
        self.texts, self.slots, self.first, self.since = taken.texts, taken.slots, taken.first, taken.since
        self.recent = {}
        for slot in self.slots:
            for term, count in slot.people.items():
                self.recent[term] = self.recent.get(term, 0) + count
        self.found = taken.found
