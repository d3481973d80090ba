"""What a silence or snooze keeps from people, and what they hear when it ends: at the level of deliveries."""

from __future__ import annotations

from alerting.model import Control
from tests.scenarios.world import MONDAY, Trouble, World, deliveries


def control(kind: str, minute: float, **what: object) -> Control:
    return Control(id=f"c{minute}", kind=kind, at=MONDAY + 60 * minute, author="ann", **what)  # type: ignore[arg-type]


def at_t4(until: float = 300) -> World:
    return World(Trouble("spot:T4", "baggage/belt", 60, until, 0.5))


def test_a_snooze_that_ends_while_it_still_goes_on_is_told_to_those_who_know() -> None:
    world = at_t4().run(100)
    (incident,) = world.reached("confirmed")
    world.controls = [control("snooze", 101, incident=incident.id, until=MONDAY + 160 * 60.0)]
    world.run(200)
    later = [one for one in deliveries(world) if one[0] > 101]
    assert [(channel, action, why) for _, channel, action, why, _ in later[:2]] == [
        ("chat", "update", "unsilenced"),
        ("pager", "update", "unsilenced"),
    ]
    assert 160 <= later[0][0] <= 163


def test_what_began_and_goes_on_after_a_silence_is_told_to_those_who_never_heard_of_it() -> None:
    world = at_t4()
    world.controls = [control("silence", 30, places=("airport:JFK",), until=MONDAY + 150 * 60.0)]
    world.run(145)
    assert world.reached("confirmed")
    assert deliveries(world) == []
    world.run(160)
    assert [(channel, action) for _, channel, action, *_ in deliveries(world)] == [("chat", "open"), ("pager", "open")]


def test_what_ended_within_its_snooze_is_only_told_to_be_over() -> None:
    world = at_t4(120).run(100)
    (incident,) = world.reached("confirmed")
    world.controls = [control("snooze", 101, incident=incident.id, until=MONDAY + 400 * 60.0)]
    world.run(480)
    assert {(channel, action) for minute, channel, action, *_ in deliveries(world) if minute > 101} == {
        ("chat", "resolve"),
        ("pager", "resolve"),
    }


def test_a_silence_that_is_taken_back_is_as_one_that_ended() -> None:
    world = at_t4()
    mistaken = control("silence", 30, keywords=("baggage",), until=MONDAY + 600 * 60.0)
    world.controls = [mistaken, control("undo", 120, value=mistaken.id)]
    world.run(130)
    assert [(channel, action) for _, channel, action, *_ in deliveries(world)] == [("chat", "open"), ("pager", "open")]
    assert world.reached("confirmed")[0].silenced_until is None


def test_an_incident_that_grows_out_of_what_was_silenced_is_told() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 60, 300, 0.5),
        *(Trouble(f"spot:T{n}", "baggage/belt", 150, 300, 0.5) for n in (1, 2, 3, 5)),
    )
    world.controls = [control("silence", 30, places=("spot:T4",), until=MONDAY + 600 * 60.0)]
    world.run(145)
    assert deliveries(world) == []
    world.run(240)
    assert ("pager", "open", "widened") in [one[1:4] for one in deliveries(world)]
