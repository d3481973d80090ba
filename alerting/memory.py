"""The last 24 hours of unusual cells, and the evidence of the last while: for the beginning of an excess, and for why-not."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.model import Close, Evidence
from alerting.policy import Policy
from alerting.tracks import Earlier, keys_of

Ints = npt.NDArray[np.int64]
UNUSUAL = 0.05
MOST_EVIDENCE = 4000  # entries kept


class Remembered(NamedTuple):
    """Cells of one close that were at all unusual, sorted by key, and the cut then."""

    start: int
    seconds: int
    cut: float
    key: Ints
    figures: npt.NDArray[np.float32]  # voices, messages, expected, upper, p-value


class Memory:
    """Bounded by time and by rows."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.closes: deque[Remembered] = deque()
        self.evidence: deque[tuple[int, Mapping[tuple[int, int], Evidence]]] = deque()
        self.rows = 0

    def take(self, close: Close, cut: float) -> None:
        """Remember a close."""
        kept = np.flatnonzero(close.p_value <= self.policy.remember_p)
        columns = (close.voices, close.messages, close.expected, close.upper, close.p_value)
        figures = np.stack([column[kept] for column in columns], axis=1).astype(np.float32)
        key = keys_of(close.place[kept], close.keyword[kept])
        self.closes.append(Remembered(close.start, close.seconds, cut, key, figures))
        self.rows += len(kept)
        oldest = close.start - self.policy.span(self.policy.remember_seconds, 4)
        while self.closes and (self.closes[0].start < oldest or self.rows > self.policy.remember_rows):
            self.rows -= len(self.closes.popleft().key)
        if close.evidence:
            self.evidence.append((close.start, close.evidence))
        before = close.start - self.policy.hold
        count = sum(len(entries) for _, entries in self.evidence)
        while self.evidence and (self.evidence[0][0] < before or count > MOST_EVIDENCE):
            count -= len(self.evidence.popleft()[1])

    def look_back(self, key: int, start: float) -> Earlier:
        """The windows before `start` that belong to the same excess: unusual, without a long gap, an hour back at most."""
        onset, last = start, start
        voices = messages = expected = 0.0
        for one in reversed(self.closes):
            if one.start >= start:
                continue
            if last - one.start > self.policy.gap or start - one.start > self.policy.hold:
                break
            slot = int(np.searchsorted(one.key, key))
            if slot == len(one.key) or one.key[slot] != key:
                continue
            seen, posted, usual, _, p = one.figures[slot].tolist()
            rare = usual * self.policy.hold / one.seconds < 1
            if p > UNUSUAL and not rare:
                continue
            voices, messages, expected, last = voices + seen, messages + posted, expected + usual, one.start
            if seen > usual:
                onset = one.start
        return Earlier(onset, voices, messages, expected)

    def at(self, time: float) -> Remembered | None:
        """The close whose window holds `time`."""
        return next((one for one in reversed(self.closes) if one.start <= time < one.start + one.seconds), None)

    def figures(self, key: int, since: float, until: float) -> list[tuple[int, list[float]]]:
        """Remembered cells of a series whose windows lie in [since, until): start, and the columns of `Remembered`."""
        out: list[tuple[int, list[float]]] = []
        for one in self.closes:
            if since <= one.start < until:
                slot = int(np.searchsorted(one.key, key))
                if slot < len(one.key) and one.key[slot] == key:
                    out.append((one.start, one.figures[slot].tolist()))
        return out

    def state(self) -> MemoryState:
        return MemoryState(
            [(one.start, one.seconds, one.cut, one.key.tobytes(), one.figures.tobytes()) for one in self.closes],
            [(start, [(*key, value) for key, value in entries.items()]) for start, entries in self.evidence],
        )

    def load(self, state: MemoryState) -> None:
        self.closes = deque(
            Remembered(
                start, seconds, cut, np.frombuffer(key, np.int64), np.frombuffer(data, np.float32).reshape(-1, 5)
            )
            for start, seconds, cut, key, data in state.closes
        )
        self.rows = sum(len(one.key) for one in self.closes)
        self.evidence = deque(
            (start, {(place, keyword): value for place, keyword, value in entries}) for start, entries in state.evidence
        )


class MemoryState(msgspec.Struct, array_like=True):
    """A snapshot."""

    closes: list[tuple[int, int, float, bytes, bytes]]
    evidence: list[tuple[int, list[tuple[int, int, Evidence]]]]
