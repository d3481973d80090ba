"""Ends a worker that has records to take and takes none: its supervisor starts another, which goes on from the last snapshot.

In a thread of its own, so that a blocked event loop is noticed too. Records are counted by asking the broker, not by what the consumer believes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import structlog

from streams.runtime.kafka.stages import Stages

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
STOPPED_SECONDS = 5.0  # this thread itself was not run for so long: the process was stopped, not stuck
EXIT_STUCK = 70


class Watchdog:
    """`lag`: records waiting, as of `measured_at` (monotonic); None while the broker does not answer."""

    def __init__(self, stages: Stages, seconds: float, end: Callable[[int], None] = os._exit) -> None:
        self.stages, self.seconds = stages, seconds
        self.lag: int | None = None
        self.beat_at = time.monotonic()  # of the event loop
        self._end = end
        self._seen = -1
        self._good_at = self._looked_at = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()

    @property
    def stuck_seconds(self) -> float:
        """For how long there was something to take and nothing was taken."""
        return max(0.0, self._looked_at - self._good_at)

    def measured(self, lag: int | None) -> None:
        """What the event loop found."""
        self.lag = lag
        self.beat_at = time.monotonic()

    def look(self, now: float) -> None:
        """Judge the moment."""
        if now - self._looked_at > STOPPED_SECONDS:
            self._good_at = self.beat_at = now
        self._looked_at = now
        progress = self.stages.progress
        blocked = now - self.beat_at > self.seconds / 2
        if progress != self._seen or (not self.lag and not blocked):
            self._seen, self._good_at = progress, now
        elif now - self._good_at > self.seconds:
            log.error("no progress", seconds=round(now - self._good_at), lag=self.lag, loop_blocked=blocked)
            self._end(EXIT_STUCK)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look(time.monotonic())
