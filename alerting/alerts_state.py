"""What a snapshot of ALERT holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from alerting import controls as acts
from alerting.case import Case
from alerting.memory import MemoryState
from alerting.tracks import TracksState
from detectors.tail_cut import TailState

if TYPE_CHECKING:
    from alerting.alerts import Alerts

VERSION = 5


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


def packed(alerts: Alerts) -> bytes:
    """The whole state, versioned."""
    state = State(
        VERSION,
        alerts.cases,
        alerts.unnamed.cases,
        alerts.archive,
        alerts.standing,
        alerts.tracks.state(),
        alerts.memory.state(),
        alerts.tail.state(),
        alerts.opened,
        alerts.channel_people.tolist(),
        alerts.last_end,
    )
    return msgspec.msgpack.encode(state)


def unpack(state: bytes, alerts: Alerts) -> None:
    """Put a state back. Raises ValueError when it is of another version."""
    taken = msgspec.msgpack.decode(state, type=State)
    if taken.version != VERSION:
        raise ValueError(f"alerts: snapshot of version {taken.version}, this is {VERSION}")
    alerts.cases, alerts.archive, alerts.standing = taken.cases, taken.archive, taken.standing
    alerts.unnamed.cases = taken.unnamed
    alerts.tracks.load(taken.tracks)
    alerts.memory.load(taken.memory)
    alerts.tail.load(taken.tail)
    alerts.opened, alerts.channel_people = taken.opened, np.asarray(taken.channel_people)
    alerts.last_end = taken.last_end
