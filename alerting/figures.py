"""The figures of open cases, brought up to date at each close."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from alerting.case import Case, Pulse
from alerting.joining import measure
from alerting.model import Close
from alerting.places_and_keywords import Atlas
from alerting.tracks import EXPECTED, MESSAGES, PEOPLE, RATE, SPREAD, P, Tracks, keys_of, spread

PULSE_SECONDS = 21_600.0  # windows of a case that are kept


def bring_up_to_date(cases: list[Case], tracks: Tracks, close: Close, atlas: Atlas) -> None:
    """People, expected, p-value and the newest window of every case."""
    keys = keys_of(close.place, close.keyword)
    until = close.start - max(PULSE_SECONDS, 8 * close.seconds)
    for case in cases:
        measure(case, tracks, atlas)
        measured = np.asarray(case.measured, np.int64)
        rows = tracks.find(measured)
        rows = rows[rows >= 0]
        figures = tracks.data[rows]
        people = float(figures[:, PEOPLE].sum())
        if case.state == "run" or people >= case.people:
            case.people, case.messages = people, float(figures[:, MESSAGES].sum())
            case.expected = float(figures[:, EXPECTED].sum())
            case.channels = tracks.channels[rows].sum(axis=0).tolist()
        own = tracks.find(np.asarray([*case.measured, *case.tight], np.int64))
        case.p_now = float(tracks.data[own[own >= 0], P].min(initial=1.0))
        case.p_lowest = min(case.p_lowest, case.p_now)
        case.pulses = [pulse for pulse in case.pulses if pulse.start > until]
        case.pulses.append(_pulse(close, keys, measured, figures))


def _pulse(
    close: Close, keys: npt.NDArray[np.int64], measured: npt.NDArray[np.int64], figures: npt.NDArray[np.float64]
) -> Pulse:
    """This window of the measured series; a series without a row had nobody, against its last known rate."""
    there = np.isin(keys, measured)
    expected, upper = close.expected[there], close.upper[there]
    if int(there.sum()) >= len(measured):
        usual = float(expected.sum()), float(spread(expected, upper).sum())
    else:
        usual = float(figures[:, RATE].sum()), float(figures[:, SPREAD].sum())
    return Pulse(close.start, float(close.voices[there].sum()), *usual)
