"""Four models of the year side by side: each series is foretold by those that have been right about it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.harmonic import YEAR_SECONDS, Harmonic
from detectors.seasons import MODELS, Seasons

WEEK = 604_800
YEARS = 6
SERIES = 60


def learnt(amplitude: float, seed: int) -> tuple[Seasons, Harmonic, int]:
    """Four models, and the fullest of them alone, after years of weekly counts around 5."""
    rng = np.random.default_rng(seed)
    both, alone = Seasons(SERIES, WEEK), Harmonic(SERIES, WEEK, MODELS[-1])
    one, seen = np.ones(SERIES), np.ones(SERIES, np.bool_)
    for start in range(0, int(YEARS * YEAR_SECONDS), WEEK):
        counts = rng.poisson(rate(start, amplitude), SERIES).astype(np.float64)
        for model in (both, alone):
            model.learn(start, counts, one, one, seen)
    return both, alone, start


def rate(start: int, amplitude: float) -> float:
    return float(5 * np.exp(amplitude * np.cos(2 * np.pi * start / YEAR_SECONDS)))


def error(model: Seasons | Harmonic, last: int, amplitude: float) -> float:
    """Mean squared error of the logarithm, over the year to come."""
    weeks = range(last, last + int(YEAR_SECONDS), WEEK)
    return float(np.mean([(np.log(model.forecast(at)[0]) - np.log(rate(at, amplitude))) ** 2 for at in weeks]))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_series_without_a_season_is_foretold_better_than_by_a_model_with_one(seed: int) -> None:
    both, alone, last = learnt(0.0, seed)
    assert error(both, last, 0.0) < 0.6 * error(alone, last, 0.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_season_is_found_and_costs_nothing(seed: int) -> None:
    both, alone, last = learnt(0.8, seed)
    assert error(both, last, 0.8) < 1.1 * error(alone, last, 0.8)


def test_what_the_models_disagree_about_widens_the_forecast() -> None:
    both, _, last = learnt(0.8, 3)
    narrow = both.forecast(last)[1]
    both.evidence[:] = 0.0
    assert (both.forecast(last)[1] > narrow).mean() > 0.9
