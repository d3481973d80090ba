"""Which acts of people are taken, and which refused with what words."""

from __future__ import annotations

import msgspec
import pytest

from alerting.controls import check, clean
from alerting.model import Control


def control(kind: str, **what: object) -> Control:
    return Control(id="c", kind=kind, at=1000.0, author="ann", **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (control("silence", until=2000.0), "would match all"),
        (control("silence", places=("airport:JFK",)), "until"),
        (control("silence", places=("airport:JFK",), until=900.0), "until"),
        (control("planned_event", keywords=("app",), until=2000.0), "factor"),
        (control("planned_event", keywords=("app",), start=3000.0, until=2000.0, factor=2.0), "until"),
        (control("ack"), "incident"),
        (control("snooze", incident="i"), "until"),
        (control("feedback", incident="i", value="maybe"), "real, not_real, known_event"),
        (control("note", incident="i", value="  "), "empty"),
        (control("undo"), "empty"),
    ],
)
def test_a_control_that_cannot_be_taken_is_refused_with_the_reason(act: Control, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(act)


@pytest.mark.parametrize(
    "act",
    [
        control("silence", places=("airport:JFK",), until=2000.0),
        control("planned_event", keywords=("app",), start=3000.0, until=4000.0, factor=2.0),
        control("ack", incident="i"),
        control("snooze", incident="i", until=2000.0),
        control("feedback", incident="i", value="known_event"),
        control("intervention", incident="i", value="second belt opened 07:25"),
        control("undo", value="c1"),
    ],
)
def test_a_complete_control_is_taken(act: Control) -> None:
    check(act)


def test_what_nobody_means_to_write_is_left_out() -> None:
    written = control("note", incident="i", value="  nul\x00nul\r\nhalf \ud83d \u202eesrever\u2028👩‍🚀\x1b[2J ")
    written = msgspec.structs.replace(written, author="an\nn\x07", reason="a\x85b")
    plain = clean(written)
    assert (plain.author, plain.value, plain.reason) == ("an n", "nul nul\nhalf  esrever\n👩‍🚀 [2J", "a b")
