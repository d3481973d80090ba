"""Series that suffer together are found with their lag; chance, rush hours, bad weeks and kin link nobody."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from detectors.network import DAY, QUIET_SECONDS, REACH_SECONDS, WEEK, Network, excesses, network, passes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Habit = Callable[[np.random.Generator, int], tuple[Floats, Ints]]
WEEKS = 8
BEGIN = 2900 * WEEK + 2 * DAY  # a Saturday
END = float(BEGIN + WEEKS * WEEK)


def found(at: Floats, of: Ints, n: int, apart: npt.NDArray[np.bool_] | None = None) -> Network:
    return network(at, of, n, end=END, weeks=WEEKS, apart=~np.eye(n, dtype=bool) if apart is None else apart)


def anywhen(chance: np.random.Generator, n: int, each: int = 20) -> tuple[Floats, Ints]:
    return chance.uniform(BEGIN, END, n * each), np.repeat(np.arange(n), each)


def rush_hours(chance: np.random.Generator, n: int, each: int = 24) -> tuple[Floats, Ints]:
    """On workdays around eight and five."""
    days = BEGIN // DAY + np.arange(WEEKS * 7)
    workdays = days[(days + 3) % 7 < 5]
    hour = np.where(chance.random(n * each) < 0.5, 8.0, 17.0) + chance.normal(0.0, 0.7, n * each)
    return chance.choice(workdays, n * each) * DAY + hour * 3600.0, np.repeat(np.arange(n), each)


def bad_weeks(chance: np.random.Generator, n: int, each: int = 20) -> tuple[Floats, Ints]:
    """Three in four of them in two of the eight weeks."""
    week = chance.choice(WEEKS, n * each, p=[0.04, 0.04, 0.375, 0.04, 0.375, 0.04, 0.04, 0.05])
    return BEGIN + (week + chance.random(n * each)) * WEEK, np.repeat(np.arange(n), each)


def coupled(chance: np.random.Generator, n: int, minutes: float, times: int = 14) -> tuple[Floats, Ints]:
    """Series 0 and 1 share some of their excesses, 1 after 0; all others are alone."""
    at, of = anywhen(chance, n, 12)
    shared = chance.uniform(BEGIN, END - DAY, times)
    after = shared + 60.0 * chance.normal(minutes, 4.0, times)
    return np.concatenate((at, shared, after)), np.concatenate((of, np.repeat([0, 1], times)))


@pytest.mark.parametrize("habit", [anywhen, rush_hours, bad_weeks])
def test_series_that_have_nothing_to_do_with_each_other_are_seldom_linked(habit: Habit) -> None:
    linked = [len(found(*habit(np.random.default_rng(seed), 20), 20).edges.one) for seed in range(30)]
    assert sum(edges > 0 for edges in linked) <= 4  # 5 % of 30 are 1.5


def test_the_rush_hours_of_these_tests_do_bring_excesses_together() -> None:
    at, of = rush_hours(np.random.default_rng(1), 20)
    met = (np.abs(at[:, None] - at) <= REACH_SECONDS) & (of[:, None] != of)
    usual = (of[:, None] != of).sum() * 2 * REACH_SECONDS / (WEEKS * WEEK)
    assert met.sum() > 3 * usual


@pytest.mark.parametrize("seed", range(5))
def test_a_pair_that_suffers_together_is_found_with_who_leads_by_how_much(seed: int) -> None:
    edges = found(*coupled(np.random.default_rng(seed), 20, 25.0), 20).edges
    assert (edges.one[0], edges.other[0]) == (0, 1)
    assert edges.times[0] >= 14
    assert edges.by_chance[0] < 0.6 * edges.times[0]
    assert edges.lag_seconds[0] == pytest.approx(25 * 60, abs=300)
    back = found(*coupled(np.random.default_rng(seed), 20, -50.0), 20).edges
    assert (back.one[0], back.other[0]) == (1, 0)
    assert back.lag_seconds[0] == pytest.approx(50 * 60, abs=300)


def test_beyond_two_hours_nothing_is_together() -> None:
    assert not len(found(*coupled(np.random.default_rng(3), 20, 150.0), 20).edges.one)


def test_the_excesses_of_a_linked_series_that_were_shared_are_counted() -> None:
    result = found(*coupled(np.random.default_rng(2), 10, 25.0), 10)
    assert result.onsets.tolist() == [26, 26, *[12] * 8]
    assert 14 <= result.together[0] < 26
    assert not result.together[2:].any()


def test_kin_are_never_linked() -> None:
    apart = ~np.eye(20, dtype=bool)
    apart[0, 1] = apart[1, 0] = False
    assert not len(found(*coupled(np.random.default_rng(0), 20, 25.0), 20, apart).edges.one)


def test_the_order_and_the_numbers_of_the_series_do_not_matter() -> None:
    chance = np.random.default_rng(4)
    at, of = coupled(chance, 30, 10.0)
    plain = found(at, of, 30)
    shuffled, renumbered = chance.permutation(len(at)), chance.permutation(30)
    other = found(at[shuffled], renumbered[of[shuffled]], 30)
    assert len(plain.edges.one)
    pairs = [
        dict(zip(zip(names[e.one], names[e.other], strict=True), zip(*e[2:], strict=True), strict=True))
        for e, names in ((plain.edges, renumbered), (other.edges, np.arange(30)))
    ]
    assert pairs[0] == pairs[1]
    assert (plain.together == other.together[renumbered]).all()


def test_all_shifts_at_once_say_what_999_drawn_ones_say() -> None:
    """Drawn one by one, as the p-value is defined: days change places within their week, workdays with workdays."""
    chance = np.random.default_rng(8)
    at, of = coupled(chance, 2, 20.0, times=4)
    exact = found(at, of, 2).edges
    assert len(exact.one) == 1
    drawn = [_share_of_drawn_shifts(chance, at[of == one], at[of == 1 - one]) for one in (0, 1)]
    assert 0.0 < exact.p_value[0] <= 0.05
    assert max(drawn) == pytest.approx(exact.p_value[0], abs=4 * np.sqrt(exact.p_value[0] / 999) + 0.002)


def _share_of_drawn_shifts(chance: np.random.Generator, standing: Floats, moving: Floats) -> float:
    def met(moved: Floats) -> int:
        return int((np.abs(standing[:, None] - moved) <= REACH_SECONDS).sum())

    day = ((moving - BEGIN) // DAY).astype(np.int64)
    reached = 1
    for _ in range(999):
        moved = moving.copy()
        for week in range(WEEKS):
            for kind in (False, True):
                days = [d for d in range(week * 7, week * 7 + 7) if ((BEGIN // DAY + d + 3) % 7 >= 5) == kind]
                for one, to in zip(days, chance.permutation(days), strict=True):
                    moved[day == one] += (to - one) * DAY
        reached += met(moved) >= met(moving)
    return reached / 1000


def test_false_discoveries_are_held_down_among_all_that_were_tested() -> None:
    p = np.array([0.001, 0.04, 0.012, 0.6])
    assert passes(p, 4).tolist() == [True, False, True, False]
    assert passes(p, 40).tolist() == [True, False, False, False]
    assert not passes(p, 400).any()
    assert not passes(np.zeros(0), 10).any()


def test_too_short_a_history_links_nobody() -> None:
    at, of = coupled(np.random.default_rng(0), 40, 25.0, times=40)
    assert not len(network(at, of, 40, end=END, weeks=2, apart=~np.eye(40, dtype=bool)).edges.one)
    assert not len(found(np.zeros(0), np.zeros(0, np.int64), 0).edges.one)


def test_an_excess_lasts_until_it_was_usual_for_long_enough() -> None:
    first = np.array([0.0, 60.0, 60.0 + QUIET_SECONDS - 1, 10.0 * QUIET_SECONDS, 30.0])
    found = excesses(np.array([7, 7, 7, 7, 2]), first, first, np.array([1, 2, 3, 4, 5]))
    assert found.series.tolist() == [2, 7, 7]
    assert found.first.tolist() == [30.0, 0.0, 10.0 * QUIET_SECONDS]
    assert found.last.tolist() == [30.0, 60.0 + QUIET_SECONDS - 1, 10.0 * QUIET_SECONDS]
    assert found.people.tolist() == [5, 6, 4]


def test_excesses_taken_day_by_day_are_those_taken_at_once() -> None:
    chance = np.random.default_rng(5)
    first = np.sort(chance.uniform(0, 10 * DAY, 400))
    series, people = chance.integers(0, 5, 400), chance.integers(1, 9, 400)
    at_once = excesses(series, first, first, people)
    kept = excesses(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    for day in range(10):
        new = (first >= day * DAY) & (first < (day + 1) * DAY)
        more = (series[new], first[new], first[new], people[new])
        kept = excesses(*(np.concatenate(pair) for pair in zip(kept, more, strict=True)))
    assert all(np.array_equal(one, other) for one, other in zip(at_once, kept, strict=True))


@pytest.mark.parametrize("wrong", ["end", "apart"])
def test_what_is_wrong_is_named(wrong: str) -> None:
    apart = np.ones((2, 2), bool)
    apart[0, 1] = wrong != "apart"
    with pytest.raises(ValueError, match=wrong):
        network(np.zeros(0), np.zeros(0, np.int64), 2, end=END + (wrong == "end"), weeks=8, apart=apart)
