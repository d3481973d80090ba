"""Ends a worker that has records to take and takes none: its supervisor starts another, which goes on from the last snapshot.

In a thread of its own, so that a blocked event loop is noticed too; and where something keeps Python itself from running, so that this
thread does not run either, a thread below it (`faulthandler`) tells where and ends the process. Records are counted by asking the broker,
partition by partition, not by what the consumer believes: one that stands still is not hidden by others that move.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping

import structlog
from faust.types import TP

from streams.runtime.kafka.stages import Stages

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
STOPPED_SECONDS = 5.0  # this thread itself was not run for so long: the process was stopped, not stuck
EXIT_STUCK = 70


class Watchdog:
    """Looks every second; ends the process by `end` after `seconds` without progress."""

    def __init__(self, stages: Stages, seconds: float, end: Callable[[int], None] = os._exit) -> None:
        self.stages, self.seconds = stages, seconds
        self.lag: int | None = None  # records waiting; None while the broker does not answer
        self.beat_at = time.monotonic()  # of the event loop
        self._end = end
        self._waiting: Mapping[TP, int] = {}
        self._moved: dict[TP, tuple[int, float]] = {}  # where each partition stood, and since when
        self._restored_at = self._looked_at = self.beat_at
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
        """For how long nothing went on: in the loop, in restoring, or in the partition that has records waiting longest."""
        return max(0.0, self._looked_at - min(self.beat_at, self._restored_at, *(at for _, at in self._moved.values())))

    def measured(self, waiting: Mapping[TP, int] | None) -> None:
        """What the event loop found: records waiting by partition; None where the broker does not answer."""
        self._waiting = waiting or {}
        self.lag = None if waiting is None else sum(waiting.values())
        self.beat_at = time.monotonic()

    def look(self, now: float) -> None:
        """Judge the moment."""
        if now - self._looked_at > STOPPED_SECONDS:
            self._restored_at = self.beat_at = now
            self._moved = {tp: (at, now) for tp, (at, _) in self._moved.items()}
        self._looked_at = now
        moved = {}
        for tp, stage in list(self.stages.owned.items()):
            at, since = self._moved.get(tp, (-1, now))
            still = stage.next_offset == at and self._waiting.get(tp) and not stage.excused
            moved[tp] = (stage.next_offset, since if still else now)
        self._moved = moved
        if not self.stages.restoring:
            self._restored_at = now
        if self.stuck_seconds > self.seconds:
            self._tell(now)
            self._end(EXIT_STUCK)

    def _tell(self, now: float) -> None:
        still = {f"{tp.topic}:{tp.partition}": self._waiting.get(tp) for tp, (_, at) in self._moved.items() if at < now}
        log.error(
            "no progress", seconds=round(self.stuck_seconds), loop_silent_for=round(now - self.beat_at),
            restoring=self.stages.restoring, waiting=still,
        )  # fmt: skip

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            faulthandler.dump_traceback_later(self.seconds + LOOK_SECONDS, exit=True, file=sys.__stderr__ or 2)
            self.look(time.monotonic())
        faulthandler.cancel_dump_traceback_later()
