"""Four ordinary situations of one place and problem in windows of a minute, which a spike rule mostly gets wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.detection.situations import SITUATIONS, alarms_of, spike_rule

PLACES = {name: number for number, name in enumerate(SITUATIONS)}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_default_detector_is_right(name: str) -> None:
    situation = SITUATIONS[name](np.random.default_rng([31, PLACES[name]]))
    assert situation.right(alarms_of("default", situation))


@pytest.mark.parametrize("name", ["mornings", "ramp"])
def test_a_spike_rule_is_not(name: str) -> None:
    situation = SITUATIONS[name](np.random.default_rng([31, PLACES[name]]))
    for least in (3, 10):
        assert not situation.right(spike_rule(situation, least))
