"""The wording of what people read."""

from __future__ import annotations

import msgspec
import pytest

from alerting.messages import (
    blind_line,
    body_lines,
    channels_sentence,
    clock,
    duration,
    page_line,
    resolve_line,
    since,
    title_sentence,
    usual_range,
    usually,
    why_it_paged,
)
from alerting.model import Blind, Incident, Scope

SEVEN_O_THREE = 1_704_092_580.0  # Monday 2024-01-01 07:03 UTC
BAGGAGE = Incident(
    id="a1",
    revision=3,
    state="confirmed",
    onset=SEVEN_O_THREE,
    opened_at=SEVEN_O_THREE + 120,
    updated_at=SEVEN_O_THREE + 40 * 60,
    scope=Scope("spot:jfk-t4", "JFK Terminal 4", "spot", ("JFK Terminal 4", "JFK")),
    keywords=("baggage",),
    title="baggage at JFK Terminal 4",
    people=41,
    messages=55,
    expected=1.2,
    factor=34.2,
    p_value=1e-9,
    trend="rising",
    peak=58,
    channels={"tickets": 11, "tweets": 30},
    terms=(("belt", 12), ("carousel", 5)),
    examples=("[user] stuck 50 min at the belt",),
)
NOW = BAGGAGE.updated_at


def test_a_page_says_what_where_how_many_against_the_usual_and_which_way() -> None:
    assert page_line(BAGGAGE) == "CONFIRMED baggage at JFK Terminal 4: 41 people in 40 min (usually 0–4), rising"


def test_a_drill_says_so_first() -> None:
    assert page_line(msgspec.structs.replace(BAGGAGE, drill=True)).startswith("DRILL CONFIRMED")


def test_the_title_sentence() -> None:
    assert title_sentence(BAGGAGE, NOW) == "Baggage at JFK Terminal 4: 41 people since 07:03, 34 × the usual"
    rare = msgspec.structs.replace(BAGGAGE, expected=0.01)
    assert title_sentence(rare, NOW) == "Baggage at JFK Terminal 4: 41 people since 07:03, usually next to none"


def test_times_are_told_in_the_readers_zone() -> None:
    assert "since 02:03" in title_sentence(BAGGAGE, NOW, "America/New_York")


def test_the_end_is_told_with_its_length_and_peak() -> None:
    ended = msgspec.structs.replace(BAGGAGE, state="resolved", resolved_at=SEVEN_O_THREE + 130 * 60)
    assert resolve_line(ended) == "RESOLVED after 2 h 10 min, peak 58 people"
    assert resolve_line(ended, 3) == "RESOLVED after 2 h 10 min, peak 58 people; 3 replies still wait in outreach"
    assert resolve_line(ended, 1).endswith("1 reply still waits in outreach")


def test_why_it_paged() -> None:
    assert why_it_paged(BAGGAGE, 2, 3) == "2 channels, 41 people, budget 2 of 3 used"


def test_channels_come_with_the_strongest_first() -> None:
    assert channels_sentence(BAGGAGE) == "tweets and tickets"


def test_the_body_leaves_out_what_is_not_known() -> None:
    assert body_lines(BAGGAGE, NOW) == [
        "since 07:03 (40 min)",
        "tweets and tickets",
        "words: belt, carousel",
        "“[user] stuck 50 min at the belt”",
    ]
    assert len(body_lines(msgspec.structs.replace(BAGGAGE, terms=(), examples=()), NOW)) == 2


def test_a_blind_source_is_told_with_what_it_usually_brings() -> None:
    blind = Blind("call notes", SEVEN_O_THREE + 14 * 60, 40.0)
    assert blind_line(blind, NOW) == (
        "overheard is BLIND for call notes since 07:17: no records, usually 40 an hour. "
        "Incidents there stay open until it returns."
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30, "30 s"),
        (2400, "40 min"),
        (7200, "2 h"),
        (7800, "2 h 10 min"),
        (86_400, "1 d"),
        (273_600, "3 d 4 h"),
        (-5, "0 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_time_of_another_day_names_it() -> None:
    assert clock(SEVEN_O_THREE, SEVEN_O_THREE + 86_400) == "Mon 07:03"
    assert clock(SEVEN_O_THREE, SEVEN_O_THREE + 30 * 86_400) == "1 Jan 07:03"
    assert clock(SEVEN_O_THREE, SEVEN_O_THREE + 400 * 86_400) == "1 Jan 2024 07:03"
    assert since(SEVEN_O_THREE, SEVEN_O_THREE + 2400) == "since 07:03 (40 min)"


def test_the_usual_range_holds_nine_of_ten() -> None:
    assert usually(0.0) == "usually none"
    assert usually(0.01) == "usually none"
    assert usually(2.0) == "usually 0 to 5"
    low, high = usual_range(1000.0)
    assert 930 <= low <= 945
    assert 1055 <= high <= 1075
