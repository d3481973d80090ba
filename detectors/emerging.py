"""Emerging terms: words heard at a place from more people in the last hour than chance brings, beside the words one listens for.

The usual share of texts that hold a term is kept in count-min sketches (Cormode and Muthukrishnan 2005) of two rows whose counts fade with
a half-life of a week, so memory does not grow with the vocabulary; a collision makes a term look more usual, never less. One sketch is of all
texts, one of those of each place, which leans on the first where few texts came from there. A count is held against a negative binomial
whose variance is E + E^2 / SHAPE: what people talk about drifts, so a share may double without anything being new.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from detectors.sketch import Sketch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
WIDTH_BITS, WIDTH_BITS_AT = 15, 17
SLOT_SECONDS = 600.0
SPAN_SECONDS = 3600.0
DAY_SECONDS = 86400.0
HALF_LIFE_SECONDS = 7 * DAY_SECONDS
MOST_TERMS_A_SLOT = 4000  # of all places together
MIN_PEOPLE = 5
MIN_FACTOR = 3.0
SHAPE = 4.0
P_NEW = 1e-8  # some hundred terms are looked at in a window, thirty thousand windows a month
P_STAYS = 1e-4
PRIOR_PEOPLE, PRIOR_TEXTS = 0.5, 500.0  # what is believed of a term before any text was read
PRIOR_TEXTS_AT = 100.0  # a place is believed to talk as all do, as firmly as so many of its texts say otherwise
MIN_TEXTS = 200.0
HOLDS = 0.6  # of a term's people within a wider place are at the tighter one: it is the tighter one's

Counts = Mapping[int, Mapping[str, int]]  # people by place, then term


class Term(NamedTuple):
    """A term with the people who used it at `place` in the last hour, how many are usual, and since when it stands out (Unix seconds)."""

    term: str
    place: int
    people: int
    expected: float
    since: float
    p_value: float


class Slot(msgspec.Struct, array_like=True):
    """Counts of ten minutes, or of one window where that is longer; by place."""

    number: int
    texts: dict[int, int] = {}
    people: dict[int, dict[str, int]] = {}


class EmergingState(msgspec.Struct, array_like=True):
    """A snapshot."""

    usual: bytes
    usual_at: bytes
    texts: float
    texts_at: dict[int, float]
    slots: list[Slot]
    first: float | None
    since: dict[str, float]
    found: tuple[Term, ...]


class Emerging:
    """Give it each window's counts with `take`, in order of time, and `pass_time` where windows were silent.

    `above`: int[n, k], for each place the places one looks at for its people: itself first, everywhere last, filled up with -1.
    """

    def __init__(self, window_seconds: float, above: Ints, everywhere: int = 0) -> None:
        self.slot_seconds = max(SLOT_SECONDS, window_seconds)
        self.most_slots = max(1, round(SPAN_SECONDS / self.slot_seconds))
        self.fade = 0.5 ** (self.slot_seconds / HALF_LIFE_SECONDS)
        self.above, self.everywhere = above, everywhere
        self.usual, self.usual_at = Sketch(WIDTH_BITS), Sketch(WIDTH_BITS_AT)
        self.texts = 0.0  # behind `usual`, older ones for less
        self.texts_at: dict[int, float] = {}  # behind `usual_at`
        self.slots: list[Slot] = []
        self.recent: dict[str, dict[int, int]] = {}  # people by term, then place, over the slots
        self.first: float | None = None
        self.since: dict[str, float] = {}
        self.found: tuple[Term, ...] = ()  # what stands out now, strongest first; a term once for each disjoint place

    def take(self, start: float, texts: Mapping[int, int], people: Counts) -> None:
        """Add the window that starts at `start` (Unix seconds): how many texts were looked at, and in how many each term stood."""
        self.first = float(start) if self.first is None else self.first
        self.pass_time(start)
        number = int(start // self.slot_seconds)
        if not self.slots or self.slots[-1].number != number:
            self.slots.append(Slot(number))
        slot = self.slots[-1]
        for place, count in texts.items():
            slot.texts[place] = slot.texts.get(place, 0) + count
        for place, terms in people.items():
            known = slot.people.setdefault(place, {})
            for term, count in terms.items():
                known[term] = known.get(term, 0) + count
                at = self.recent.setdefault(term, {})
                at[place] = at.get(place, 0) + count
        if sum(map(len, slot.people.values())) > MOST_TERMS_A_SLOT:
            self._cut(slot)
        self._look(start, {term for terms in people.values() for term in terms})

    def pass_time(self, now: float) -> None:
        """Slots older than the span become part of what is usual."""
        oldest = int(now // self.slot_seconds) - self.most_slots
        while self.slots and self.slots[0].number <= oldest:
            gone = self.slots.pop(0)
            self._forget(gone.people)
            self._learn(gone.people)
            for place, count in gone.texts.items():
                self.texts += count
                for one in self._line(place)[:-1]:
                    self.texts_at[one] = self.texts_at.get(one, 0.0) + count
            following = self.slots[0].number if self.slots else int(now // self.slot_seconds)
            self._fade(self.fade ** (following - gone.number))
            self._look(now, ())

    def expected(self, terms: Iterable[str], places: Iterable[int]) -> Floats:
        """People usual over the span for each term at the place beside it, float64[number of terms]."""
        codes, where = _codes(terms), np.array(list(places), np.int64)
        share = (self.usual.read(codes) + PRIOR_PEOPLE) / (self.texts + PRIOR_TEXTS)
        seen = self.usual_at.read(_codes_at(codes, where))
        texts = np.array([self.texts_at.get(place, 0.0) for place in where.tolist()])
        own = (seen + PRIOR_TEXTS_AT * share) / (texts + PRIOR_TEXTS_AT)
        lately = self._texts_lately()
        now = np.array([lately.get(place, 0) for place in where.tolist()], np.float64)
        return np.asarray(now * np.where(where == self.everywhere, share, own), np.float64)

    def _look(self, now: float, moved: Iterable[str]) -> None:
        """Which terms stand out, and where: of those that moved and those that did before."""
        young = self.first is None or now - self.first < DAY_SECONDS or self.texts < MIN_TEXTS
        asked = sorted({*moved, *self.since} & self.recent.keys())
        rows = [] if young else [row for term in asked for row in self._rows(term)]
        if not rows:
            self.since, self.found = {}, ()
            return
        terms, places, counts = zip(*rows, strict=True)
        expected = self.expected(terms, places)
        people = np.array(counts, np.float64)
        p_value = betainc(people, SHAPE, expected / (expected + SHAPE))
        known = np.array([term in self.since for term in terms])
        new = (p_value <= np.where(known, P_STAYS, P_NEW)) & (people >= MIN_FACTOR * expected)
        found: dict[str, list[Term]] = {}
        for i in np.flatnonzero(new).tolist():
            since = self.since.get(terms[i], float(now))
            one = Term(terms[i], places[i], counts[i], float(expected[i]), since, float(p_value[i]))
            found.setdefault(one.term, []).append(one)
        told = [one for rows_of in found.values() for one in self._tightest(rows_of)]
        self.since = {one.term: one.since for one in told}
        self.found = tuple(sorted(told, key=lambda one: (one.p_value, one.term, one.place)))

    def _rows(self, term: str) -> list[tuple[str, int, int]]:
        """The term with every place where enough people said it."""
        at = self.recent[term]
        if sum(at.values()) < MIN_PEOPLE:
            return []
        people: dict[int, int] = {}
        for place, count in at.items():
            for one in self._line(place):
                people[one] = people.get(one, 0) + count
        return [(term, place, count) for place, count in sorted(people.items()) if count >= MIN_PEOPLE]

    def _tightest(self, rows: list[Term]) -> list[Term]:
        """Of the places where one term stands out the widest, each narrowed down to one within it that holds most of its people."""
        left, told = sorted(rows, key=lambda one: (len(self._line(one.place)), -one.people, one.place)), []
        while left:
            first = best = left[0]
            inside = [one for one in left if first.place in self._line(one.place)]
            for one in inside:
                if best.place in self._line(one.place) and one.people >= HOLDS * first.people:
                    best = one
            told.append(best)
            left = [one for one in left if one not in inside]
        return told

    def _line(self, place: int) -> list[int]:
        """The places one looks at for people of this one, itself first."""
        return [one for one in self.above[place].tolist() if one >= 0]

    def _texts_lately(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for slot in self.slots:
            for place, count in slot.texts.items():
                for one in self._line(place):
                    found[one] = found.get(one, 0) + count
        return found

    def _learn(self, counts: Counts) -> None:
        rows = [(term, place, count) for place, people in counts.items() for term, count in people.items()]
        if not rows:
            return
        terms, places, people = zip(*rows, strict=True)
        codes, seen = _codes(terms), np.array(people, np.float32)
        self.usual.add(codes, seen)
        for column in self.above[list(places)].T:
            inside = (column >= 0) & (column != self.everywhere)
            self.usual_at.add(_codes_at(codes[inside], column[inside]), seen[inside])

    def _fade(self, keep: float) -> None:
        self.usual.fade(keep)
        self.usual_at.fade(keep)
        self.texts *= keep
        self.texts_at = {place: left for place, texts in self.texts_at.items() if (left := texts * keep) >= 0.5}

    def _forget(self, counts: Counts) -> None:
        for place, people in counts.items():
            for term, count in people.items():
                at = self.recent[term]
                at[place] -= count
                if not at[place]:
                    del at[place]
                    if not at:
                        del self.recent[term]

    def _cut(self, slot: Slot) -> None:
        """Keep half as many terms as fit, most people first; the others are learnt at once."""
        rows = [(place, term, count) for place, people in slot.people.items() for term, count in people.items()]
        rows.sort(key=lambda row: (-row[2], zlib.crc32(row[1].encode()), row[0]))
        rest = _by_place(rows[MOST_TERMS_A_SLOT // 2 :])
        slot.people = _by_place(rows[: MOST_TERMS_A_SLOT // 2])
        self._forget(rest)
        self._learn(rest)

    def snapshot(self) -> bytes:
        """The whole state."""
        usual = self.usual.state(), self.usual_at.state(), self.texts, self.texts_at
        return msgspec.msgpack.encode(EmergingState(*usual, self.slots, self.first, self.since, self.found))

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot."""
        taken = msgspec.msgpack.decode(state, type=EmergingState)
        self.usual.load(taken.usual)
        self.usual_at.load(taken.usual_at)
        self.texts, self.texts_at = taken.texts, taken.texts_at
        self.slots, self.first, self.since, self.found = taken.slots, taken.first, taken.since, taken.found
        self.recent = {}
        for slot in self.slots:
            for place, people in slot.people.items():
                for term, count in people.items():
                    at = self.recent.setdefault(term, {})
                    at[place] = at.get(place, 0) + count


def _by_place(rows: Iterable[tuple[int, str, int]]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for place, term, count in rows:
        found.setdefault(place, {})[term] = count
    return found


def _codes(terms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """32 bits a term, uint64[number of terms]."""
    return np.array([zlib.crc32(term.encode()) for term in terms], np.uint64)


def _codes_at(codes: npt.NDArray[np.uint64], places: Ints) -> npt.NDArray[np.uint64]:
    """The same for terms at places."""
    return codes ^ (places.astype(np.uint64) + np.uint64(1)) << np.uint64(32)
