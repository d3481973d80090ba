"""Which series of the last hour are shown, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from streams.closed import Cells
from streams.last_hour import Hour, LastHour

START = 1_700_000_000 // 3600 * 3600


def window(minute: int, *series: tuple[int, int, int, float, float]) -> Cells:
    """(place, keyword, people, expected, p) each."""
    place, keyword, people, expected, p = (np.array(column) for column in zip(*series, strict=True))
    held = np.zeros(len(place), bool)
    return Cells(START + minute * 60, 60, place, keyword, people, people, expected * 1.0, expected * 1.0, p * 1.0, held)


def heard(windows: list[Cells]) -> LastHour:
    hour = LastHour()
    for one in windows:
        hour.take([one], one.start + one.seconds)
    return hour


def told(hour: Hour) -> dict[tuple[int, int], tuple[int, float, float]]:
    """In the order of their rank."""
    columns = (column.tolist() for column in hour)
    return {(p, k): (people, expected, unusual) for p, k, people, expected, unusual in zip(*columns, strict=True)}


def test_people_and_expected_are_of_the_same_hour_silent_windows_too() -> None:
    hour = heard([window(0, (5, 1, 40, 0.5, 0.5)), window(30, (5, 1, 3, 0.5, 0.01)), window(89, (5, 1, 4, 0.5, 0.5))])
    people, expected, unusual = told(hour.ranked(9))[5, 1]
    assert people == 7  # the first window is over an hour back
    assert expected == pytest.approx(30.0)
    assert unusual == pytest.approx(2.0)


def test_after_a_start_what_is_expected_is_as_short_as_what_was_counted() -> None:
    hour = heard([window(0, (5, 1, 4, 0.5, 1.0)), window(9, (5, 1, 4, 0.5, 1.0))])
    assert told(hour.ranked(9))[5, 1] == (8, pytest.approx(5.0), 0.0)


def test_a_window_that_comes_in_pieces_is_counted_whole() -> None:
    hour = heard([window(0, (1, 1, 2, 1.0, 1.0)), window(0, (2, 1, 3, 1.0, 1.0)), window(1, (2, 1, 3, 1.0, 1.0))])
    assert {key: people for key, (people, _, _) in told(hour.ranked(9)).items()} == {(1, 1): 2, (2, 1): 6}


def test_the_most_unusual_moment_decides_the_rank_and_the_rest_is_cut_there() -> None:
    hour = heard(
        [window(0, (1, 1, 9, 1.0, 1e-9), (2, 1, 90, 80.0, 0.2), (3, 1, 5, 4.0, 0.2)), window(1, (4, 2, 2, 1.0, 0.0))]
    )
    ranked = hour.ranked(2)
    assert list(told(ranked))[:2] == [(4, 2), (1, 1)]
    assert told(ranked.rest(2)).keys() == {(2, 1), (3, 1)}
    assert list(told(hour.ranked(3)))[2] == (2, 1)  # of two as unusual, the one with more people
    assert told(ranked)[4, 2][2] == pytest.approx(300.0)  # a p-value too small to be written is not infinity


def test_before_the_first_window_there_is_nothing() -> None:
    assert len(LastHour().ranked(9).place) == 0


def test_silent_windows_let_what_was_unusual_go() -> None:
    hour = heard([window(0, (5, 1, 40, 0.5, 1e-9))])
    hour.take([], START + 3600.0)
    assert told(hour.ranked(9))[5, 1] == (40, pytest.approx(30.0), pytest.approx(9.0))
    hour.take([], START + 3660.0)
    assert not told(hour.ranked(9))
