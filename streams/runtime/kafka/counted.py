"""A stage whose state lives in snapshots: take, send what came of it, and when all of that is acknowledged, snapshot; then commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

import structlog
from faust.types import TP

from streams.runtime.kafka import snapshots
from streams.runtime.kafka.stages import RewindError, Send
from streams.runtime.kafka.wire import Keyed

log = structlog.get_logger(__name__)
SNAPSHOT_SHARE = 0.05  # of a worker's time, at most, goes into making snapshots
MOST_WAITING = 2000  # outputs sent and not acknowledged


class ConfigChangedError(RuntimeError):
    """The snapshots were made with another configuration; the message says what to do."""


class Engine(Protocol):
    """The pure part of a stage."""

    stage: str

    def take(self, records: Sequence[Any]) -> list[Keyed]:
        """Records in, records out; no time, no chance."""

    def state(self) -> bytes:
        """All there is to know."""

    def restore(self, state: bytes) -> None:
        """Take over a state."""


class Surroundings(NamedTuple):
    """What stages share."""

    send: Send
    log: snapshots.Log
    topic: str  # of snapshots
    partitions: Callable[[str], int]  # of a topic
    generation: Callable[[], int]
    stages: Callable[[], int]  # how many this worker owns
    digest: str
    snapshot_seconds: float
    highwater: Callable[[TP], Awaitable[int]]  # asked of the broker


class Counted:
    """An engine on one partition."""

    at_once = 500  # some 15 ms of INTAKE

    def __init__(self, engine: Engine, tp: TP, around: Surroundings) -> None:
        self.engine, self.tp, self.around = engine, tp, around
        self.next_offset = 0
        self.durable: int | None = None
        self.records = self.redelivered = 0
        self.snapshot_at = self.input_at = time.monotonic()
        self.snapshot_bytes = 0
        self.engine_seconds = 0.0
        self._slot = 0
        self._cost = 0.0
        self._gap = -1  # the offset before which records are known to be missing for good
        self._waiting: list[Awaitable[Any]] = []
        self._lock = asyncio.Lock()
        self._writing = asyncio.Lock()

    @property
    def stale(self) -> bool:
        """Never: an older state is as right as a newer one."""
        return False

    @property
    def excused(self) -> bool:
        """Never: it waits for nothing but the broker."""
        return False

    @property
    def snapshot_age(self) -> float:
        """Seconds since the newest snapshot; 0 while nothing came after it."""
        return time.monotonic() - self.snapshot_at if self.next_offset != (self.durable or 0) else 0.0

    async def begin(self) -> None:
        """Restore the best snapshot. Raises SnapshotError, ConfigChangedError."""
        around, name = self.around, self.engine.stage
        first, _ = await around.log.bounds(self.tp.topic, self.tp.partition)
        count = around.partitions(around.topic)
        loaded = await snapshots.load(around.log, around.topic, count, name, self.tp.partition)
        for line in loaded.spoilt:
            log.error("snapshot refused", stage=name, partition=self.tp.partition, detail=line)
        if loaded.snapshot is not None:
            if loaded.snapshot.config != around.digest:
                raise ConfigChangedError(
                    f"the snapshots of {name} {self.tp.partition} were made with configuration {loaded.snapshot.config}, "
                    f"this is {around.digest}: give it a prefix of its own, or the configuration it had"
                )
            self.engine.restore(loaded.snapshot.state)
            self.next_offset = self.durable = loaded.snapshot.next_offset
            self._slot = 1 - loaded.slot
        if self.next_offset < first:
            if loaded.snapshot is not None:
                log.error("records lost to retention", topic=self.tp.topic, partition=self.tp.partition,
                          first=self.next_offset, last=first - 1)  # fmt: skip
            self.next_offset = first

    async def take(self, records: Sequence[Any]) -> None:
        """What was taken before is passed over. Raises RewindError once where records are missing, then takes it as it is."""
        async with self._lock:
            known = self.next_offset
            if records[0].offset < known:
                fresh = [record for record in records if record.offset >= known]
                self.redelivered += len(records) - len(fresh)
                if not fresh:
                    return
                records = fresh
            if records[0].offset > known and self._gap != known:
                self._gap = known
                raise RewindError(f"{self.tp.topic} {self.tp.partition}: {records[0].offset} came, {known} was next")
            self.next_offset = records[-1].offset + 1
            self.records += len(records)
            self.input_at = time.monotonic()
            began = time.perf_counter()
            given = self.engine.take(records)
            self.engine_seconds += time.perf_counter() - began
            for one in given:
                self._waiting.append(await self.around.send(one))
            if len(self._waiting) > MOST_WAITING:
                await self._acknowledged(list(self._waiting))

    async def tend(self) -> None:
        """A snapshot, when one is due."""
        pause = max(self.around.snapshot_seconds, self._cost * self.around.stages() / SNAPSHOT_SHARE)
        if self.next_offset != (self.durable or 0) and time.monotonic() - self.snapshot_at >= pause:
            await self.snapshot()

    async def end(self) -> None:
        """A last snapshot."""
        if self.next_offset != (self.durable or 0):
            await self.snapshot()

    def leave(self) -> None:
        """Nothing is held outside."""

    async def snapshot(self) -> None:
        """Outputs acknowledged, then the state, then the commit may move."""
        async with self._writing:
            async with self._lock:
                began = time.perf_counter()
                waiting = list(self._waiting)
                made = snapshots.Snapshot(
                    self.engine.stage, self.tp.partition, self.next_offset, self.around.generation(),
                    self.around.digest, self.engine.state(),
                )  # fmt: skip
                self.snapshot_at = time.monotonic()
            count = self.around.partitions(self.around.topic)
            pieces = await asyncio.to_thread(snapshots.chunks, made, self._slot, count)
            self._cost = time.perf_counter() - began
            await self._acknowledged(waiting)
            for acknowledged in [await self.around.send(piece) for piece in pieces]:
                await acknowledged
            self._slot = 1 - self._slot
            self.durable, self.snapshot_bytes = made.next_offset, len(made.state)

    async def _acknowledged(self, waiting: list[Awaitable[Any]]) -> None:
        """Until the broker has them all. Raises what the producer raises when it gives up."""
        for one in waiting:
            await one
        done = set(map(id, waiting))
        self._waiting = [one for one in self._waiting if id(one) not in done]
