"""Running sums of the series that are unusual now, or stand in an incident: people and expected since the excess began."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.model import MAX_CHANNELS, Close
from alerting.policy import LEVEL, Policy

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
STRIDE = 1 << 20  # keywords at most
COLUMNS = 12
ONSET, LAST, PEOPLE, MESSAGES, EXPECTED, RECENT, RECENT_EXPECTED, RECENT_SPREAD, RATE, SPREAD, P, LOOKED_BACK = range(
    COLUMNS
)
NEVER = -1e18


def keys_of(place: npt.ArrayLike, keyword: npt.ArrayLike) -> Ints:
    """One number a (place, keyword), in their order."""
    return np.asarray(place, np.int64) * STRIDE + np.asarray(keyword, np.int64)


class Tracks:
    """Columns by series, sorted by key. RECENT…: decayed sums over `policy.recent`, of people, expected and its variance."""

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

    def update(self, close: Close, pinned: Collection[int]) -> None:
        """Take a close in; drop what is no longer unusual and not pinned (keys)."""
        keys = keys_of(close.place, close.keyword)
        hot = close.p_value <= self.policy.unusual_p
        self._pass_time(close, keys)
        rows = self.find(keys)
        known = rows >= 0
        self._add(rows[known], close, np.flatnonzero(known))
        wanted = hot | self._overlaps(close)
        if pinned:
            wanted |= np.isin(keys, np.fromiter(pinned, np.int64, len(pinned)))
        fresh = np.flatnonzero(wanted & ~known)
        if len(fresh):
            self._insert(keys[fresh], close, fresh)
        self._drop(close.start, pinned)

    def _overlaps(self, close: Close) -> npt.NDArray[np.bool_]:
        """Series of any keyword (`*`) where another is unusual: they tell how the people of two keywords overlap."""
        places = np.unique(close.place[close.p_value <= LEVEL])
        return (close.keyword == 0) & np.isin(close.place, places) if len(places) else np.zeros(len(close.place), bool)

    def _pass_time(self, close: Close, keys: Ints) -> None:
        """Decay the recent sums; windows in which a series had no row count as zeros against its last rate."""
        windows = 1 if self.start is None else max(1, round((close.start - self.start) / close.seconds))
        self.start = close.start
        data = self.data
        if not len(data):
            return
        kept = np.exp(-close.seconds / self.policy.recent)
        rows = self.find(keys)
        unseen = np.full(len(data), float(windows))
        unseen[rows[rows >= 0]] -= 1
        data[:, EXPECTED] += unseen * data[:, RATE]
        whole = (1 - kept**windows) / (1 - kept)  # weight of these windows together
        weight = np.where(unseen == windows, whole, whole - 1)
        for sums, each in ((RECENT_EXPECTED, RATE), (RECENT_SPREAD, SPREAD)):
            data[:, sums] = data[:, sums] * kept**windows + weight * data[:, each]
        data[:, RECENT] *= kept**windows
        data[:, P] = 1.0

    def _add(self, rows: Ints, close: Close, entries: Ints) -> None:
        data = self.data
        voices, expected = close.voices[entries], close.expected[entries]
        data[rows, PEOPLE] += voices
        data[rows, MESSAGES] += close.messages[entries]
        data[rows, EXPECTED] += expected
        data[rows, RECENT] += voices
        data[rows, RECENT_EXPECTED] += expected
        data[rows, RATE] = expected
        data[rows, SPREAD] = spread(expected, close.upper[entries])
        data[rows, RECENT_SPREAD] += data[rows, SPREAD]
        data[rows, P] = close.p_value[entries]
        self.channels[rows] += close.channels[entries]
        unusual = rows[close.p_value[entries] <= self.policy.unusual_p]
        data[unusual, LAST] = close.start
        tracked = np.flatnonzero(close.keyword[entries] == 0)
        if len(tracked):
            data[rows[tracked], LAST] = np.where(
                self._overlaps(close)[entries[tracked]], close.start, data[rows[tracked], LAST]
            )

    def _insert(self, keys: Ints, close: Close, entries: Ints) -> None:
        order = np.argsort(keys, kind="stable")
        keys, entries = keys[order], entries[order]
        slots = np.searchsorted(self.key, keys)
        new = np.zeros((len(keys), COLUMNS))
        new[:, ONSET] = new[:, LAST] = close.start
        new[:, P] = 1.0
        # What is usual lately, so that the first window is judged against as much as later ones are.
        usual = close.expected[entries], spread(close.expected[entries], close.upper[entries])
        weight = 1 / (1 - np.exp(-close.seconds / self.policy.recent)) - 1
        new[:, RECENT_EXPECTED], new[:, RECENT_SPREAD] = weight * usual[0], weight * usual[1]
        new[:, RECENT] = new[:, RECENT_EXPECTED]
        self.key = np.insert(self.key, slots, keys)
        self.data = np.insert(self.data, slots, new, axis=0)
        self.channels = np.insert(self.channels, slots, np.zeros((len(keys), MAX_CHANNELS)), axis=0)
        self._add(self.find(keys), close, entries)

    def _drop(self, start: int, pinned: Collection[int]) -> None:
        keep = start - self.data[:, LAST] <= self.policy.gap
        if pinned and not keep.all():
            keep |= np.isin(self.key, np.fromiter(pinned, np.int64, len(pinned)))
        self._keep(keep)

    def forget(self, keys: Sequence[int]) -> None:
        """Drop these series; an excess they still show begins anew."""
        self._keep(~np.isin(self.key, np.asarray(keys, np.int64)))

    def _keep(self, keep: npt.NDArray[np.bool_]) -> None:
        if not keep.all():
            self.key, self.data, self.channels = self.key[keep], self.data[keep], self.channels[keep]

    def high(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Whether people of the latest while are above the expected band, two at least."""
        data = self.data[rows]
        usual = data[:, RECENT_EXPECTED]
        band = np.maximum(usual + 2 * np.sqrt(data[:, RECENT_SPREAD]), usual + 1.0)
        high: npt.NDArray[np.bool_] = data[:, RECENT] > band
        return high

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
