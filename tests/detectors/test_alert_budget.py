"""The alert budget: the cut it sets, and what it groups."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.alert_budget import Budget, budget
from detectors.tail_cut import LEVEL, WEEK_SECONDS, TailCut

WINDOW = 900.0


def small(n_places: int = 40, keywords: int = 10, per_week: float = 1.0) -> Budget:
    n = n_places * keywords
    return budget(
        n_series=n,
        window_seconds=WINDOW,
        per_week=per_week,
        places=np.arange(n) // keywords,
        keywords=np.arange(n) % keywords,
    )


def window(layer: Budget, number: int, unusual: dict[int, float], people: int = 5) -> np.ndarray:
    p, counts = np.ones(len(layer.places)), np.zeros(len(layer.places), np.int64)
    for series, value in unusual.items():
        p[series], counts[series] = value, people
    return layer.step(number * WINDOW, p, counts)


@pytest.mark.parametrize("slope", [1.0, 0.7])
@pytest.mark.parametrize("per_week", [1.0, 5.0])
def test_the_cut_holds_the_budget_whatever_the_slope_of_the_quiet_tail(slope: float, per_week: float) -> None:
    rng, rate = np.random.default_rng(3), 800.0
    tail = TailCut(per_week, 5000.0)
    for _ in range(12 * 7):
        tail.pass_time(86_400)
        tail.observe(LEVEL * rng.random(rng.poisson(rate / 7)) ** (1 / slope))
    truly = rate * (tail.cut / LEVEL) ** slope
    assert 0.4 * per_week < truly < 1.2 * per_week


def test_before_anything_is_seen_the_cut_follows_the_guess() -> None:
    assert TailCut(1.0, 1000.0).cut < TailCut(1.0, 10.0).cut
    assert 1e-8 < TailCut(1.0, 1000.0).cut < LEVEL / 1000


def test_the_cut_never_comes_so_high_that_nothing_is_left_to_learn_from() -> None:
    tail = TailCut(10.0, 100.0)
    for _ in range(20):
        tail.pass_time(WEEK_SECONDS)
    assert tail.cut < 0.5 * LEVEL


def test_with_very_many_series_only_lower_runs_are_watched_and_the_cut_stays() -> None:
    rng = np.random.default_rng(4)
    many, few = TailCut(1.0, 5000.0), TailCut(1.0, 5000.0, most_runs=500.0)
    for _ in range(60):
        lowest = LEVEL * rng.random(2000)
        for tail in (many, few):
            tail.pass_time(86_400)
            tail.observe(lowest)
    assert few.level < LEVEL / 5
    assert few.rate <= 500
    assert few.cut == pytest.approx(many.cut, rel=0.5)


def test_a_tail_continues_from_its_state() -> None:
    tail, other = TailCut(1.0, 1000.0), TailCut(1.0, 1000.0)
    tail.pass_time(WEEK_SECONDS)
    tail.observe([1e-4, 5e-4, 9e-4])
    other.load(tail.state())
    assert (other.cut, other.rate, other.shape) == (tail.cut, tail.rate, tail.shape)


def test_the_budget_never_blocks() -> None:
    layer = small()
    opened = set()
    for number in range(40):
        ids = window(layer, number, {number // 2 * 30 % 400: 1e-12} if number % 2 == 0 else {})
        opened |= set(ids[ids > 0].tolist())
    assert len(opened) == 20, "one a week allowed, twenty disruptions in ten hours"
    assert layer.spent == 20


def test_a_series_that_stays_unusual_is_alerted_once() -> None:
    layer = small()
    ids = {int(window(layer, number, {7: 1e-9})[7]) for number in range(30)}
    assert ids == {1}


def test_it_alerts_anew_after_two_quiet_hours() -> None:
    layer = small()
    first = window(layer, 0, {7: 1e-9})[7]
    for number in range(1, 12):
        window(layer, number, {})
    assert window(layer, 12, {7: 1e-9})[7] == first + 1


def test_a_storm_over_adjacent_places_is_one_incident() -> None:
    layer = small()
    ids = window(layer, 0, dict.fromkeys(range(50, 100), 1e-9))
    assert set(ids[50:100].tolist()) == {1}
    ids = window(layer, 1, dict.fromkeys(range(40, 120), 1e-9))
    assert set(ids[ids > 0].tolist()) == {1}


def test_places_far_apart_are_two_incidents() -> None:
    ids = window(small(), 0, {5: 1e-9, 300: 1e-9})
    assert len({int(ids[5]), int(ids[300])}) == 2


def test_two_people_are_no_incident_however_unusual() -> None:
    assert not window(small(), 0, {5: 1e-12}, people=2).any()


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="places"):
        budget(n_series=3, window_seconds=60, per_week=1, places=[0, 1], keywords=[0, 1, 2])
    with pytest.raises(ValueError, match="per_week"):
        TailCut(0.0, 10.0)
