"""Running sums of the series that are unusual now, or stand in an incident: people and expected since the excess began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.model import MAX_CHANNELS, Close
from alerting.policy import LEVEL, Policy

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
STRIDE = 1 << 20  # keywords at most
COLUMNS = 15
ONSET, LAST, PEOPLE, MESSAGES, EXPECTED = range(5)
RECENT, RECENT_EXPECTED, RECENT_SPREAD, HOUR, HOUR_EXPECTED = range(5, 10)
RATE, SPREAD, P, LOOKED_BACK, GOING = range(10, COLUMNS)
FACTOR = 3.0  # an excess is looked for of so many times what is usual
LULL_SECONDS = 21_600.0  # in so long a time without anybody it loses what one person brought, however rare people are
MOST_GOING = 4.0  # people that keep it going


class Earlier(NamedTuple):
    """What a series had before it was tracked, as part of the same excess."""

    onset: float
    voices: float
    messages: float
    expected: float


def keys_of(place: npt.ArrayLike, keyword: npt.ArrayLike) -> Ints:
    """One number a (place, keyword), in their order."""
    return np.asarray(place, np.int64) * STRIDE + np.asarray(keyword, np.int64)


def among(ordered: Ints, wanted: Ints) -> npt.NDArray[np.bool_]:
    """bool[n]: which of `ordered`, sorted and distinct, are one of `wanted`."""
    found = np.zeros(len(ordered) + 1, bool)
    slot = np.searchsorted(ordered, wanted)
    there = slot < len(ordered)
    there[there] = ordered[slot[there]] == wanted[there]
    found[slot[there]] = True
    return found[:-1]


class Tracks:
    """Columns by series, sorted by key.

    PEOPLE, EXPECTED: since ONSET. RECENT…, HOUR…: sums that decay over `policy.recent` and `policy.decay`, of people, expected
    and its variance: on one time scale for all series, so that places and keywords can be compared. GOING: the evidence that the
    excess still goes on, a cumulative sum of log-likelihood ratios (Page 1954) of FACTOR times what is usual; at 0 it is over.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.key: Ints = np.zeros(0, np.int64)
        self.data: Floats = np.zeros((0, COLUMNS))
        self.channels: Floats = np.zeros((0, MAX_CHANNELS))
        self.start: int | None = None

    def find(self, keys: Ints) -> Ints:
        """Row of each key, -1 where it is not tracked."""
        if not len(self.key):
            return np.full(len(keys), -1, np.int64)
        slot = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        return np.where(self.key[slot] == keys, slot, -1)

    def row(self, place: int, keyword: int) -> int:
        return int(self.find(keys_of([place], [keyword]))[0])

    def update(self, close: Close, pinned: Ints) -> None:
        """Take a close in; drop what is no longer unusual and not pinned (keys)."""
        keys = keys_of(close.place, close.keyword)
        overlaps = self._overlaps(close)
        wanted = (close.p_value <= self.policy.unusual_p) | overlaps
        rows = self.find(keys)
        known = rows >= 0
        self._pass_time(close, rows[known])
        self._add(rows[known], close, np.flatnonzero(known), wanted)
        fresh = ~known & (wanted | among(keys, pinned))
        new = np.flatnonzero(fresh)
        if len(new):
            self._insert(keys[new], close, new, wanted)
        self._drop(close.start, pinned)

    def _overlaps(self, close: Close) -> npt.NDArray[np.bool_]:
        """Series of any keyword (`*`) where another is unusual: they tell how the people of two keywords overlap."""
        unusual = np.zeros(int(close.place.max(initial=0)) + 1, bool)  # by place
        unusual[close.place[close.p_value <= LEVEL]] = True
        overlaps: npt.NDArray[np.bool_] = (close.keyword == 0) & unusual[close.place]
        return overlaps

    def _pass_time(self, close: Close, rows: Ints) -> None:
        """Decay the recent sums; windows in which a series had no row (not one of `rows`) count as zeros against its last rate."""
        windows = 1 if self.start is None else max(1, round((close.start - self.start) / close.seconds))
        self.start = close.start
        data = self.data
        if not len(data):
            return
        unseen = np.full(len(data), float(windows))
        unseen[rows] -= 1
        data[:, EXPECTED] += unseen * data[:, RATE]
        for over, people, means in (
            (self.policy.recent, RECENT, ((RECENT_EXPECTED, RATE), (RECENT_SPREAD, SPREAD))),
            (self.policy.decay, HOUR, ((HOUR_EXPECTED, RATE),)),
        ):
            kept = float(np.exp(-close.seconds / over))
            whole = (1 - kept**windows) / (1 - kept)  # weight of these windows together
            weight = np.where(unseen == windows, whole, whole - 1)
            data[:, people] *= kept**windows
            for sums, each in means:
                data[:, sums] = data[:, sums] * kept**windows + weight * data[:, each]
        data[:, P] = 1.0
        lull = np.log(FACTOR) * close.seconds / LULL_SECONDS
        data[:, GOING] -= windows * np.maximum((FACTOR - 1) * data[:, RATE], lull)

    def _add(self, rows: Ints, close: Close, entries: Ints, wanted: npt.NDArray[np.bool_]) -> None:
        if not len(rows):
            return
        data = self.data
        voices, expected = close.voices[entries], close.expected[entries]
        data[rows, PEOPLE] += voices
        data[rows, MESSAGES] += close.messages[entries]
        data[rows, EXPECTED] += expected
        for people, usual in ((RECENT, RECENT_EXPECTED), (HOUR, HOUR_EXPECTED)):
            data[rows, people] += voices
            data[rows, usual] += expected
        data[rows, RATE] = expected
        data[rows, SPREAD] = spread(expected, close.upper[entries])
        data[rows, RECENT_SPREAD] += data[rows, SPREAD]
        data[rows, P] = close.p_value[entries]
        going = data[rows, GOING] + np.log(FACTOR) * voices
        data[rows, GOING] = np.minimum(going, MOST_GOING * np.log(FACTOR))
        self.channels[rows] += close.channels[entries]
        data[rows[wanted[entries]], LAST] = close.start

    def _insert(self, keys: Ints, close: Close, entries: Ints, wanted: npt.NDArray[np.bool_]) -> None:
        order = np.argsort(keys, kind="stable")
        keys, entries = keys[order], entries[order]
        slots = np.searchsorted(self.key, keys)
        new = np.zeros((len(keys), COLUMNS))
        new[:, ONSET] = new[:, LAST] = close.start
        new[:, P] = 1.0
        # What is usual lately, so that the first window is judged against as much as later ones are.
        for over, people, mean in (
            (self.policy.recent, RECENT, RECENT_EXPECTED),
            (self.policy.decay, HOUR, HOUR_EXPECTED),
        ):
            weight = 1 / (1 - np.exp(-close.seconds / over)) - 1
            new[:, mean] = new[:, people] = weight * close.expected[entries]
        weight = 1 / (1 - np.exp(-close.seconds / self.policy.recent)) - 1
        new[:, RECENT_SPREAD] = weight * spread(close.expected[entries], close.upper[entries])
        self.key = np.insert(self.key, slots, keys)
        self.data = np.insert(self.data, slots, new, axis=0)
        self.channels = np.insert(self.channels, slots, np.zeros((len(keys), MAX_CHANNELS)), axis=0)
        self._add(self.find(keys), close, entries, wanted)

    def _drop(self, start: int, pinned: Ints) -> None:
        keep = (start - self.data[:, LAST] <= self.policy.gap) & (self.data[:, GOING] > 0)
        if not keep.all():
            keep |= among(self.key, pinned)
        self._keep(keep)

    def forget(self, keys: Sequence[int]) -> None:
        """Drop these series; an excess they still show begins anew."""
        self._keep(~among(self.key, np.asarray(keys, np.int64)))

    def _keep(self, keep: npt.NDArray[np.bool_]) -> None:
        if not keep.all():
            self.key, self.data, self.channels = self.key[keep], self.data[keep], self.channels[keep]

    def look_back(self, row: int, before: Earlier) -> None:
        """Add what a series had before it was tracked."""
        data = self.data[row]
        data[PEOPLE] += before.voices
        data[EXPECTED] += before.expected
        data[HOUR] += before.voices - before.expected  # it stands at what is usual
        data[MESSAGES] += before.messages
        data[[ONSET, LOOKED_BACK]] = (before.onset, 1.0)

    def state(self) -> TracksState:
        return TracksState(self.start, self.key.tobytes(), self.data.tobytes(), self.channels.tobytes())

    def load(self, state: TracksState) -> None:
        self.start = state.start
        self.key = np.frombuffer(state.key, np.int64).copy()
        self.data = np.frombuffer(state.data).reshape(-1, COLUMNS).copy()
        self.channels = np.frombuffer(state.channels).reshape(-1, MAX_CHANNELS).copy()


class TracksState(msgspec.Struct, array_like=True):
    """A snapshot of the columns."""

    start: int | None
    key: bytes
    data: bytes
    channels: bytes


def spread(expected: Floats, upper: Floats) -> Floats:
    """Variance of one window's count, from its expected value and the 97.5 % quantile; at least Poisson's."""
    return np.maximum(expected, ((upper - expected) / 1.96) ** 2)
