"""Wall time that was not lived through: clock steps, suspends, and the time the service was down. Each becomes a gap in the log."""

from __future__ import annotations

import time
from typing import NamedTuple

from streams.runtime.entries import Gap

LEAST_SECONDS = 2.0
DOWN_SECONDS = 60.0


class Reading(NamedTuple):
    """The three clocks at one moment, in seconds."""

    wall: float
    monotonic: float  # stands still in a suspend
    boot: float  # goes on in a suspend


def read_clocks() -> Reading:
    """The clocks now."""
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
    return Reading(time.time(), time.monotonic(), boot)


def gap_between(before: Reading, after: Reading) -> Gap | None:
    """What happened between two readings, None when time just passed."""
    passed = after.boot - before.boot
    asleep = passed - (after.monotonic - before.monotonic)
    step = after.wall - before.wall - passed
    if abs(step) >= LEAST_SECONDS:
        return Gap("step", before.wall, step)
    if asleep >= LEAST_SECONDS:
        return Gap("suspend", before.wall, asleep)
    return None


def gap_since(last_arrival: float | None, now: float) -> Gap | None:
    """The time the service was down, when it was long."""
    if last_arrival is None or now - last_arrival < DOWN_SECONDS:
        return None
    return Gap("down", last_arrival, now - last_arrival)
