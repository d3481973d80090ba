"""Held series that are steady at a new level are given it, and nothing else is; whatever the restarts and the quiet windows."""

import numpy as np
import pytest

from detectors import create
from detectors.base import Relearning

HOUR = 3600
DAY = 24
RISEN = 0  # of three series, the one that stands in an incident


def learnt(bank=None):
    """A bank in which each of three series usually has four an hour, for three weeks."""
    bank = bank or create(n_series=3, window_seconds=HOUR)
    chance = np.random.default_rng(1)
    for hour in range(3 * 7 * DAY):
        bank.learn(hour * HOUR, chance.poisson(4.0, 3))
    return bank


def hold(bank, counts, first=3 * 7 * DAY, restart=False):
    """Hold the risen series while it has these counts; the hours in which it was given a new level."""
    chance, told = np.random.default_rng(2), []
    for hour, count in enumerate(counts, first):
        now = chance.poisson(4.0, 3)
        now[RISEN] = count
        bank.score(hour * HOUR, now)
        bank.learn(hour * HOUR, now, hold=np.arange(3) == RISEN)
        told += [hour - first] * len(bank.relearnt)
        if restart:
            state = bank.snapshot()
            bank = create(n_series=3, window_seconds=HOUR)
            bank.restore(state)
    return bank, told


def expected(bank, first):
    return bank.score(first * HOUR, np.zeros(3, np.int64)).expected


def test_what_stays_at_three_times_the_usual_is_the_usual_after_four_days_with_restarts_and_without():
    counts = np.random.default_rng(3).poisson(12.0, 5 * DAY)
    (bank, told), (again, told_again) = hold(learnt(), counts), hold(learnt(), counts, restart=True)
    assert told == told_again == [4 * DAY + 6]
    assert bank.snapshot() == again.snapshot()
    after = expected(bank, 26 * DAY)
    assert after[RISEN] == pytest.approx(12.0, rel=0.15)
    assert after[1:] == pytest.approx([4.0, 4.0], rel=0.15)


def test_the_detector_of_mentions_tells_it_too():
    bank = create("tweets", n_series=3, window_seconds=HOUR)
    assert isinstance(bank, Relearning)
    _, told = hold(learnt(bank), np.random.default_rng(3).poisson(12.0, 5 * DAY))
    assert told == [4 * DAY + 6]


def test_what_fades_or_comes_and_goes_is_not():
    chance = np.random.default_rng(4)
    fading = 40 * 0.5 ** (np.arange(6 * DAY) / DAY)
    by_day = np.where(np.arange(6 * DAY) // DAY % 2 == 0, 12.0, 4.0)
    for mean in (fading, by_day):
        bank, told = hold(learnt(), chance.poisson(mean))
        assert told == []
        assert expected(bank, 27 * DAY)[RISEN] == pytest.approx(4.0, rel=0.15)


def test_an_incident_that_is_the_usual_gives_its_series_the_level_since_and_the_quiet_before_it_does_not_count():
    rates = []
    for dense in (True, False):
        bank = learnt()
        first = 3 * 7 * DAY
        for hour in range(first, first + 20):
            if dense:
                bank.learn(hour * HOUR, np.zeros(3, np.int64))
        bank, _ = hold(bank, [12] * 30, first=first + 20)
        now = first + 50
        bank.score(now * HOUR, [12, 4, 4])
        bank.settle(now * HOUR, np.arange(3) == RISEN)
        bank.learn(now * HOUR, [12, 4, 4])
        rates.append(expected(bank, now + 1)[RISEN])
    assert rates[0] == pytest.approx(12.0, rel=0.15)
    assert rates[1] == pytest.approx(rates[0], rel=0.01)


def test_a_held_series_is_known_by_its_new_number_when_others_are_forgotten():
    counts = np.random.default_rng(3).poisson(12.0, 5 * DAY)
    bank, told = hold(learnt(), counts[: 3 * DAY])
    assert told == []
    bank.keep([1, RISEN])
    for hour, count in enumerate(counts[3 * DAY :], 3 * 7 * DAY + 3 * DAY):
        bank.learn(hour * HOUR, [4, count], hold=[False, True])
        told += bank.relearnt.tolist()
    assert told == [1]


def test_days_that_nobody_could_see_are_no_evidence():
    bank, told = learnt(), []
    chance = np.random.default_rng(5)
    for hour in range(5 * DAY):
        blind = DAY <= hour < 3 * DAY
        now = np.zeros(3, np.int64) if blind else chance.poisson([12.0, 4.0, 4.0])
        exposure = np.zeros(3) if blind else None
        bank.learn((3 * 7 * DAY + hour) * HOUR, now, hold=np.arange(3) == RISEN, exposure=exposure)
        told += bank.relearnt.tolist()
    assert told == []
