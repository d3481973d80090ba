"""What on-call people are told of a disruption, message by message."""

from __future__ import annotations

import itertools

from tests.scenarios.world import Keywords, Places, Trouble, World, deliveries


def messages(world: World, channel: str) -> list[tuple[str, str]]:
    """(action, reason) of what a channel was told, in order."""
    return [(one.action, one.reason) for one in deliveries(world) if one.channel == channel]


def test_a_disruption_that_goes_on_evenly_is_told_when_it_doubles_and_when_it_ends_and_is_quiet_otherwise() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 60, 240, 0.5)).run(480)
    (incident,) = world.reached("confirmed")
    told = messages(world, "pager")
    assert told[0] == ("open", "confirmed")
    assert told[-1] == ("resolve", "resolved")
    assert set(told[1:-1]) == {("update", "grew")}
    grown = [one.people for one in world.revisions if one.reason in ("confirmed", "grew")]
    assert all(after >= 2 * before for before, after in itertools.pairwise(grown))
    assert len(grown) < 7, f"{incident.people} people doubled from 5 at most so often"


def test_a_new_place_is_told_when_it_joins() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 60, 300, 0.5), Trouble("spot:T5", "baggage/belt", 150, 300, 0.5)
    ).run(300)
    joined = [one for one in deliveries(world) if one.minute > 150 and one.channel == "pager"]
    assert joined[0].action == "update"
    assert joined[0].reason in ("grew", "widened")
    assert 150 < joined[0].minute < 175
    (incident,) = [one for one in world.reached("confirmed") if one.merged_into is None]
    assert {part.place for part in incident.places} == {"spot:T4", "spot:T5"}


def test_one_channel_alone_confirms_at_the_cut_in_two_windows_running_with_five_people() -> None:
    for seed in range(4):
        world = World(Trouble("spot:T4", "baggage/belt", 60, 120, 0.6), seed=seed).run(200)
        (incident,) = world.reached("confirmed")
        assert incident.channels.keys() == {"posts"}
        confirmed = next(one for one in world.revisions if one.reason == "confirmed")
        gates = {gate.gate: gate for gate in confirmed.why}
        assert gates["persistence"].passed
        assert not gates["channels"].passed
        assert gates["channels"].text == "one channel alone: posts"
        assert confirmed.people >= 5
        assert confirmed.suspected_at is not None
        assert confirmed.updated_at >= confirmed.suspected_at + 60


def test_a_flap_of_one_minute_tells_the_chat_and_pages_nobody() -> None:
    world = World(Trouble("spot:T4", "baggage/belt", 120, 121, 10)).run(480)
    assert messages(world, "pager") == []
    assert messages(world, "chat")[0] == ("open", "suspected")
    assert messages(world, "chat")[-1] == ("resolve", "resolved")


def test_ten_disruptions_in_a_day_page_ten_times_and_end_ten_times() -> None:
    places = [f"region:R{n}" for n in range(10)]
    troubles = [Trouble(place, "app/login", 60 + 120 * n, 120 + 120 * n, 0.7) for n, place in enumerate(places)]
    told = messages(World(*troubles, budget_per_week=1.0).run(1500), "pager")
    assert [action for action, _ in told].count("open") == 10
    assert [action for action, _ in told].count("resolve") == 10


def test_trouble_that_returns_reopens_and_opens_no_second_page() -> None:
    world = World(
        Trouble("spot:T4", "baggage/belt", 60, 120, 0.5), Trouble("spot:T4", "baggage/belt", 330, 390, 0.5)
    ).run(600)
    actions = [action for action, _ in messages(world, "pager") if action != "update"]
    assert actions == ["open", "resolve", "reopen", "resolve"]


def test_a_thousand_cells_in_one_minute_are_one_page_per_parent_with_all_of_them_listed() -> None:
    states = [f"region:S{n}" for n in range(4)]
    rows = [("country:US", "United States", "country", "everywhere", None)]
    rows += [
        (state, state[-2:], "region", "country:US", (30.0 + 5 * n, -120.0 + 15 * n)) for n, state in enumerate(states)
    ]
    towns = [f"city:{state[-2:]}-{n}" for state in states for n in range(25)]
    rows += [(town, town[5:], "city", f"region:{town[5:7]}", None) for town in towns]
    rows += [(f"region:Q{n}", f"Q{n}", "region", "country:US", None) for n in range(20)]
    rows += [(f"city:Q{n}-{m}", f"Q{n}-{m}", "city", f"region:Q{n}", None) for n in range(20) for m in range(25)]
    problems = Keywords(["power", *(f"power/{n}" for n in range(10))])
    troubles = [Trouble(town, f"power/{n}", 30, 50, 3.0) for town in towns for n in range(10)]
    world = World(*troubles, places=Places(rows), keywords=problems, rate=0.01).run(120)
    pages = [one for one in world.revisions if one.reason == "confirmed"]
    assert {one.scope.place for one in pages} == set(states)
    assert len(pages) == 4
    assert {part.place for one in world.reached("confirmed") for part in one.places} == set(towns)
    for one in world.reached("confirmed"):
        assert len(one.keywords) >= 10
    told = [one for one in deliveries(world) if one.channel == "pager"]
    assert [one.action for one in told].count("open") == 4
    minutes = [(one.incident, int(one.minute)) for one in told]
    assert len(minutes) == len(set(minutes)), "one message a minute and parent at most"
