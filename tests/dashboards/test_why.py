"""Why, or why not, from the store: one sentence for any place, keyword and minute, whatever held then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from alerting.model import Control
from dashboards.site import Site
from streams.runtime.store import tables
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import Work, Writer
from streams.runtime.why_then import answer
from tests.dashboards.made_up import CUT, DAY, DAYS, HOUR, NOW, Day, Keywords, Log, Places, site

SEA = ("airport:SEA", "seat")


def acted(tmp_path: Path, *controls: Control, name: str = "storm") -> Site:
    """A day on which people also did this."""
    day = DAYS[name]()
    day.controls += controls
    return site(day.store(tmp_path / "store.sqlite"), Log())


def act(kind: str, at: float, **what: object) -> Control:
    return Control(id=f"{kind}{at}", kind=kind, at=at, author="ann", **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "at", "sentence"),
    [
        (SEA, NOW - 4 * HOUR, "Not opened: nobody complained of it there in the hour before, so there was nothing to weigh."),
        (("nowhere", "seat"), NOW - HOUR, "Not opened: until then nobody had complained of it there, so there was nothing to weigh."),
        (SEA, NOW + HOUR, "Not known yet: it is 2026-02-23T12:43:00Z."),
        (SEA, NOW - 30 * DAY, "Not known: counting began at 2026-02-15T09:40:00Z."),
        (("airport:MIA", "security"), NOW - 60, "It was opened: security queue at Miami, signal since 2026-02-23T12:36:00Z, "
         "shown on the board and told to nobody."),
    ],
)  # fmt: skip
def test_the_sentence_says_it_for_any_minute(
    day: Callable[[str], Reader], where: tuple[str, str], at: float, sentence: str
) -> None:
    assert site(day("storm"), Log()).why(*where, at).sentence == sentence


def test_a_blind_source_is_said_where_it_usually_reports_from(day: Callable[[str], Reader]) -> None:
    desk = site(day("blind"), Log())
    told = desk.why("airport:DFW", "app", NOW - 60)
    assert told.sentence.endswith(
        "; call notes was blind (since 2026-02-23T12:17:00Z), so what was said there was not seen."
    )
    assert [gate.gate for gate in told.gates] == ["blind"]
    assert "blind" not in desk.why("airport:SEA", "app", NOW - 60).sentence
    assert "blind" not in desk.why("airport:DFW", "app", NOW - 2 * HOUR).sentence


def test_a_source_that_was_blind_and_is_heard_again_is_said_for_the_time_it_was(tmp_path: Path) -> None:
    reader = DAYS["blind"]().store(tmp_path / "store.sqlite")
    heard = Work(usual_per_hour={"call notes": 40.0}, arrival=NOW + HOUR, meta={"last_close": NOW + HOUR})
    Writer(reader.engine, Places(), Keywords(), lambda _: "calls").commit(heard)
    desk = site(reader, Log())
    assert "call notes was blind (since 2026-02-23T12:17:00Z)" in desk.why("airport:DFW", "app", NOW - 600).sentence
    assert "blind" not in desk.why("airport:SEA", "app", NOW - 600).sentence
    assert "blind" not in desk.why("airport:DFW", "app", NOW - 2 * HOUR).sentence
    late = answer(reader, desk.catalogue.asked("airport:DFW", "app", NOW + HOUR + 60), desk.policy, NOW + 2 * HOUR)
    assert "blind" not in late.sentence


def test_a_snooze_is_said_by_whom_for_the_minutes_it_held_also_when_it_was_taken_back_since(tmp_path: Path) -> None:
    day = DAYS["storm"]()
    (story,) = [story for story in day.incidents if story[0].id == "d4e5f6a7"]
    plain, until = story[-1], NOW + HOUR
    snoozed, again = NOW - 300, NOW - 60
    for number, (at, silenced) in enumerate(((snoozed, until), (again, None)), plain.revision + 1):
        story.append(msgspec.structs.replace(plain, revision=number, updated_at=at, silenced_until=silenced))
    snooze = act("snooze", snoozed, incident=plain.id, until=until, reason="crew is on it")
    day.controls += [snooze, act("undo", again, value=snooze.id)]
    desk = site(day.store(tmp_path / "store.sqlite"), Log())
    said = desk.why("airport:DFW", "app", snoozed + 60)
    assert said.sentence.endswith(
        ", but told to nobody then: snoozed by ann until 2026-02-23T13:43:00Z: crew is on it."
    )
    assert [gate.gate for gate in said.gates][-1] == "snooze"
    assert "told to nobody" not in desk.why("airport:DFW", "app", snoozed - 10).sentence
    assert "told to nobody" not in desk.why("airport:DFW", "app", again + 10).sentence


def test_learning_is_said(day: Callable[[str], Reader]) -> None:
    told = site(day("learning"), Log()).why(*SEA, NOW - 60)
    assert told.sentence.endswith("; the baseline is still learning: nothing above a signal.")


def test_a_planned_event_is_said_while_it_goes_on_and_where(tmp_path: Path) -> None:
    event = act(
        "planned_event",
        NOW - 5 * HOUR,
        places=("region:US-WA",),
        start=NOW - 3 * HOUR,
        until=NOW - HOUR,
        factor=3.0,
        reason="fair",
    )
    desk = acted(tmp_path, event)
    said = "; a planned event of ann until 2026-02-23T11:43:00Z let 3 × as many be expected: fair."
    assert desk.why(*SEA, NOW - 2 * HOUR).sentence.endswith(said)
    for where, at in ((SEA, NOW - 4 * HOUR), (SEA, NOW - 60), (("airport:JFK", "seat"), NOW - 2 * HOUR)):
        assert "planned" not in desk.why(*where, at).sentence


def test_what_was_silenced_was_opened_and_told_to_nobody(tmp_path: Path) -> None:
    day = DAYS["storm"]()
    for story in day.incidents:
        if story[0].id == "d4e5f6a7":
            story[:] = [msgspec.structs.replace(one, silenced_until=NOW + HOUR) for one in story]
    day.controls.append(act("silence", NOW - HOUR, places=("airport:DFW",), until=NOW + HOUR, reason="new app"))
    told = site(day.store(tmp_path / "store.sqlite"), Log()).why("airport:DFW", "app", NOW - 10)
    assert told.sentence == (
        "It was opened: app login at Dallas/Fort Worth, suspected since 2026-02-23T12:36:00Z, but told to nobody then: "
        "silenced by ann until 2026-02-23T13:43:00Z: new app."
    )


def test_what_no_gate_that_is_kept_held_back_is_said_to_be_so_and_so_is_a_cut_that_was_not_kept(tmp_path: Path) -> None:
    desk = site(Day(surges=[(*SEA, NOW - HOUR, 60.0)]).store(tmp_path / "store.sqlite"), Log())
    told = desk.why(*SEA, NOW)
    assert told.sentence.startswith(
        "Not opened: under the cut, but held back or told with another place or problem (38 people, usual 0.4, p = "
    )
    assert [(gate.gate, gate.passed) for gate in told.gates] == [("people", True), ("cut", True), ("latest", True)]
    assert told.cut == CUT
    assert 4 <= (told.cut_people or 0) <= 38
    with desk.reader.engine.begin() as connection:
        connection.execute(tables.cuts.delete())
    told = desk.why(*SEA, NOW)
    assert told.sentence.endswith(", and the cut of then was not kept.")
    assert (told.cut, told.cut_people, told.gates) == (None, None, ())


def test_it_was_opened_where_a_wider_place_or_problem_was(day: Callable[[str], Reader]) -> None:
    told = site(day("storm"), Log()).why("region:US-IL", "cancellation", NOW - HOUR)
    assert told.sentence == "It was opened: cancellations at United States, confirmed since 2026-02-23T11:23:00Z."
