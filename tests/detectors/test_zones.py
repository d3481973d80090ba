"""Offsets from UTC are right on both sides of both clock changes."""

from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.zones import Zones

HOUR = 3600


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())


def test_offsets_change_at_the_second_the_clocks_do():
    zones = Zones(["America/New_York", "Asia/Kolkata", "UTC"])
    spring = at(2024, 3, 10, 7)
    got = zones.offsets(np.array([spring - 1, spring, at(2024, 11, 3, 6)]))
    assert got.tolist() == [[-5 * HOUR, -4 * HOUR, -5 * HOUR], [19_800] * 3, [0] * 3]


def test_asking_in_any_order_gives_the_same():
    times = np.array([at(2023, m, 15) for m in range(1, 13)])
    forward, backward = Zones(["Europe/Berlin"]), Zones(["Europe/Berlin"])
    one = [int(forward.offsets(times[i : i + 1])[0, 0]) for i in range(12)]
    other = [int(backward.offsets(times[i : i + 1])[0, 0]) for i in reversed(range(12))]
    assert one == other[::-1] == [HOUR] * 3 + [2 * HOUR] * 7 + [HOUR] * 2


def test_a_zone_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="Mars/Olympus"):
        Zones(["UTC", "Mars/Olympus"])
