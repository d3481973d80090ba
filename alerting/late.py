"""Late data: people heard of after their windows had closed. They correct what an incident says of itself, and decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.case import Case, LateCount
from alerting.model import LatePeople
from alerting.places_and_keywords import ANY, Atlas
from alerting.policy import Policy
from alerting.tracks import STRIDE, keys_of

Ints = npt.NDArray[np.int64]
MOST_PULSES = 480


class LateRows(NamedTuple):
    """What came late of one window, rolled up the place tree: int64[m], `channels` int64[m, 8]."""

    start: int
    place: Ints
    keyword: Ints
    voices: Ints
    messages: Ints
    channels: Ints


def take(case: Case, windows: Sequence[LateRows], policy: Policy, atlas: Atlas) -> None:
    """Add to a case what came late of its series in its windows, and note what of it is still to be told."""
    seconds = policy.window_seconds
    own = [rows for rows in windows if _is_its(case, rows.start, seconds)]
    if not own:
        return
    wanted, people = _series(case, atlas), 0
    for rows in own:
        voices = _add(case, rows, wanted)
        if voices:
            people += voices
            case.late_pulses = [*case.late_pulses[1 - MOST_PULSES :], (rows.start, float(voices))]
            _note(case, LatePeople(voices, rows.start, rows.start + seconds))
    if people:
        case.peak = max(case.peak, _most_in_an_hour(case, policy.span(3600.0, 1)))


def due(case: Case, now: float, policy: Policy) -> bool:
    """Whether its correction is to be told now."""
    return case.late_untold is not None and now - case.late_told_at >= policy.late_pause_seconds


def _is_its(case: Case, start: int, seconds: int) -> bool:
    began = start + seconds > case.onset
    going_on = case.resolved_at is None or start < case.resolved_at
    return began and going_on and bool(case.measured) and case.merged_into is None


def _series(case: Case, atlas: Atlas) -> Ints:
    """Keys of the series that are or may come to be counted: its own, and those of its keyword at its places and above them."""
    places = np.array([*atlas.trees.above(case.place), *case.parts], np.int64)
    return np.unique(
        np.concatenate(
            (
                np.array([*case.measured, *case.tight, *case.held], np.int64),
                places * STRIDE + case.main,
                places * STRIDE + ANY,
            )
        )
    )


def _add(case: Case, rows: LateRows, wanted: Ints) -> int:
    """Add a window; returns the people of the series that are counted now."""
    keys = keys_of(rows.place, rows.keyword)
    measured, people = set(case.measured), 0
    for i in np.flatnonzero(np.isin(keys, wanted)).tolist():
        key, voices = int(keys[i]), int(rows.voices[i])
        known = case.late.get(key, LateCount())
        channels = [n + more for n, more in zip(known.channels, rows.channels[i].tolist(), strict=True)]
        case.late[key] = LateCount(known.people + voices, known.messages + int(rows.messages[i]), channels)
        people += voices if key in measured else 0
    return people


def _note(case: Case, news: LatePeople) -> None:
    """What was never told needs no correction: its first revision holds it."""
    if not case.told:
        return
    known = case.late_untold or msgspec.structs.replace(news, people=0)
    case.late_untold = LatePeople(
        known.people + news.people, min(known.since, news.since), max(known.until, news.until)
    )


def _most_in_an_hour(case: Case, hour: float) -> int:
    """Most people in any hour of the windows still known, late ones too."""
    windows = sorted([*((pulse.start, pulse.voices) for pulse in case.pulses), *case.late_pulses])
    start, voices = np.array([at for at, _ in windows]), np.array([count for _, count in windows])
    total = np.concatenate(([0.0], np.cumsum(voices)))
    return round(float((total[1:] - total[np.searchsorted(start, start - hour, side="right")]).max()))
