"""The quick look that passes over most series passes over none that matters."""

import numpy as np
import pytest

from detectors import create, judgement

N, WINDOW = 300, 900


@pytest.mark.parametrize("blind", [False, True])
def test_a_look_at_every_series_finds_nothing_more(blind, monkeypatch):
    rng = np.random.default_rng(8)
    rate, groups = rng.lognormal(-2.5, 1.5, N), rng.integers(0, 3, N)
    bank = create("default", n_series=N, window_seconds=WINDOW, groups=groups, zones=["UTC", "Asia/Tokyo", "UTC"])
    quick = []
    for window in range(4 * 96):
        exposure = np.where(groups == 1, rng.choice([0.0, 0.5, 1.0, 2.0]), 1.0) if blind else None
        counts = rng.poisson(rate * (5 if window % 50 == 49 else 1))
        scores = bank.score(window * WINDOW, counts, exposure)
        quick.append(scores.p_value)
        if window % 5 == 0 or window % 50 == 49:
            with monkeypatch.context() as patch:
                patch.setattr(judgement, "_perhaps_over", lambda *_: np.arange(N))
                judged = judgement.judge(bank.core, window * WINDOW, counts, exposure, learning=window < 24)
            assert np.array_equal(judged.scores.p_value, scores.p_value)
        bank.learn(window * WINDOW, counts, scores.p_value < 1e-6, exposure)
    assert (np.array(quick) < 0.2).sum() > 1000
