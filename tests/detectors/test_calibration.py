"""Calibration corrects p-values that come out too small too often, and keeps their order."""

import numpy as np

from detectors.calibration import Calibration
from detectors.strata import STRATA


def after(p: np.ndarray, tests: float) -> Calibration:
    calibration = Calibration()
    calibration.pass_time(np.full(STRATA, tests))
    calibration.learn(p, np.full(len(p), 2), 1.0)
    calibration.refresh(1.0)
    return calibration


def test_honest_p_values_stay_as_they_are():
    p = np.random.default_rng(1).random(2_000_000)
    calibration = after(p[p < 0.05], 2e6)
    some = np.array([1e-2, 1e-3, 1e-4])
    assert np.allclose(np.log10(calibration(some, np.full(3, 2))), np.log10(some), atol=0.15)


def test_p_values_too_small_by_a_power_are_corrected_and_other_strata_are_not():
    p = np.random.default_rng(2).random(2_000_000) ** 1.5
    calibration = after(p[p < 0.05], 2e6)
    share = float((calibration(p, np.full(len(p), 2)) < 1e-3).mean())
    assert 0.7e-3 < share < 1.5e-3
    assert np.allclose(np.log10(calibration(np.array([1e-3]), np.array([5]))), -3, atol=0.8)


def test_smaller_stays_smaller():
    calibration = after(np.random.default_rng(3).random(20_000) ** 3, 3e4)
    p = np.logspace(-30, 0, 2000)
    assert (np.diff(calibration(p, np.full(len(p), 2))) >= 0).all()


def test_what_is_no_chance_says_nothing_about_chance():
    assert after(np.full(500, 1e-12), 1e4).shift.max() <= 0
