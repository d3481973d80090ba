"""DETECT and ALERT on Kafka: one owner, who reads `parts` and gives incidents, cells, signals and the end of each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import structlog
from faust.types import TP

from alerting.model import Control
from streams.closed import Cells, Closed, Revision
from streams.detect import Detect
from streams.keyword_tree import Node
from streams.pack import Pack
from streams.part import Part
from streams.runtime.board_state import blind_now, board_state, usual_per_hour
from streams.runtime.kafka import first_pack, topics, wire
from streams.runtime.kafka.counted import Counted, Surroundings
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.parts import Assembly, source_record
from streams.runtime.kafka.records import CellsRecord, ControlRecord, LateRecord, SignalRecord, StepRecord
from streams.runtime.kafka.stages import Stages
from streams.runtime.kafka.wire import Keyed
from streams.snapshot import restore_detect, snapshot_detect

log = structlog.get_logger(__name__)
FIGURES = ("voices", "messages", "expected", "upper", "p_value", "held")
CELLS_A_RECORD = 3_000  # about 150 bytes each at most
SIGNAL_P = 1e-3
SIGNAL_PEOPLE = 3
_State = tuple[tuple[list[str], int, list[str], Pack, list[Node]], bytes, Assembly]


def agent(app: Any, topic: Any, stages: Stages) -> None:
    """Put DETECT and ALERT on the app."""

    @app.agent(topic, name="detect")  # type: ignore[untyped-decorator, unused-ignore]
    async def detect(stream: Any) -> None:
        async for batch in stream.events():
            await stages.take(batch.message.tp, batch.value.records, batch.value.epoch)


class DetectEngine:
    """The log of parts and controls to what is made of it."""

    stage = "detect"

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.detect: Detect = kit.detect()
        self.assembly = Assembly()
        self.packs: list[str] = []  # changes of the pack so far, as they were written
        self.told = 0  # partitions that have heard of them
        self.windows_closed = 0  # by this engine
        self.digests = [kit.digest]  # whose parts count: of the pack in use and of those before it

    def take(self, records: Sequence[Any]) -> list[Keyed]:
        """What each entry gave, under its offset."""
        sent: list[Keyed] = []
        for record in records:
            try:
                entry = wire.read_parts_entry(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.error("not an entry of the parts", offset=record.offset, detail=str(error))
                continue
            if isinstance(entry, ControlRecord):
                sent += self._control(record, entry.control)
            elif (part := self.assembly.take(entry)) is not None:
                sent += self._part(record, part)
        return sent

    def _control(self, record: Any, act: Control) -> Iterator[Keyed]:
        if act.kind == "partitions" and not (act.value or "").isdecimal():
            log.error("a partition set without a number", offset=record.offset)
            return
        if act.kind == "pack":
            yield from self._hear(act)
        else:
            self.detect.control(act)
        told, self.told = self.told, len(self.detect.partitions.pending)
        for partition in range(told, self.told):  # new ones hear what the others have heard
            yield from (wire.pack(number, text, partition) for number, text in enumerate(self.packs, 1))
        yield self._step(record, 0, None, [] if act.kind == "partitions" else [act])

    def _hear(self, act: Control) -> Iterator[Keyed]:
        """Go on with another pack, whose keywords are known here before a part has any, and tell every partition."""
        kit = self.kit.changed(act.value or "")
        if kit is None:
            return
        self.detect.hear(kit.keywords, kit.keywords.changed_since(self.kit.keywords))
        self.kit = kit
        self.digests.append(kit.digest)
        self.packs.append(act.value or "")
        for partition in range(self.told):
            yield wire.pack(len(self.packs), self.packs[-1], partition)

    def _part(self, record: Any, part: Part) -> Iterator[Keyed]:
        if part.config not in self.digests:
            raise ValueError(
                f"partition {part.partition} sends parts of configuration {part.config}, this is {self.kit.digest}"
            )
        if self.detect.partitions.came(part):
            return  # sent again: what its sources brought is counted
        closed, revisions, corrected = self.detect.process(part)
        self.windows_closed += len(closed)
        if not closed and not revisions and not part.sources:
            return
        for one in closed:
            yield from (wire.incident(incident) for incident in one.incidents)
            yield from self._signals(one)
        yield from map(wire.incident, corrected)
        index = 0
        for entry in self._rows(record.offset, closed, revisions):
            yield Keyed(topics.CELLS, f"{record.offset}:{index}".encode(), wire.encode(entry))
            index += 1
        yield self._step(record, index, part, [])

    def _rows(
        self, position: int, closed: list[Closed], revisions: list[Revision]
    ) -> Iterator[CellsRecord | LateRecord]:
        place, keyword = self.kit.places.id, self.kit.keywords.id
        index = 0
        for one in closed:
            for piece in _pieces(one.cells):
                columns: dict[str, Any] = {name: getattr(piece, name).tolist() for name in FIGURES}
                places, keywords = list(map(place, piece.place.tolist())), list(map(keyword, piece.keyword.tolist()))
                window = piece.start, piece.seconds, places, keywords
                yield CellsRecord(position, index, *window, **columns, cut=piece.cut, learning=piece.learning)
                index += 1
        for late in revisions:
            places, keywords = list(map(place, late.place.tolist())), list(map(keyword, late.keyword.tolist()))
            yield LateRecord(
                position, index, late.start, places, keywords, late.voices.tolist(), late.messages.tolist()
            )
            index += 1

    def _step(self, record: Any, index: int, part: Part | None, controls: list[Control]) -> Keyed:
        detect, arrival = self.detect, record.timestamp / 1000.0
        until = detect.closed_until
        watermark = min((pending.watermark for pending in detect.partitions.pending.values()), default=-math.inf)
        step = StepRecord(
            record.offset,
            index,
            arrival,
            until if math.isfinite(until) else None,
            [source_record(one) for _, one in sorted(part.sources.items())] if part else [],
            list(blind_now(detect)),
            usual_per_hour(detect, arrival),
            controls,
            board_state(detect, watermark, primed=self.kit.primed),
        )
        return Keyed(topics.CELLS, f"{record.offset}:{index}".encode(), wire.encode(step))

    def _signals(self, closed: Closed) -> Iterator[Keyed]:
        cells = closed.cells
        for at in ((cells.p_value <= SIGNAL_P) & (cells.voices >= SIGNAL_PEOPLE)).nonzero()[0].tolist():
            place, keyword = self.kit.places.id(int(cells.place[at])), self.kit.keywords.id(int(cells.keyword[at]))
            figures = int(cells.voices[at]), float(cells.expected[at]), float(cells.p_value[at])
            yield wire.signal(SignalRecord(cells.start, cells.seconds, place, keyword, *figures))

    def state(self) -> bytes:
        """DETECT, ALERT, packs, and parts that have not come whole."""
        heard = self.packs, self.told, self.digests, self.kit.pack, self.kit.keywords.nodes()
        return msgspec.msgpack.encode((heard, snapshot_detect(self.detect), self.assembly))

    def restore(self, state: bytes) -> None:
        """Take over a state, with its pack."""
        heard, stage, self.assembly = msgspec.msgpack.decode(state, type=_State)
        self.packs, self.told, self.digests, pack, nodes = heard
        kit = self.kit.after(pack, nodes)
        if kit is not self.kit:
            self.kit = kit
            self.detect.alerts.hear(kit.keywords)
        restore_detect(self.detect, stage)


class DetectStage(Counted):
    """DETECT and ALERT, whose owner also declares how many partitions there are."""

    at_once = 20  # each may close windows, which takes tens of milliseconds

    def __init__(self, engine: DetectEngine, tp: TP, around: Surroundings, complaints: str) -> None:
        super().__init__(engine, tp, around)
        self.detect = engine
        self.complaints = complaints
        self._declared = 0

    async def begin(self) -> None:
        """Restore; say where nobody has with which pack all begins, and how many partitions there are."""
        await super().begin()
        if not self.next_offset:
            kit, count = self.detect.kit, self.around.partitions(self.around.topic)
            for one in first_pack.records(kit.pack, kit.base, count):
                await (await self.around.send(one))
        await self._declare()

    async def tend(self) -> None:
        """A snapshot when due; a control where the complaints have more partitions than are known."""
        await super().tend()
        await self._declare()

    async def _declare(self) -> None:
        count = self.around.partitions(self.complaints)
        known = self.detect.detect.partitions
        if count > self._declared and (count > len(known.pending) or not known.declared):
            self._declared = count
            id, said = f"partitions:{count}", str(count)
            act = Control(id=id, kind="partitions", at=0.0, author="overheard", value=said)  # the same whoever says it
            await (await self.around.send(wire.control(act)))


def _pieces(cells: Cells) -> Iterator[Cells]:
    for first in range(0, len(cells.place), CELLS_A_RECORD):
        rows = slice(first, first + CELLS_A_RECORD)
        every = cells._asdict().items()
        columns: dict[str, Any] = {name: column[rows] for name, column in every if isinstance(column, np.ndarray)}
        yield cells._replace(**columns)
