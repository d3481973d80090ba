"""Files of complaints into Kafka, in order of event time, each record in the partition where its key belongs, and the tick that ends them.

What `replay --partitions N` hears from the same files, workers hear from the topic: they are marked as history, whose append time says
nothing about them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from streams.complaint import Complaint, Record
from streams.hearing import Heard
from streams.intake import Intake
from streams.intake_config import IntakeConfig
from streams.runtime.event_order import Ordered, Progress, in_order
from streams.runtime.event_time import UNDATED
from streams.runtime.files import Source
from streams.runtime.kafka.topics import MAX_RECORD_BYTES
from streams.runtime.kafka.wire import HISTORY_HEADERS, tick
from streams.runtime.routing import Router, key_of
from streams.runtime.sender import Sender
from streams.runtime.sorted_runs import Dated

MAX_SENT_BYTES = MAX_RECORD_BYTES - 4096  # room for key and headers
STEP_SECONDS = 0.05  # of the clock, between two looks at it when the pace is set


class Produced(msgspec.Struct):
    """What was sent. Times are Unix seconds of event time."""

    records: int = 0
    refused: int = 0  # larger than the topic takes
    first_refused: str = ""  # file:line
    end: float | None = None  # time of the ticks that end the input; None where there are none


class TimeAlone(Intake):
    """INTAKE as far as time goes: accepts and dates every record as the workers will, counts nothing."""

    def _read(self, complaints: Sequence[Complaint]) -> list[Heard]:
        return [Heard(one, "", ()) for one in complaints]

    def _overhear(self, heard: Heard, time: float, name: int) -> None:
        """Words are no matter here."""

    def _close(self) -> None:
        self.sources.clear()


async def produce(
    inputs: Sequence[Source],
    sender: Sender,
    config: IntakeConfig,
    folder: Path,
    *,
    speed: float | None = None,
    end: bool = True,
    progress: Progress = lambda *_: None,
) -> Produced:
    """Send the files' records, then the ticks that end them. `speed`: times real time, None as fast as can be; `folder` takes temporary files.

    Raises FileError, aiokafka.errors.KafkaError.
    """
    done = Produced()
    names = [one.name for one in inputs]
    partitions = await sender.partitions()
    router = Router(partitions)
    clocks = [TimeAlone(config, partition) for partition in range(partitions)]
    ordered = in_order(inputs, config.zone, folder, progress)
    pace = Pace(speed)
    for batch in _steps(ordered, speed):
        routed = []
        for _, value, number, position in batch:
            if len(value) > MAX_SENT_BYTES:
                done.first_refused = done.first_refused or f"{names[number]}:{position}"
                done.refused += 1
                continue
            key = key_of(value)
            partition = router.of_key(key)
            clocks[partition].process((Record(position, value, None, names[number]),))
            routed.append((partition, key, value))
        await pace.wait(max(clock.watermark.newest for clock in clocks), sender)
        for partition, key, value in routed:
            await sender.send(partition, key, value, HISTORY_HEADERS)
        done.records += len(routed)
        progress("sending", done.records + done.refused, ordered.records)
    if end:
        await _end(sender, clocks, done)
    await sender.flush()
    return done


async def _end(sender: Sender, clocks: Sequence[Intake], done: Produced) -> None:
    """A tick to every partition at the end of the newest accepted event's window + lateness."""
    at = max(clock.end() for clock in clocks)
    if at == UNDATED:
        return
    done.end = at
    for clock in clocks:
        record = tick(at, clock.partition, final=True)
        await sender.send(record.partition, record.key or None, record.value, record.headers)


class Pace:
    """Keeps event time to `speed` times the clock; None: no pace."""

    def __init__(self, speed: float | None) -> None:
        self.speed = speed
        self._first: tuple[float, float] | None = None  # event time, clock

    async def wait(self, due: float, sender: Sender) -> None:
        """Until event time `due` has come; what was sent before is flushed meanwhile. Only accepted records move time."""
        if self.speed is None or due == UNDATED:
            return
        if self._first is None:
            self._first = (due, time.monotonic())
        event, clock = self._first
        ahead = clock + (due - event) / self.speed - time.monotonic()
        if ahead > 0:
            await sender.flush()
            await asyncio.sleep(ahead)


def _steps(ordered: Ordered, speed: float | None) -> Iterator[list[Dated]]:
    """The batches, cut to what is due at one look at the clock."""
    if speed is None:
        yield from ordered.batches
        return
    span = STEP_SECONDS * speed
    for batch in ordered.batches:
        start = 0
        for number, dated in enumerate(batch):
            if dated[0] - batch[start][0] > span:
                yield batch[start:number]
                start = number
        yield batch[start:]
