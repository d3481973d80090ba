"""Times, counts and odds as people read them."""

from __future__ import annotations

import pytest

from dashboards.dom import to_html
from dashboards.words import clock, duration, moment, number, odds, times, usual
from tests.dashboards.made_up import NOW


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(8, "8 s"), (59.7, "1 min"), (2400, "40 min"), (7200, "2 h"), (7800, "2 h 10 min"), (90_000, "1 day 1 h")],
)
def test_durations_use_the_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_time_is_told_in_the_viewers_zone_with_utc_on_hover() -> None:
    html = to_html(moment(NOW - 2400, "America/New_York", NOW, since=True, lasted=True))
    assert ">since 07:03 (40 min)<" in html
    assert 'title="2026-02-23 12:03:00 UTC"' in html
    assert 'datetime="2026-02-23T12:03:00Z"' in html


def test_a_time_of_another_day_names_the_day() -> None:
    assert clock(NOW - 86400, "UTC", NOW) == "Sun 12:43"
    assert clock(NOW - 40 * 86400, "UTC", NOW) == "14 Jan 12:43"
    assert clock(NOW - 400 * 86400, "UTC", NOW) == "19 Jan 2025 12:43"


def test_the_hour_that_comes_twice_and_an_unknown_zone_do_no_harm() -> None:
    first, second = 1_793_509_200 + 1800, 1_793_509_200 + 5400  # 1 Nov 2026, 05:30 and 06:30 UTC
    assert clock(first, "America/New_York") == clock(second, "America/New_York") == "01:30"
    assert clock(NOW, "Mars/Olympus") == "12:43"


@pytest.mark.parametrize(
    ("expected", "said"),
    [(0.0, "usually 0"), (1.0, "usually 0 to 3"), (13.0, "usually 7 to 19"), (1200.0, "usually 1,143 to 1,257")],
)
def test_the_usual_is_a_range(expected: float, said: str) -> None:
    assert usual(expected) == said


def test_odds_and_factors_are_comparisons() -> None:
    assert odds(3e-6) == "about 1 time in 330,000"
    assert odds(1e-15) == "less than 1 time in a billion"
    assert times(14.1) == "14 × the usual"
    assert times(float("inf")) == "far above the usual"
    assert [number(v) for v in (1204, 9.96, 2.14, 0.3, 0.03, 0)] == ["1,204", "10.0", "2.1", "0.3", "0.03", "0"]
