"""What keeps an incident from being more, or less, than it is: batch entry, blindness, reopening, controls, why-not."""

from __future__ import annotations

import math

import msgspec

from alerting.model import Blind, Control, Evidence
from tests.scenarios.world import AIRPORTS, MONDAY, PROBLEMS, Trouble, World

T4, BELT = AIRPORTS.index["spot:T4"], PROBLEMS.index["baggage/belt"]


def control(kind: str, minute: float, **what: object) -> Control:
    return Control(id=f"c{minute}", kind=kind, at=MONDAY + 60 * minute, author="ann", **what)  # type: ignore[arg-type]


def typed_in(world: World, pace_seconds: float, begin: float, end: float) -> None:
    """Let one clerk's entries come at a steady pace, as records without an author."""

    def evidence(minute: float) -> dict[tuple[int, int], Evidence]:
        if not begin <= minute < end:
            return {}
        first = math.ceil((minute - begin) * 60 / pace_seconds)
        seconds = [MONDAY + int(begin * 60 + pace_seconds * k) for k in range(first, first + int(60 / pace_seconds))]
        return {(T4, BELT): Evidence(seconds=tuple(seconds))}

    world.evidence = evidence


def test_batch_entry_is_marked_and_never_more_than_a_signal() -> None:
    for pace in (1.0, 2.0, 5.0):
        world = World(Trouble("spot:T4", "baggage/belt", 60, 75, 60 / pace, channel=3))
        typed_in(world, pace, 60, 75)
        world.run(240)
        (incident,) = [one for one in world.latest() if one.scope.place == "spot:T4"]
        assert incident.marks == ("batch_entry",), pace
        assert not world.reached("suspected"), pace
        assert any(gate.gate == "batch_entry" and not gate.passed for gate in world.revisions[0].why)


def test_a_crowd_of_callers_without_names_is_not_batch_entry() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 4.0, channel=3))

    def evidence(minute: float) -> dict[tuple[int, int], Evidence]:
        if not 60 <= minute < 120:
            return {}
        seconds = sorted(world.rng.integers(0, 60, 4).tolist())
        return {(T4, BELT): Evidence(seconds=tuple(MONDAY + int(minute) * 60 + second for second in seconds))}

    world.evidence = evidence
    world.run(240)
    (incident,) = world.reached("confirmed")
    assert incident.marks == ()


def without_names(until: float) -> World:
    """Somebody's entries without an author, two in three minutes, from minute 60 until `until`."""
    world = World(Trouble("spot:T4", "baggage/belt", 60, until, 0.67, channel=3))

    def evidence(minute: float) -> dict[tuple[int, int], Evidence]:
        count = int(world.history[-1][T4, BELT])
        seconds = sorted(world.rng.integers(0, 60, count).tolist())
        return {(T4, BELT): Evidence(seconds=tuple(MONDAY + int(minute) * 60 + second for second in seconds))}

    world.evidence = evidence
    return world.run(240)


def test_what_one_hand_may_have_entered_at_a_sitting_waits_for_others() -> None:
    sitting = without_names(80)
    assert not sitting.reached("suspected")
    assert any("one hand may have entered them" in gate.text for one in sitting.revisions for gate in one.why)
    assert without_names(150).reached("confirmed")


def test_an_incident_stays_open_while_a_source_went_silent_in_it() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 0.5))
    world.blind = lambda minute: (Blind("tweets", MONDAY + 120 * 60, 40.0),) if 130 <= minute < 300 else ()
    world.run(420)
    (incident,) = world.reached("confirmed")
    assert incident.resolved_at is not None
    assert incident.resolved_at >= MONDAY + 300 * 60


def test_trouble_that_returns_within_hours_is_the_same_incident_again() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 60, 120, 0.5),
        Trouble("spot:T4", "baggage/belt", 330, 390, 0.5),
    ).run(600)
    (incident,) = world.reached("confirmed")
    reasons = [reason for reason in world.reasons(incident.id) if reason != "grew"]
    assert reasons == ["suspected", "confirmed", "resolved", "reopened", "resolved"]


def test_two_channels_that_agree_confirm_without_waiting() -> None:
    alone = World(Trouble("spot:T4", "baggage/belt", 60, 61, 8)).run(180)
    assert not alone.reached("confirmed")
    both = World(
        Trouble("spot:T4", "baggage/belt", 60, 61, 5), Trouble("spot:T4", "baggage/belt", 60, 61, 5, channel=2)
    ).run(180)
    (incident,) = both.reached("confirmed")
    assert incident.channels.keys() == {"posts", "tickets"}
    assert any(
        gate.text == "posts and tickets agree" or gate.text == "tickets and posts agree" for gate in incident.why
    )


def test_an_ack_is_a_revision_and_can_be_undone() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 180, 0.5)).run(100)
    (incident,) = world.reached("confirmed")
    ack = control("ack", 101, incident=incident.id)
    world.controls = [ack, control("undo", 110, value=ack.id)]
    world.run(103)
    assert world.latest()[-1].acked_by == "ann"
    assert world.reasons(incident.id)[-1] == "ack"
    world.run(112)
    assert world.latest()[-1].acked_by is None


def test_a_silenced_incident_is_still_recorded() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 180, 0.5))
    until = MONDAY + 240.0 * 60
    world.controls = [control("silence", 30, places=("airport:JFK",), keywords=("baggage",), until=until)]
    world.run(150)
    (incident,) = world.reached("confirmed")
    assert incident.silenced_until == until


def test_a_silence_for_another_place_does_not_silence() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 180, 0.5))
    world.controls = [control("silence", 30, places=("airport:DFW",), until=MONDAY + 240.0 * 60)]
    (incident,) = world.run(150).reached("confirmed")
    assert incident.silenced_until is None


def test_a_planned_event_tells_the_detector_what_to_expect() -> None:
    world = World()
    world.controls = [
        control(
            "planned_event", 10, places=("airport:JFK",), keywords=("baggage",), until=MONDAY + 120.0 * 60, factor=3.0
        )
    ]
    world.run(20)
    exposed = world.alerts.exposure(MONDAY + 30 * 60)
    assert (AIRPORTS.index["airport:JFK"], BELT, 3.0) in exposed
    assert {factor for _, _, factor in exposed} == {3.0}
    assert world.alerts.exposure(MONDAY + 121 * 60) == []


def test_feedback_gives_budget_back() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 180, 0.5)).run(100)
    (incident,) = world.reached("confirmed")
    assert world.alerts.spent == 1
    world.controls = [control("feedback", 101, incident=incident.id, value="real")]
    world.run(110)
    assert world.alerts.spent == 0
    assert world.latest()[-1].verdict == "real"


def test_why_not_answers_in_one_sentence_with_the_cut_then() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 62, 1.0), seed=2).run(120)
    answer = world.alerts.why_not(T4, BELT, MONDAY + 61 * 60)
    assert answer.incident is None
    assert answer.answer.startswith("Not opened: ")
    assert "budget 3 a week" in answer.answer
    assert answer.cut_people is not None
    assert answer.people < 3 <= answer.cut_people


def test_why_not_says_so_when_it_was_opened() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 0.5)).run(100)
    answer = world.alerts.why_not(T4, BELT, MONDAY + 90 * 60)
    assert answer.incident == world.reached("confirmed")[0].id


def test_nothing_rises_above_a_signal_while_the_baseline_is_learning() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 0.5))
    usual = world.close
    world.close = lambda start: msgspec.structs.replace(usual(start), learning=True)  # type: ignore[method-assign]
    world.run(120)
    assert {one.state for one in world.latest() if one.scope.place == "spot:T4"} == {"signal"}


def test_series_in_open_incidents_are_held_and_let_go_afterwards() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 0.5)).run(100)
    assert (T4, BELT) in world.alerts.held
    world.run(300)
    assert (T4, BELT) not in world.alerts.held


def test_one_that_begins_again_holds_the_same_series_at_the_minute_they_are_let_go_too() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 300, 0.5))
    world.alerts.policy = msgspec.structs.replace(world.alerts.policy, learn_again_seconds=1800.0)
    world.run(60)
    held = []
    for _ in range(90):
        world.step()
        again = world.alerts.fresh()
        again.restore(world.alerts.snapshot())
        assert again.held == world.alerts.held
        held.append((T4, BELT) in again.held)
    assert any(held)
    assert not held[-1]
