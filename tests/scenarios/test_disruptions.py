"""Disruptions as people live them, and the incidents they become."""

from __future__ import annotations

import msgspec
import numpy as np

from alerting.model import Close
from tests.scenarios.world import AIRPORTS, PROBLEMS, Trouble, World

BELT = [f"baggage/{leaf}" for leaf in ("belt", "lost-bag", "waiting", "damaged", "carousel", "no-staff")]


def test_a_three_hour_disruption_with_a_ten_minute_dip_is_one_incident_with_one_resolve() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 120, 200, 0.5),
        Trouble("spot:T4", "baggage/belt", 210, 300, 0.5),
    ).run(600)
    (incident,) = world.reached("suspected")
    assert incident.state == "resolved"
    assert incident.scope.place == "spot:T4"
    assert [one.state for one in world.revisions].count("resolved") == 1
    assert incident.confirmed_at is not None
    assert incident.resolved_at is not None
    assert 300 < (incident.resolved_at - world.since_monday(0)) / 60 < 420
    assert world.since_monday(110) < incident.onset <= world.since_monday(125)
    assert 60 <= incident.people <= 115


def test_a_one_minute_flap_pages_nobody() -> None:
    for seed in range(5):
        world = World(Trouble("spot:T4", "baggage/belt", 120, 121, 10), seed=seed).run(480)
        assert not world.reached("confirmed")
        assert "spot:T4" in {one.scope.place for one in world.reached("suspected")}


def test_six_keywords_at_three_terminals_of_one_belt_failure_are_one_incident_at_the_airport() -> None:
    troubles = [Trouble(f"spot:T{terminal}", keyword, 120, 240, 0.1) for terminal in (1, 2, 3) for keyword in BELT]
    world = World(*troubles).run(400)
    (incident,) = world.reached("suspected")
    assert incident.scope.place == "airport:JFK"
    assert incident.title == "baggage at JFK"
    assert {part.place for part in incident.places} == {"spot:T1", "spot:T2", "spot:T3"}
    assert set(incident.keywords) <= {"baggage", *BELT}


def test_two_disruptions_at_once_are_two_incidents() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 120, 240, 0.5),
        Trouble("airport:DFW", "app/login", 120, 240, 0.5),
    ).run(400)
    found = {(one.scope.place, one.keywords) for one in world.reached("confirmed")}
    assert found == {("spot:T4", ("baggage/belt",)), ("airport:DFW", ("app/login",))}


def test_the_same_problem_in_two_far_states_is_two_incidents() -> None:
    world = World(
        Trouble("airport:JFK", "delay/cancelled", 120, 240, 0.6),
        Trouble("city:ELP", "delay/cancelled", 125, 240, 0.6),
    ).run(400)
    assert {one.scope.place for one in world.reached("confirmed")} == {"airport:JFK", "city:ELP"}


def test_ten_strong_disruptions_in_a_day_under_a_budget_of_one_a_week_are_ten_pages() -> None:
    places = [f"region:R{n}" for n in range(10)]
    troubles = [Trouble(place, "app/login", 60 + 120 * n, 120 + 120 * n, 0.7) for n, place in enumerate(places)]
    world = World(*troubles, budget_per_week=1.0).run(1440)
    assert sorted(one.scope.place for one in world.reached("confirmed")) == sorted(places)


def test_one_person_posting_ten_thousand_times_opens_nothing() -> None:
    world = World(rate=0.001)
    usual = world.close
    world.close = lambda start: shouted(usual(start)) if world.minute == 120 else usual(start)  # type: ignore[method-assign]
    world.run(300)
    assert not [one for one in world.latest() if one.scope.place.startswith("spot:T4")]


def shouted(close: Close) -> Close:
    """The same close, with one person's 10,000 posts about a belt at Terminal 4."""
    place, keyword = AIRPORTS.index["spot:T4"], PROBLEMS.index["baggage/belt"]
    lines = [(p, k) for p in above(AIRPORTS.parent, place) for k in above(PROBLEMS.parent, keyword)]
    rows = {
        (int(p), int(k)): (v, m)
        for p, k, v, m in zip(close.place, close.keyword, close.voices, close.messages, strict=True)
    }
    for pair in lines:
        voices, messages = rows.get(pair, (0, 0))
        rows[pair] = (voices + 1, messages + 10_000)
    ordered = sorted(rows)
    voices = np.array([rows[pair][0] for pair in ordered])
    channels = np.zeros((len(ordered), 8), np.int64)
    channels[:, 0] = voices
    return msgspec.structs.replace(
        close,
        place=np.array([p for p, _ in ordered]),
        keyword=np.array([k for _, k in ordered]),
        voices=voices,
        messages=np.array([rows[pair][1] for pair in ordered]),
        channels=channels,
        expected=np.full(len(ordered), 0.001),
        upper=np.full(len(ordered), 0.01),
        p_value=np.full(len(ordered), 0.003),  # one person where a thousandth of one is usual
    )


def above(parent: np.ndarray, node: int) -> list[int]:
    return [node, *(above(parent, int(parent[node])) if parent[node] >= 0 else [])]


def test_a_whole_state_of_small_towns_is_one_incident_of_the_state() -> None:
    troubles = [Trouble(f"city:TX{n}", "delay/cancelled", 120, 240, 0.15) for n in range(6)]
    world = World(*troubles, Trouble("city:ELP", "delay/cancelled", 120, 240, 0.15)).run(400)
    (incident,) = world.reached("suspected")
    assert incident.scope.place == "region:TX"


def test_complaints_that_name_no_place_are_an_incident_of_unknown_place() -> None:
    world = World(Trouble("nowhere", "app/login", 120, 180, 0.5)).run(300)
    (incident,) = world.reached("confirmed")
    assert incident.title == "login, place unknown"


def test_people_without_a_place_join_the_disruption_that_rose_with_them() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 120, 240, 0.5),
        Trouble("nowhere", "baggage/belt", 122, 240, 0.5),
    ).run(400)
    (incident,) = world.reached("confirmed")
    assert incident.scope.place == "spot:T4"
    assert "nowhere" in {part.place for part in incident.places}


def test_a_quiet_week_keeps_to_the_budget() -> None:
    world = World(window_seconds=300, rate=0.1, budget_per_week=3.0).run(7 * 1440)
    assert len(world.reached("suspected")) <= 9
    assert not world.reached("confirmed") or len(world.reached("confirmed")) <= 6


def test_a_restart_in_the_middle_changes_nothing() -> None:
    def world() -> World:
        return World(
            Trouble("spot:T4", "baggage/belt", 60, 150, 0.4), Trouble("airport:DFW", "app/login", 90, 120, 0.6)
        )

    through, stopped = world().run(360), world()
    for minute in (70, 95, 140, 200, 360):
        stopped.run(minute)
        state = stopped.alerts.snapshot()
        stopped.alerts = world().alerts
        stopped.alerts.restore(state)
        assert stopped.alerts.snapshot() == state
    assert stopped.revisions == through.revisions


def test_one_disruption_is_never_told_twice_at_two_widths() -> None:
    for seed in range(3):
        trouble = Trouble("city:ELP", "delay/cancelled", 120, 240, 0.25)
        world = World(trouble, window_seconds=300, rate=0.15, seed=seed).run(480)
        during = [
            one for one in world.reached("suspected") if world.since_monday(90) < one.onset < world.since_monday(240)
        ]
        assert len([one for one in during if "delay/cancelled" in one.keywords or "delay" in one.keywords]) == 1


def test_two_incidents_that_turn_out_to_be_one_are_told_to_be_one() -> None:
    troubles = [
        Trouble("airport:JFK", f"delay/{leaf}", begin, 600, 0.5) for leaf, begin in (("late", 60), ("cancelled", 400))
    ]
    world = World(*troubles).run(700)
    open_now = [one for one in world.latest() if one.state in ("suspected", "confirmed")]
    assert len({one.scope.place for one in open_now}) == len(open_now)
    for one in world.latest():
        assert (one.reason == "merged") == (one.merged_into is not None)


def test_people_who_complain_days_apart_are_no_incident_that_began_weeks_ago() -> None:
    quiet = [Trouble("city:ELP", "delay/late", day * 1440, day * 1440 + 1, 1.0) for day in range(1, 9)]
    world = World(*quiet, rate=0.02, window_seconds=300).run(10 * 1440)
    for one in world.reached("suspected"):
        assert one.suspected_at is not None
        assert one.suspected_at - one.onset < 86_400


def test_an_incident_that_widened_counts_no_fewer_people_and_does_not_shrink_again() -> None:
    towns = [Trouble(f"city:TX{n}", "delay/cancelled", 1500, 1800, 0.2) for n in range(6)]
    dallas = [Trouble("city:DAL", "delay/late", 60, 300, 0.6), Trouble("city:DAL", "delay/late", 1400, 1800, 0.3)]
    for seed in range(2):
        world = World(*dallas, *towns, seed=seed).run(1900)
        told = [one for one in world.revisions if one.suspected_at is not None]
        reasons = [one.reason for one in told]
        assert "widened" in reasons
        assert "narrowed" not in reasons[reasons.index("widened") :]
        assert [one.people for one in told] == sorted(one.people for one in told)
