"""Acts become controls; they show at once, can be taken back, and are refused with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dashboards.acts import Acts, Refused, overlaid
from dashboards.acts_said import said
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import NOW, Log, site


def test_an_ack_shows_before_the_next_close_and_can_be_undone(day: Callable[[str], Reader]) -> None:
    log = Log()
    desk = site(day("storm"), log)

    async def play() -> tuple[str | None, str | None]:
        board = await desk.live.refresh()
        incident = next(i for i in board.open if i.id == "a1b2c3d4")
        control = await desk.acts.ack(incident, "anna")
        acked = next(i for i in (await desk.live.refresh()).open if i.id == "a1b2c3d4").acked_by
        await desk.acts.undo(control.id, "anna")
        return acked, next(i for i in (await desk.live.refresh()).open if i.id == "a1b2c3d4").acked_by

    assert asyncio.run(play()) == ("anna", None)
    assert [(c.kind, c.incident, c.author, c.at) for c in log.controls] == [
        ("ack", "a1b2c3d4", "anna", NOW),
        ("undo", "a1b2c3d4", "anna", NOW),
    ]
    assert log.controls[1].value == log.controls[0].id


def test_a_silence_matches_the_place_and_the_problem_until_its_end(day: Callable[[str], Reader]) -> None:
    log = Log()
    acts = Acts(log.append, lambda: NOW)
    incident = day("storm").incident("a1b2c3d4")[-1]
    control = asyncio.run(acts.silence(incident, "anna", 3600, "planned belt work"))
    assert (control.places, control.keywords, control.until) == (("spot:jfk-t4",), ("baggage",), NOW + 3600)
    assert overlaid(incident, [control]).silenced_until == NOW + 3600
    assert said(control, "America/New_York", NOW).startswith("Silenced until 08:43 (1 h)")


@pytest.mark.parametrize("seconds", [0, -5, 59, 31 * 86400, float("nan")])
def test_a_silence_without_a_sensible_length_is_refused(day: Callable[[str], Reader], seconds: float) -> None:
    acts = Acts(Log().append, lambda: NOW)
    with pytest.raises(Refused, match="1 minute to 30 days"):
        asyncio.run(acts.silence(day("storm").incident("a1b2c3d4")[-1], "anna", seconds))


def test_empty_notes_unknown_verdicts_and_nameless_authors_are_refused(day: Callable[[str], Reader]) -> None:
    log = Log()
    acts = Acts(log.append, lambda: NOW)
    incident = day("storm").incident("a1b2c3d4")[-1]
    for attempt in (
        acts.note(incident, "anna", "  "),
        acts.feedback(incident, "anna", "maybe"),
        acts.ack(incident, " "),
    ):
        with pytest.raises(Refused):
            asyncio.run(attempt)
    assert log.controls == []


def test_what_the_log_does_not_take_is_not_shown_as_done(day: Callable[[str], Reader]) -> None:
    log = Log()
    log.full = True
    acts = Acts(log.append, lambda: NOW)
    with pytest.raises(OSError, match="No space"):
        asyncio.run(acts.ack(day("storm").incident("a1b2c3d4")[-1], "anna"))
    assert acts.with_recent([]) == []
