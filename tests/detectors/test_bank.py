"""What a person who relies on the default bank would notice."""

import numpy as np
import pytest

from detectors import create

MONDAY = 1_704_067_200
HOUR, DAY = 3600, 86_400


def run(bank, counts, first=0, window=HOUR, **learn):
    """p-values of windows scored and learnt one after the other."""
    out = np.ones(counts.shape)
    for t, row in enumerate(counts, first):
        out[t - first] = bank.score(MONDAY + t * window, row).p_value
        bank.learn(MONDAY + t * window, row, **learn)
    return out


def test_six_people_in_ten_minutes_where_one_a_day_is_usual_are_found_by_the_fifth():
    rng, n, minutes = np.random.default_rng(1), 60, 14 * 1440
    bank = create(n_series=n, window_seconds=60)
    when, who = np.sort(rng.choice(minutes, n * 14, replace=False)), rng.integers(0, n, n * 14)
    for minute, series in zip(when.tolist(), who, strict=True):
        bank.learn(MONDAY + 60 * minute, np.bincount([series], minlength=n))
    p = []
    for k in range(6):
        counts = np.bincount([7], minlength=n)
        p.append(float(bank.score(MONDAY + 60 * (minutes + 2 * k), counts).p_value[7]))
        bank.learn(MONDAY + 60 * (minutes + 2 * k), counts)
    assert p[0] > 1e-4
    assert p[4] < 1e-6


def test_rush_hours_are_no_news_once_known_and_are_when_they_come_at_night():
    rng = np.random.default_rng(2)
    rush = np.where(np.isin(np.arange(24), (8, 17)), 60.0, 3.0)
    days = 21
    counts = rng.poisson(np.tile(rush, days)[:, None], (days * 24, 4))
    bank = create(n_series=4, window_seconds=HOUR)
    p = run(bank, counts)
    assert p[14 * 24 :].min() > 1e-4
    assert bank.score(MONDAY + days * DAY, np.full(4, 40)).p_value.max() < 1e-6


def test_a_storm_that_is_over_is_not_found_again_in_the_sums_of_the_day():
    rng = np.random.default_rng(3)
    counts = rng.poisson(1.0, (24 * 22, 30))
    counts[24 * 21 : 24 * 21 + 4, 5] += 60
    p = run(create(n_series=30, window_seconds=HOUR), counts)[:, 5]
    assert p[24 * 21 : 24 * 21 + 4].max() < 1e-6
    assert p[24 * 21 + 7 :].min() > 1e-3


def test_the_level_follows_a_volume_that_doubled_within_weeks_without_alarm():
    rng = np.random.default_rng(4)
    growth = np.repeat(2.0 ** np.clip(np.arange(120) / 40 - 1, 0, 2), 24)
    p = run(create(n_series=20, window_seconds=HOUR), rng.poisson(growth[:, None], (120 * 24, 20)))
    assert float((p[30 * 24 :] < 1e-3).mean()) < 2e-3
    assert p.min() > 1e-7


def test_while_nothing_is_known_there_is_no_alarm():
    bank = create(n_series=3, window_seconds=900)
    counts = np.full((24, 3), 40)
    assert (run(bank, counts, window=900) == 1).all()


def test_a_new_place_on_its_first_day_neither_alarms_nor_sleeps():
    rng = np.random.default_rng(5)
    parents = np.array([-1, 0, 0, 0])
    usual = np.array([0, 2.0, 2.0, 2.0])
    counts = rng.poisson(usual, (24 * 21, 4))
    counts[:, 0] = counts[:, 1:].sum(1)
    bank = create(n_series=4, window_seconds=HOUR, parents=parents)
    run(bank, counts)
    bank.grow(5, parents=np.array([0]))
    first = bank.score(MONDAY + 21 * DAY, np.array([8, 2, 2, 2, 2]))
    assert 0.5 < first.expected[4] < 6
    assert first.p_value[4] > 1e-2
    day = rng.poisson(np.append(usual, 2.0), (24, 5))
    p = run(bank, day, first=21 * 24)
    assert p[:, 4].min() > 1e-3
    assert bank.score(MONDAY + 22 * DAY, np.array([40, 2, 2, 2, 34])).p_value[4] < 1e-6


def test_both_clock_changes_are_silent():
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    rng, zone = np.random.default_rng(6), ZoneInfo("America/New_York")
    start = int(datetime(2024, 2, 12, tzinfo=UTC).timestamp())
    days = 40
    local = [datetime.fromtimestamp(start + HOUR * t, zone).hour for t in range(days * 24)]
    mean = np.where(np.isin(local, (7, 8, 9)), 50.0, 2.0)
    bank = create(n_series=10, window_seconds=HOUR, zones=["America/New_York"])
    lowest = 1.0
    for t, m in enumerate(mean):
        counts = rng.poisson(m, 10)
        p = bank.score(start + t * HOUR, counts).p_value
        bank.learn(start + t * HOUR, counts)
        lowest = min(lowest, p.min()) if t > 21 * 24 else lowest
    assert lowest > 1e-5


def test_a_planned_event_is_no_alarm_and_leaves_no_trace():
    rng = np.random.default_rng(7)
    bank = create(n_series=2, window_seconds=HOUR)
    run(bank, rng.poisson(3.0, (24 * 21, 2)))
    before = bank.score(MONDAY + 21 * DAY, np.zeros(2, int)).expected
    exposure = np.array([1.0, 10.0])
    for t in range(21 * 24, 21 * 24 + 4):
        counts = np.array([3, 30])
        assert bank.score(MONDAY + t * HOUR, counts, exposure).p_value[1] > 1e-2
        bank.learn(MONDAY + t * HOUR, counts, exposure=exposure)
    after = bank.score(MONDAY + 21 * DAY + 4 * HOUR, np.zeros(2, int))
    assert after.expected[1] == pytest.approx(before[1], rel=0.2)


def test_quiet_series_of_all_rates_are_calibrated():
    rng, n = np.random.default_rng(8), 1500
    size = np.exp(rng.normal(np.log(0.1), 2, n)).clip(None, 50)
    theta = 2 * rng.beta(1, 3, n)
    hits, tests = np.zeros(3), np.zeros(3)
    stratum = np.searchsorted([0.05, 0.5], size)
    bank = create(n_series=n, window_seconds=HOUR)
    for t in range(24 * 28):
        counts = rng.negative_binomial(size / theta, 1 / (1 + theta))
        p = bank.score(MONDAY + t * HOUR, counts).p_value
        bank.learn(MONDAY + t * HOUR, counts)
        if t >= 24 * 14:
            hits += np.bincount(stratum, p < 1e-3, 3)
            tests += np.bincount(stratum, minlength=3)
    assert (hits / tests < 2e-3).all()
    assert (hits / tests > 1e-4).all()


def test_a_window_that_stays_out_of_line_names_what_is_wrong():
    bank = create(n_series=2, window_seconds=HOUR)
    bank.learn(MONDAY, [1, 2])
    with pytest.raises(ValueError, match=r"start: .* learnt already"):
        bank.score(MONDAY, [1, 2])
    with pytest.raises(ValueError, match="counts: 2 series"):
        bank.score(MONDAY + HOUR, [1, 2, 3])
    with pytest.raises(ValueError, match="zones"):
        create(n_series=2, window_seconds=HOUR, groups=[0, 1], zones=["UTC"])
    with pytest.raises(ValueError, match="this bank's is 60"):
        create(n_series=2, window_seconds=60).restore(bank.snapshot())


def test_a_far_place_where_it_is_tomorrow_already_does_not_empty_that_weekday():
    rng = np.random.default_rng(11)
    zones = ["America/New_York", "Australia/Sydney"]
    bank = create(n_series=2, window_seconds=900, groups=[0, 1], zones=zones)
    for t in range(2 * 96):  # two days of Monday and Tuesday at home; far away few complain
        counts = np.array([rng.poisson(2.0), rng.random() < 0.02])
        bank.learn(MONDAY + 18_000 + t * 900, counts)
    wednesday = bank.score(MONDAY + 18_000 + 192 * 900 + 3600, np.zeros(2, int)).expected[0]
    assert 1.0 < wednesday < 4.0


def test_a_busy_series_is_not_held_down_by_what_its_sparse_neighbours_lend_it():
    rng = np.random.default_rng(12)
    bank = create(n_series=200, window_seconds=60)
    for t in range(24 * 60):
        counts = np.zeros(200, int)
        counts[0] = rng.poisson(0.5)
        counts[rng.integers(1, 200)] += rng.random() < 0.01
        bank.learn(MONDAY + t * 60, counts)
    expected = bank.score(MONDAY + DAY, np.zeros(200, int)).expected[0]
    assert 0.35 < expected < 0.7


def test_months_that_nobody_could_see_cost_nothing_and_change_no_level():
    rng = np.random.default_rng(13)
    bank = create(n_series=5, window_seconds=300)
    run(bank, rng.poisson(1.0, (7 * 288, 5)), window=300)
    before = bank.score(MONDAY + 7 * DAY, np.zeros(5, int)).expected
    bank.skip(MONDAY + 7 * DAY, MONDAY + 98 * DAY)
    after = bank.score(MONDAY + 98 * DAY, np.zeros(5, int)).expected
    assert after == pytest.approx(before, rel=0.35)
    usual = np.full(5, 1)
    assert (bank.score(MONDAY + 98 * DAY, usual).p_value > 1e-2).all()
    assert (bank.score(MONDAY + 98 * DAY, np.full(5, 15)).p_value < 1e-4).all()
