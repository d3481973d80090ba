"""What no keyword knows is told as an unnamed incident: by people, at their place, within minutes; ordinary talk never is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from alerting.model import Incident
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig

MONDAY = 1_704_672_000.0  # 8 January 2024
DAY = 86_400.0
PLACES = ("airport:LHR", "airport:JFK", "airport:MAN", "airport:ORD")
USUAL = ("lovely flight with {}", "thanks {} crew", "lost my bag {}", "flight delayed {} again", "hello {} there")
NAMES = [f"word{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(3000)]


def said(number: int, at: float, text: str, place: str, author: str | None = None) -> Record:
    body = {
        "id": f"n{number}",
        "source": "twitter:x",
        "created_at": at,
        "text": text,
        "place": place or None,
        "author": author or f"a{number}",
    }
    return Record(number, json.dumps(body).encode(), at, "log")


def ordinary(days: float, every: float, seed: int = 1) -> Iterator[Record]:
    """Talk of some days from a vocabulary as uneven as a language's; what is talked of drifts by the hour, and each place has its own."""
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(5, 5 + len(NAMES))
    own = {place: share * rng.gamma(1.0, 1.0, len(NAMES)) for place in PLACES}
    number, at, hour, now = 0, MONDAY, -1, own
    while at < MONDAY + days * DAY:
        if int(at // 3600) != hour:
            hour = int(at // 3600)
            drift = rng.gamma(8.0, 1 / 8.0, len(NAMES))
            now = {place: weights * drift / (weights * drift).sum() for place, weights in own.items()}
        place = PLACES[int(rng.integers(len(PLACES)))]
        words = " ".join(NAMES[n] for n in rng.choice(len(NAMES), 6, p=now[place]))
        yield said(number, at, USUAL[number % 5].format(words), place)
        number += 1
        at += float(rng.exponential(every))


@pytest.fixture(scope="module")
def learnt() -> bytes:
    pipeline = Pipeline(PipelineConfig(pack="airline"))
    pipeline.process(0, [*ordinary(4, 120.0), Tick(99_999, MONDAY + 4 * DAY)])
    return pipeline.snapshot()


def told(learnt: bytes, records: Sequence[Record], minutes: float = 30.0) -> list[Incident]:
    """Every revision of what is told in the minutes after the ordinary days."""
    pipeline = Pipeline(PipelineConfig(pack="airline"))
    pipeline.restore(learnt)
    end = MONDAY + 4 * DAY + 60 * minutes
    return pipeline.process(0, [*records, Tick(99_999, end + 60.0)]).incidents


def burst(
    texts: Sequence[str], place: str = "airport:LHR", authors: Sequence[str | None] | None = None
) -> list[Record]:
    """One text every 100 seconds, from 4 days on."""
    names = authors or [None] * len(texts)
    return [
        said(500_000 + n, MONDAY + 4 * DAY + 100.0 * n, text, place, name)
        for n, (text, name) in enumerate(zip(texts, names, strict=True))
    ]


AROUND = ("the {} at the gate", "again {} help", "every {} here", "hey {} why", "gate {} ugh", "my {} now")
KIOSK = [one.format("kiosk frozen") for one in AROUND]


def test_six_people_who_say_what_no_keyword_knows_are_one_unnamed_incident_within_minutes(learnt: bytes) -> None:
    found = told(learnt, burst(KIOSK))
    assert len({one.id for one in found}) == 1
    first = next(one for one in found if one.state == "suspected")
    assert first.suspected_at is not None
    assert first.suspected_at - (MONDAY + 4 * DAY) <= 9 * 60.0
    assert first.scope.place == "airport:LHR"
    assert first.keywords == ("*",)
    assert first.marks == ("unnamed",)
    assert first.terms[0][0] == "kiosk frozen"
    assert first.title.startswith("kiosk frozen")
    assert "LHR" in first.title or "Heathrow" in first.title
    assert first.why[0].text.startswith("5 people wrote “kiosk frozen” in the last hour, usually ")
    assert first.unanswered == 1
    assert all(one.state != "confirmed" for one in found)


def test_it_grows_to_confirmed_and_is_over_when_the_words_are_an_hour_old(learnt: bytes) -> None:
    found = told(learnt, burst([*KIOSK, *KIOSK]), minutes=180.0)
    assert [one.reason for one in found if one.reason in ("suspected", "confirmed", "resolved")] == [
        "suspected",
        "confirmed",
        "resolved",
    ]
    assert found[-1].resolved_at is not None
    assert 1800 <= found[-1].resolved_at - (MONDAY + 4 * DAY + 1100) <= 3600 + 120


def test_words_that_rise_nowhere_in_particular_are_shown_and_told_to_nobody(learnt: bytes) -> None:
    words = [*KIOSK, *KIOSK, *KIOSK]
    found = told(learnt, burst(words, place=""))
    assert {one.scope.level for one in found} <= {"everywhere", "nowhere"}
    assert {one.state for one in found} == {"signal"}
    assert not next(gate for gate in found[-1].why if gate.gate == "place").passed


def test_it_quotes_those_at_its_place_who_named_a_usual_problem_too_and_tells_their_channels() -> None:
    pipeline = Pipeline(PipelineConfig(pack="airline", window_seconds=900))
    usual = [said(n, MONDAY + 225.0 * n, f"the wifi is down {NAMES[n % 97]}", "airport:LHR") for n in range(1536)]
    pipeline.process(0, usual)
    start = MONDAY + 4 * DAY
    also = [
        said(
            600_000 + n,
            start + 100 * n,
            f"kiosk frozen {word}, wifi is down, call 0800555123{n} @delta{n}",
            "airport:LHR",
        )
        for n, word in enumerate(("again", "here", "still", "now"))
    ]
    records = sorted([*burst(KIOSK), *also], key=lambda one: one.arrival or 0.0)
    found = pipeline.process(0, [*records, Tick(99_999, start + 1860.0)]).incidents
    (first,) = [one for one in found if one.state == "suspected"]
    assert first.marks == ("unnamed",)
    assert len(first.examples) == 3
    assert all(text.startswith("kiosk frozen ") and "wifi is down" in text for text in first.examples)
    assert not any("0800" in text or "@delta" in text for text in first.examples)
    assert first.channels == {"posts": 4}


def test_where_nobody_names_a_problem_there_is_nothing_to_quote(learnt: bytes) -> None:
    found = told(learnt, burst(KIOSK))
    assert all(one.examples == () and one.channels == {} for one in found)


def test_neither_one_person_nor_copies_open_it(learnt: bytes) -> None:
    assert told(learnt, burst(KIOSK, authors=["same"] * 6)) == []
    copied = "RT the kiosk frozen at every gate of this whole long terminal and nobody at all comes to help"
    assert told(learnt, burst([copied] * 12)) == []


def test_words_of_an_incident_of_a_keyword_open_no_other(learnt: bytes) -> None:
    found = told(learnt, burst([f"flight cancelled, stuck at flamingo desk {n}" for n in range(12)]))
    assert "confirmed" in {one.state for one in found}
    assert len({one.id for one in found}) == 1
    assert all(one.marks == () and one.keywords != ("*",) for one in found)


def test_where_a_keyword_turns_out_to_tell_of_it_the_unnamed_one_becomes_part_of_that(learnt: bytes) -> None:
    found = told(learnt, burst([f"lost my bag at carousel flamingo {n}" for n in range(12)]))
    unnamed, named = ([one for one in found if ("unnamed" in one.marks) == wanted] for wanted in (True, False))
    assert [one.reason for one in unnamed] == ["suspected", "merged"]
    assert named[-1].state == "confirmed"
    assert unnamed[-1].merged_into == named[-1].id


def test_a_restart_in_the_middle_changes_nothing(learnt: bytes) -> None:
    records, end = burst(KIOSK), MONDAY + 4 * DAY + 1800.0
    first, second = Pipeline(PipelineConfig(pack="airline")), Pipeline(PipelineConfig(pack="airline"))
    first.restore(learnt)
    before = first.process(0, records[:5]).incidents
    second.restore(first.snapshot())
    after = second.process(0, [*records[5:], Tick(99_999, end + 60.0)]).incidents
    assert [*before, *after] == told(learnt, records)


def test_four_weeks_of_ordinary_talk_open_none() -> None:
    pipeline = Pipeline(PipelineConfig(pack="airline", window_seconds=300))
    found = pipeline.process(0, [*ordinary(28, 300.0, 5), Tick(99_999, MONDAY + 28 * DAY)]).incidents
    assert [one for one in found if "unnamed" in one.marks] == []
