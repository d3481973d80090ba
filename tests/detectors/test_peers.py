"""The plain methods compute what their papers say."""

import numpy as np
import pytest
from scipy import stats

from detectors import create

DAY, START = 86_400, 1_704_067_200
PAST = np.array([3, 5, 2, 4, 6, 3, 5, 9, 8])


@pytest.mark.parametrize(("name", "used"), [("ears_c1", slice(2, 9)), ("ears_c2", slice(0, 7))])
def test_ears_compares_with_seven_windows(name, used):
    bank = create(name, n_series=1, window_seconds=DAY)
    for t, y in enumerate(PAST):
        bank.learn(START + t * DAY, np.array([y]))
    p = bank.score(START + 9 * DAY, np.array([12])).p_value[0]
    assert p == pytest.approx(stats.norm.sf(12, PAST[used].mean(), PAST[used].std()), rel=1e-6)


def test_ewma_forgets_and_the_windowed_gaussian_does_not_within_its_window():
    banks = [create(name, n_series=1, window_seconds=DAY) for name in ("ewma", "windowed_gaussian")]
    for bank in banks:
        for t in range(50):
            bank.learn(START + t * DAY, np.array([10 if t < 30 else 20]))
    expected = [bank.score(START + 50 * DAY, np.array([0])).expected[0] for bank in banks]
    assert expected[0] > 19
    assert expected[1] == pytest.approx(14)
