"""Whole weeks through DETECT and ALERT: what is ordinary opens nothing, what is not is found, in a place's first hours too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerting.model import Control
from tests.simulation.world import World


def test_four_weeks_of_ten_thousand_cells_with_rush_hours_open_at_most_one_incident_a_week() -> None:
    world = World(towns=200, keywords=50, per_day=20_000, seed=1)
    assert len(world.run(28)) <= 4


def test_a_busy_country_of_several_clocks_has_no_alarm_at_every_rush_hour() -> None:
    """A state in two time zones has a rhythm of its own, and so has the whole country."""
    world = World(towns=200, keywords=20, per_day=200_000, inside="country:US", seed=2)
    assert len(world.run(16)) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_six_people_in_ten_minutes_where_one_a_day_is_usual_are_found_by_the_fifth(seed: int) -> None:
    world = World(towns=10, keywords=5, per_day=50, window_seconds=60, seed=seed)
    world.rate[3, 2] = 1 / 1440
    world.run(10)
    town, leaf, came = int(world.towns[3]), int(world.leaves[2]), world.at + 600
    minutes = [0, 2, 4, 6, 8, 10]
    (incident,) = world.run(0.05, lambda start: [(town, leaf, 1)] if (start - came) / 60 in minutes else [])
    assert incident.people <= 5
    assert incident.scope.place == world.pipeline.places.id(town)


def test_a_new_town_neither_alarms_nor_sleeps_on_its_first_day() -> None:
    world = World(towns=40, keywords=10, per_day=4_000, seed=3)
    new, world.rate[5] = world.rate[5].copy(), 0.0
    world.run(21)
    world.rate[5] = new * 40 / new.sum() / 96  # 40 a day in all
    assert world.run(1) == []
    town, leaf, begin = int(world.towns[5]), int(world.leaves[0]), world.at + 7200
    (incident,) = world.run(0.5, lambda start: [(town, leaf, 8)] if begin <= start < begin + 3600 else [])
    assert incident.scope.place == world.pipeline.places.id(town)


@pytest.mark.parametrize(
    ("start", "days"), [(datetime(2026, 3, 2, tzinfo=UTC), 35), (datetime(2026, 10, 5, tzinfo=UTC), 35)]
)
def test_both_clock_changes_are_silent(start: datetime, days: int) -> None:
    """America changes three weeks, Europe four weeks after the first Monday of March; both in autumn within a week."""
    world = World(towns=60, keywords=5, per_day=30_000, start=start, seed=4)
    assert len(world.run(days)) <= 1


def test_a_planned_event_at_a_busy_town_is_silent_there_and_everywhere_above_it() -> None:
    """Three times as many at the largest town of a country: expected there, so its country and everybody are no news either."""
    told = {}
    for announced in (True, False):
        world = World(towns=12, keywords=5, per_day=8_000, inside="country:US", seed=6)
        world.run(15)
        town, places = int(world.towns[0]), world.pipeline.places
        if announced:
            begin, day = world.at, 86_400.0
            marathon = {"places": (places.id(town),), "start": float(begin), "until": begin + 2 * day, "factor": 3.0}
            known = Control(id="marathon", kind="planned_event", at=begin - day, author="ann", **marathon)
            world.pipeline.detect.control(known)
        world.run(0.02)  # acts are taken at a close, counted from the next
        world.rate[[places.within(int(one), town) for one in world.towns]] *= 3
        told[announced] = world.run(1)
    assert told[True] == []
    assert {places.level(places.index(one.scope.place)) for one in told[False]} >= {"city"}
