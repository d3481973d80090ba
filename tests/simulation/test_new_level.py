"""What rises for good becomes the usual within days; what lasts three days or fades does not, and stays an incident."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from alerting.model import Incident
from detectors.bank import Bank
from tests.simulation.world import DAY, World

TOWN = 3


def expected(world: World) -> float:
    """People expected at the town in a window of mean density, whatever they complain of."""
    detect, place = world.pipeline.detect, int(world.towns[TOWN])
    series, _ = detect.index.lookup(np.array([place]), np.array([0]))
    assert isinstance(detect.bank, Bank)
    core = detect.bank.core
    return float(core.level.rate(core.scale(world.at), series)[0])


def days(world: World, count: int, factor: Callable[[float], float]) -> list[Incident]:
    """Let days pass in which the town has so many times what it had, by the days gone; what was told of it."""
    usual, before = world.rate[TOWN].copy(), len(world.revisions)
    for step in range(count * DAY // world.window):
        world.rate[TOWN] = usual * factor(step * world.window / DAY)
        world.run(world.window / DAY)
    world.rate[TOWN] = usual * factor(count)
    town = world.pipeline.places.id(int(world.towns[TOWN]))
    return [one for one in world.revisions[before:] if town in one.scope.within]


def world_of(seed: int) -> World:
    world = World(towns=12, keywords=5, per_day=4_000, inside="country:US", seed=seed)
    world.run(14)
    return world


def test_a_town_that_stays_at_four_times_its_level_is_taken_for_usual_within_five_days_and_is_no_news_again() -> None:
    world = world_of(5)
    usual, begin = expected(world), world.at
    told = days(world, 5, lambda _: 4.0)
    ends = [one for one in told if one.reason == "new_normal"]
    for end in ends:
        assert end.state == "resolved"
        assert end.resolved_at is not None
        assert 4 * DAY <= end.resolved_at - begin <= 5 * DAY
        assert end.why[-1].text.startswith(("steady at 3.9 times", "steady at 4.0 times", "steady at 4.1 times"))
    merged = {one.id for one in told if one.merged_into}
    of_town = {one.id for one in told if one.suspected_at is not None} - merged
    assert of_town == {one.id for one in ends}
    assert not any(one.reason == "widened" for one in told)
    assert 3.2 * usual < expected(world) < 4.8 * usual
    assert not [one for one in days(world, 4, lambda _: 1.0) if one.suspected_at is not None and one.id not in of_town]


@pytest.mark.parametrize("seed", [5, 7])
@pytest.mark.parametrize("course", ["three days", "fades"])
def test_trouble_of_three_days_or_that_fades_is_no_new_level(seed: int, course: str) -> None:
    world = world_of(seed)
    usual = expected(world)
    fading = course == "fades"
    told = days(world, 6, lambda day: 1 + 3 * max(0.0, 1 - day / 5) if fading else 4.0 if day < 3 else 1.0)
    assert any(one.state == "confirmed" for one in told)
    assert not any(one.reason == "new_normal" for one in told)
    assert 0.8 * usual < expected(world) < 1.35 * usual
