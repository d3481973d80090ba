"""INTAKE on Kafka: one a partition of the complaints, on any number of workers. Complaints and ticks in; parts and dead letters out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from faust.types import TP

from streams.complaint import Record, Tick
from streams.keyword_tree import Node
from streams.pack import Pack
from streams.runtime.kafka import parts, wire
from streams.runtime.kafka.counted import Counted, Surroundings
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.records import PackRecord
from streams.runtime.kafka.stages import Stages
from streams.runtime.kafka.wire import HISTORY_HEADERS, KIND, PACK, TICK, Keyed
from streams.snapshot import restore_intake, snapshot_intake

log = structlog.get_logger(__name__)
HISTORY_MARK = HISTORY_HEADERS[0]
_State = tuple[bool, tuple[int, Pack, list[Node]], bytes]
SUSPENDED_SECONDS = 5.0  # a worker that was not run for so long cannot tell whether nothing came


def agent(app: Any, topic: Any, stages: Stages) -> None:
    """Put INTAKE on the app."""

    @app.agent(topic, name="intake")  # type: ignore[untyped-decorator, unused-ignore]
    async def intake(stream: Any) -> None:
        async for batch in stream.events():
            await stages.take(batch.message.tp, batch.value.records, batch.value.epoch)


class IntakeEngine:
    """One partition's records to its parts."""

    stage = "intake"

    def __init__(self, kit: Kit, partition: int, topic: str) -> None:
        self.kit = kit
        self.intake = kit.intake(partition)
        self.topic = topic
        self.packs = 0  # changes of the pack so far
        self.history = False  # the newest record tells of the past: its time has nothing to do with the clock

    def take(self, records: Sequence[Any]) -> list[Keyed]:
        """Each part as soon as its windows close, and the dead letters; a record without value is a dead letter too."""
        topic = self.topic
        sent: list[Keyed] = []
        entries: list[Record | Tick] = []
        for one in records:
            marks = one.headers
            if not marks:
                entries.append(Record(one.offset, one.value or b"", one.timestamp / 1000.0, topic))
            elif marks[0] == HISTORY_MARK:
                entries.append(Record(one.offset, one.value or b"", None, topic))
            elif (change := _change(one)) is not None:
                sent += self._process(entries)
                entries = []
                self._switch(change)
            else:
                entries.append(self._marked(one))
        return sent + self._process(entries)

    def _process(self, entries: list[Record | Tick]) -> list[Keyed]:
        taken = self.intake.process(entries)
        newest = next((one for one in reversed(entries) if isinstance(one, Record)), None)
        if newest is not None:
            self.history = newest.arrival is None
        sent = [piece for part in taken.parts for piece in parts.records(part)]
        return sent + [wire.dead_letter(letter) for letter in taken.dead_letters]

    def _switch(self, change: PackRecord) -> None:
        """Listen for another pack; one that came before, or cannot be, changes nothing."""
        if change.number <= self.packs:
            return
        self.packs = change.number
        kit = self.kit.changed(change.text)
        if kit is not None:
            self.kit = kit
            self.intake.switch(kit.intake_config)

    def _marked(self, record: Any) -> Record | Tick:
        if dict(record.headers).get(KIND) == TICK:
            with contextlib.suppress(
                msgspec.DecodeError, UnicodeDecodeError
            ):  # not one of ours: refused as a complaint
                tick = wire.read_tick(record.value or b"")
                return Tick(record.offset, tick.time, tick.final)
        return Record(record.offset, record.value or b"", record.timestamp / 1000.0, self.topic)

    def state(self) -> bytes:
        """The partition's INTAKE."""
        heard = self.packs, self.kit.pack, self.kit.keywords.nodes()
        return msgspec.msgpack.encode((self.history, heard, snapshot_intake(self.intake)))

    def restore(self, state: bytes) -> None:
        """Take over a state, with its pack."""
        self.history, heard, stage = msgspec.msgpack.decode(state, type=_State)
        self.packs, pack, nodes = heard
        self.kit = self.kit.after(pack, nodes)
        self.intake.switch(self.kit.intake_config)
        restore_intake(self.intake, stage)


def _change(record: Any) -> PackRecord | None:
    if dict(record.headers).get(KIND) == PACK:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            return wire.read_pack(record.value or b"")
    return None


class IntakeStage(Counted):
    """INTAKE of one partition, which also says when nothing comes."""

    def __init__(self, engine: IntakeEngine, tp: TP, around: Surroundings, idle_tick_seconds: float) -> None:
        super().__init__(engine, tp, around)
        self.intake = engine
        self.idle_tick_seconds = idle_tick_seconds
        self._tended_at = time.monotonic()

    async def tend(self) -> None:
        """A snapshot when due; a tick where nothing came for a while, of the present, and nothing waits to be read."""
        await super().tend()
        now, before = time.monotonic(), self._tended_at
        self._tended_at = now
        idle = self.idle_tick_seconds
        if not idle or now - self.input_at < idle or self.intake.history or now - before > SUSPENDED_SECONDS:
            return
        if await self.around.highwater(self.tp) == self.next_offset:
            self.input_at = now
            with contextlib.suppress(AssertionError):  # aiokafka's producer has not heard of a new partition yet
                await (await self.around.send(wire.tick(time.time(), self.tp.partition)))
