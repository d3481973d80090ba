"""The figures of open cases, brought up to date at each close."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from alerting.case import Case, Pulse
from alerting.model import Close
from alerting.places_and_keywords import Atlas
from alerting.tracks import EXPECTED, MESSAGES, PEOPLE, RATE, SPREAD, STRIDE, P, Tracks, keys_of, spread

Ints = npt.NDArray[np.int64]
STRONG = ("suspected", "confirmed")
PULSE_SECONDS = 21_600.0  # windows of a case that are kept


def bring_up_to_date(cases: list[Case], touched: list[Case], tracks: Tracks, close: Close, atlas: Atlas) -> None:
    """People, expected, p-value and the newest window of every case; those `touched` show their own series."""
    keys = keys_of(close.place, close.keyword)
    until = close.start - max(PULSE_SECONDS, 8 * close.seconds)
    for case in cases:
        rows = tracks.find(np.array([*case.measured, *case.tight], np.int64))
        measured = rows[: len(case.measured)]
        measured = measured[measured >= 0]
        figures = tracks.data[measured]
        case.p_now = min(case.p_found, float(tracks.data[rows[rows >= 0], P].min(initial=1.0)))
        if case.state in ("run", "signal") and not any(case is one for one in touched):
            case.p_now = 1.0  # another case explains what its series show
        case.p_found = 1.0
        case.p_lowest = min(case.p_lowest, case.p_now)
        people = float(figures[:, PEOPLE].sum())
        widened = case.told_place >= 0 and atlas.lies_in(case.told_place, case.place)
        anew = case.state in ("run", "signal") or not widened
        if anew or people >= case.people:  # the largest count stands; a scope found elsewhere or within is counted anew
            case.people, case.messages = people, float(figures[:, MESSAGES].sum())
            case.expected = float(figures[:, EXPECTED].sum())
            case.channels = tracks.channels[measured].sum(axis=0).tolist()
        while case.pulses and case.pulses[0].start <= until:
            del case.pulses[0]
        case.pulses.append(_pulse(close, keys, case.measured, figures))


def _pulse(close: Close, keys: Ints, measured: list[int], figures: npt.NDArray[np.float64]) -> Pulse:
    """This window of the measured series; a series without a row had nobody, against its last known rate."""
    if not len(keys):
        return Pulse(close.start, 0.0, float(figures[:, RATE].sum()), float(figures[:, SPREAD].sum()))
    wanted = np.array(measured, np.int64)
    slot = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    there = slot[keys[slot] == wanted]
    expected, upper = close.expected[there], close.upper[there]
    if len(there) >= len(measured):
        usual = float(expected.sum()), float(spread(expected, upper).sum())
    else:
        usual = float(figures[:, RATE].sum()), float(figures[:, SPREAD].sum())
    return Pulse(close.start, float(close.voices[there].sum()), *usual)


def held_series(cases: Iterable[Case], now: float, longest_seconds: float) -> frozenset[tuple[int, int]]:
    """(place, keyword) of the series inside what is suspected, or marked, for no longer than that."""
    strong = [case for case in cases if case.state in STRONG or (case.open and bool(case.marks))]
    return series_of(case for case in strong if now - (case.suspected_at or case.opened_at or now) <= longest_seconds)


def series_of(cases: Iterable[Case]) -> frozenset[tuple[int, int]]:
    """(place, keyword) of all series these cases explain."""
    keys = {key for case in cases for key in (*case.measured, *case.held, *case.tight)}
    return frozenset((key // STRIDE, key % STRIDE) for key in keys)
