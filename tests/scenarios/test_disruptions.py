"""Disruptions as people live them, and the incidents they become."""

from __future__ import annotations

from tests.scenarios.world import Trouble, World

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
        assert len(world.latest()) == 1


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
    world = World(Trouble("spot:T4", "baggage/belt", 120, 121, 0.0), rate=0.0).run(120)
    world.troubles = (Trouble("spot:T4", "baggage/belt", 120, 121, 1.0, messages=10_000),)
    world.rng.poisson = None if False else world.rng.poisson  # type: ignore[method-assign]
    world.run(300)
    assert not world.revisions


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
