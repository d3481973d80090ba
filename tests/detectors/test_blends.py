"""A series whose people live by several clocks rises and falls as its children do."""

from datetime import UTC, datetime

import numpy as np

import detectors
from detectors.blends import crossing

WINDOW = 3600
MONDAY = int(datetime(2026, 2, 2, tzinfo=UTC).timestamp())
ZONES = ["UTC", "America/New_York", "Asia/Tokyo"]
# Series: everybody's cats, everybody's dogs; New York's cats, Tokyo's dogs.
GROUPS, PARENTS = np.array([0, 0, 1, 2]), np.array([-1, -1, 0, 1])


def at_work(start: int, hours_from_utc: float) -> float:
    return 60.0 if 9 <= (start / 3600 + hours_from_utc) % 24 < 17 else 6.0


def windows(days: float, since: int, new_york: float = -5.0) -> list[tuple[int, np.ndarray]]:
    out = []
    for start in range(since, since + round(days * 86_400), WINDOW):
        cats, dogs = at_work(start, new_york), at_work(start, 9)
        out.append((start, np.array([cats, dogs, cats, dogs], np.int64)))
    return out


def test_only_groups_with_children_of_another_clock_are_blended():
    assert crossing(GROUPS, PARENTS, 3).tolist() == [True, False, False]
    assert not crossing(np.zeros(3, np.int64), np.array([-1, 0, 0]), 1).any()


def test_a_far_province_with_its_own_clock_leaves_the_countrys_towns_theirs():
    """Series: a country, two of its towns, and a province two hours behind with few people."""
    groups, parents = np.array([0, 0, 0, 1]), np.array([-1, 0, 0, 0])
    zones = ["Asia/Shanghai", "Asia/Urumqi"]
    bank = detectors.create(n_series=4, window_seconds=WINDOW, groups=groups, zones=zones, parents=parents)
    rng = np.random.default_rng(1)
    surprised = 0
    for start in range(MONDAY, MONDAY + 28 * 86_400, WINDOW):
        towns, province = rng.poisson([at_work(start, 8)] * 2), rng.poisson(at_work(start, 6) / 20)
        counts = np.array([towns.sum() + province, *towns, province], np.int64)
        scores = bank.score(start, counts)
        surprised += int(scores.p_value.min() < 1e-4)
        bank.learn(start, counts)
    assert surprised == 0
    noon, two_at_night = (scores_at(bank, MONDAY + 28 * 86_400 + hour * 3600) for hour in (4, 18))
    assert noon[1] > 5 * two_at_night[1]


def scores_at(bank, start: int) -> np.ndarray:
    return bank.score(start, np.zeros(4, np.int64)).expected


def test_each_keyword_of_a_wide_place_follows_its_own_peoples_clocks_through_the_clock_change():
    bank = detectors.create(n_series=4, window_seconds=WINDOW, groups=GROUPS, zones=ZONES, parents=PARENTS)
    for start, counts in windows(35, MONDAY):
        if start >= datetime(2026, 3, 8, 7, tzinfo=UTC).timestamp():
            break
        bank.learn(start, counts)
    monday = int(datetime(2026, 3, 9, tzinfo=UTC).timestamp())
    for start, counts in windows(1, monday - 17 * 3600, new_york=-4.0):
        scores = bank.score(start, counts)
        assert scores.p_value.min() > 1e-3, datetime.fromtimestamp(start, UTC)
        assert np.abs(scores.expected[:2] - scores.expected[2:]).max() < 0.15 * scores.expected.max()
        bank.learn(start, counts)


def test_new_groups_forgetting_and_a_snapshot_leave_every_series_its_expectation():
    bank = detectors.create(n_series=4, window_seconds=WINDOW, groups=GROUPS, zones=ZONES, parents=PARENTS)
    for start, counts in windows(10, MONDAY):
        bank.learn(start, counts)
    after = MONDAY + 10 * 86_400
    before = bank.score(after, np.zeros(4, np.int64)).expected
    bank.grow(6, [*GROUPS, 3, 0], [*PARENTS, -1, -1], [*ZONES, "Europe/Paris"])
    assert np.allclose(bank.score(after, np.zeros(6, np.int64)).expected[:4], before, rtol=1e-6)
    bank.keep([1, 3, 5])
    kept = bank.score(after, np.zeros(3, np.int64)).expected
    assert np.allclose(kept[:2], before[[1, 3]], rtol=1e-6)
    other = detectors.create(n_series=3, window_seconds=WINDOW)
    other.restore(bank.snapshot())
    assert np.array_equal(other.score(after, np.zeros(3, np.int64)).expected, kept)
