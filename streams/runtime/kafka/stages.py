"""The stages this worker owns, by partition: where each reads on, what it may commit, and the tending of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from faust.types import TP

from streams.runtime.kafka.wire import Keyed

log = structlog.get_logger(__name__)
TEND_SECONDS = 0.5

Send = Callable[[Keyed], Awaitable[Awaitable[Any]]]  # to the producer; the inner one is done when the broker has it


class RewindError(Exception):
    """Records are missing before a batch: read again from where the stage stands."""


class Stage(Protocol):
    """One partition's stage; it lives from assignment until the partition is another worker's."""

    at_once: int  # records it takes before others on this worker have their turn
    next_offset: int
    records: int  # taken since this worker owns it
    redelivered: int  # records that came again and changed nothing

    @property
    def durable(self) -> int | None:
        """What may be committed; None: nothing yet."""

    @property
    def stale(self) -> bool:
        """Whether it must be made anew, though the partition stayed ours."""

    @property
    def excused(self) -> bool:
        """Whether it may stand still: what it waits for is known, and told."""

    async def begin(self) -> None:
        """Restore, and set `next_offset`."""

    async def take(self, records: Sequence[Any]) -> None:
        """Take records in order of offset. Raises RewindError."""

    async def tend(self) -> None:
        """What is to be done from time to time: snapshots, commits, ticks."""

    async def end(self) -> None:
        """The worker ends in order: make durable what was taken."""

    def leave(self) -> None:
        """The partition is another worker's now."""


class Stages:
    """`make` gives the stage of a partition."""

    def __init__(self, make: Callable[[TP], Stage]) -> None:
        self._make = make
        self.owned: dict[TP, Stage] = {}
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.ready = self.restoring = False
        self.restore_seconds = 0.0
        self.epoch: Callable[[], int] = lambda: 0  # of the consumer's positions
        self.rewind: Callable[[], Awaitable[None]] | None = None
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def positions(self, assigned: set[TP]) -> Mapping[TP, int]:
        """Keep what is still ours as it stands, let go of the rest, restore what is new."""
        async with self._lock:
            mine = {TP(tp.topic, tp.partition) for tp in assigned}
            for tp in [tp for tp, stage in self.owned.items() if tp not in mine or stage.stale]:
                self.owned.pop(tp).leave()
            began = time.monotonic()
            new = sorted(mine - self.owned.keys())
            made = [self._make(tp) for tp in new]
            self.restoring = True
            try:
                await asyncio.gather(*(stage.begin() for stage in made))
            except Exception as error:
                self.fail(error, "restoring")
                raise
            finally:
                self.restoring = False
            self.owned.update(zip(new, made, strict=True))
            if new:
                gc.freeze()  # places, phrases and state stay: looking through them again and again took half of a record's time
                self.restore_seconds = time.monotonic() - began
                log.info("partitions owned", count=len(mine), new=len(new), restored_in=round(self.restore_seconds, 3))
            self.ready = True
            return {tp: stage.next_offset for tp, stage in self.owned.items()}

    def durable(self) -> Mapping[TP, int]:
        """What may be committed."""
        return {tp: stage.durable for tp, stage in self.owned.items() if stage.durable is not None}

    async def take(self, tp: TP, records: Sequence[Any], epoch: int) -> None:
        """Hand a batch to its stage, piece by piece. Nothing is raised: what goes wrong ends the worker."""
        own = TP(tp.topic, tp.partition)
        stage = self.owned.get(own)
        if stage is None:
            return  # revoked meanwhile; the new owner reads it
        try:
            for first in range(0, len(records), stage.at_once):
                if self.owned.get(own) is not stage or epoch != self.epoch():
                    return  # another's by now, or fetched before positions were set anew: it is read again
                await stage.take(records[first : first + stage.at_once])
                await asyncio.sleep(0)
        except RewindError as error:
            log.info("reading again", detail=str(error))
            if self.rewind is not None:
                await self.rewind()
        except Exception as error:
            self.fail(error, f"{tp.topic} {tp.partition}")

    async def tend(self) -> None:
        """Tend all stages until `stop`."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TEND_SECONDS)
            for tp, stage in list(self.owned.items()):
                if self._stopping.is_set():
                    return
                try:
                    await stage.tend()
                except Exception as error:
                    self.fail(error, f"{tp.topic} {tp.partition}")

    def stop(self) -> None:
        """Tend no more."""
        self._stopping.set()

    async def end(self) -> None:
        """Make durable what was taken."""
        await asyncio.gather(*(stage.end() for stage in self.owned.values()))

    def fail(self, error: BaseException, where: str) -> None:
        """Say what went wrong; the worker ends, and its successor goes on from the last snapshot."""
        log.error("a stage failed", where=where, error=f"{type(error).__name__}: {error}", exc_info=error)
        if not self.failed.done():
            self.failed.set_result(error)
