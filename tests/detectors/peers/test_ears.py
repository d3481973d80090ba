"""EARS computes what its paper says, and what R's surveillance computes."""

import numpy as np
import pytest
from scipy import stats

from detectors import create

DAY, START = 86_400, 1_704_067_200
PAST = np.array([4, 2, 3, 5, 2, 4, 6, 3, 5, 9, 8])


def p_of(name, past, count):
    bank = create(name, n_series=1, window_seconds=DAY)
    for t, y in enumerate(past):
        bank.learn(START + t * DAY, np.array([y]))
    return bank.score(START + len(past) * DAY, np.array([count])).p_value[0]


@pytest.mark.parametrize(("name", "used"), [("ears_c1", slice(4, 11)), ("ears_c2", slice(2, 9))])
def test_ears_compares_with_seven_windows(name, used):
    expected = stats.norm.sf(12, PAST[used].mean(), PAST[used].std(ddof=1))
    assert p_of(name, PAST, 12) == pytest.approx(expected, rel=1e-6)


def test_c3_adds_what_the_last_two_windows_were_above_one():
    def z(at, count):
        seven = PAST[at - 9 : at - 2]
        return (count - seven.mean()) / max(seven.std(ddof=1), 0.5)

    before = max(0, z(9, PAST[9]) - 1) + max(0, z(10, PAST[10]) - 1)
    assert before > 1
    assert p_of("ears_c3", PAST, 7) == pytest.approx(stats.norm.sf(z(11, 7) + before), rel=1e-6)


def test_nothing_is_said_before_all_windows_were_seen():
    assert p_of("ears_c3", PAST[:10], 100) == 1
    assert p_of("ears_c2", PAST[:9], 100) < 1e-6
