"""What a snapshot of ALERT holds."""

from __future__ import annotations

import msgspec

from alerting import controls as acts
from alerting.case import Case
from alerting.memory import MemoryState
from alerting.tracks import TracksState
from detectors.tail_cut import TailState

VERSION = 4


class State(msgspec.Struct, array_like=True):
    """A snapshot; `version` is that of its layout."""

    version: int
    cases: list[Case]
    unnamed: list[Case]
    archive: list[Case]
    standing: acts.Standing
    tracks: TracksState
    memory: MemoryState
    tail: TailState
    opened: list[tuple[float, str]]
    channel_people: list[float]
    last_end: float | None
