"""Records on the topics: JSON, one type a topic (`RECORDS`), with their keys. The same thing is always the same key and bytes.

Numbers of places and keywords stand only on `parts`, beside the hash of the configuration that numbers them; elsewhere their ids do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from alerting.model import Blind, Control, Evidence, Incident
from streams.complaint import Complaint, DeadLetter, Where
from streams.part import Words
from streams.runtime.kafka import topics

KIND = "overheard"  # the header that tells what is not just a complaint
TICK, HISTORY = b"tick", b"history"
Headers = tuple[tuple[str, bytes], ...]
TICK_HEADERS: Headers = ((KIND, TICK),)
HISTORY_HEADERS: Headers = ((KIND, HISTORY),)  # a complaint of the past, whose append time says nothing about it
TIMES = ("onset", "opened_at", "suspected_at", "confirmed_at", "resolved_at", "updated_at", "silenced_until")


class TickRecord(msgspec.Struct, frozen=True):
    """On `complaints`: nothing before `time` - lateness (Unix seconds) is awaited in this partition; `final`: the input ends."""

    time: float
    final: bool = False


class RowsRecord(msgspec.Struct, frozen=True):
    """Counts in columns, one entry a row, sorted by window (its start, Unix seconds), place, keyword, channel."""

    window: list[int] = []
    place: list[int] = []
    keyword: list[int] = []
    channel: list[int] = []
    drill: list[int] = []
    voices: list[int] = []
    messages: list[int] = []


class SourceRecord(msgspec.Struct, frozen=True):
    """What one source brought; `newest` in Unix seconds, null where nothing was counted."""

    name: str
    records: int = 0
    complaints: int = 0
    voices: int = 0
    placed: int = 0
    duplicates: int = 0
    copies: int = 0
    old: int = 0
    late: int = 0
    clock_changes: int = 0
    authors: int = 0
    newest: float | None = None
    seen_by_hour: dict[int, int] = {}
    by_place: dict[int, int] = {}


class EvidenceRecord(msgspec.Struct, frozen=True):
    """What stands behind one (window, place, keyword)."""

    window: int
    place: int
    keyword: int
    evidence: Evidence


class PartRecord(msgspec.Struct, frozen=True, tag="part", tag_field="record"):
    """On `parts`: one of `chunks` pieces of the part `seq` of a partition; it counts when all have come."""

    partition: int
    seq: int
    chunk: int
    chunks: int
    watermark: float
    config: str
    rows: RowsRecord
    late: RowsRecord
    evidence: list[EvidenceRecord] = []
    sources: list[SourceRecord] = []
    words: dict[int, Words] = {}  # by window


class ControlRecord(msgspec.Struct, frozen=True, tag="control", tag_field="record"):
    """On `parts`: a person's act, or a change of the partition set."""

    control: Control


class CellsRecord(msgspec.Struct, frozen=True, tag="cells", tag_field="record"):
    """On `cells`: closed cells of one window, rolled up the place tree, in columns. `position`: the offset in `parts` that gave it."""

    position: int
    index: int
    start: int
    seconds: int
    place: list[str]
    keyword: list[str]
    voices: list[int]
    messages: list[int]
    expected: list[float]
    upper: list[float]
    p_value: list[float]
    held: list[bool]


class LateRecord(msgspec.Struct, frozen=True, tag="late", tag_field="record"):
    """On `cells`: late rows of one window, rolled up, to be added to what stands there."""

    position: int
    index: int
    start: int
    place: list[str]
    keyword: list[str]
    voices: list[int]
    messages: list[int]


class StepRecord(msgspec.Struct, frozen=True, tag="step", tag_field="record"):
    """On `cells`: the end of what the entry of `parts` at `position` gave. Every window ending by `closed_until` is closed."""

    position: int
    index: int
    arrival: float
    closed_until: float | None
    sources: list[SourceRecord] = []
    blind: list[Blind] = []
    usual_per_hour: dict[str, float] = {}
    controls: list[Control] = []
    board: dict[str, Any] = {}


class SignalRecord(msgspec.Struct, frozen=True):
    """On `signals`: a series that was unusual in the window of `seconds` from `start`."""

    start: int
    seconds: int
    place: str
    keyword: str
    people: int
    expected: float
    p_value: float


class WhereRecord(msgspec.Struct, frozen=True):
    """Where a record was read."""

    topic: str
    partition: int
    offset: int


class DeadLetterRecord(msgspec.Struct, frozen=True):
    """On `dead-letter`: a record that was not counted, and why; `raw` holds its first 64 KiB in base64."""

    reason: str
    detail: str
    where: WhereRecord
    raw: str
    length: int
    sha256: str


def _incident_type() -> type[msgspec.Struct]:
    """Incident with its times as text."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(Incident):
        kind = field.type
        if field.name in TIMES:
            kind = str if field.required else str | None
        fields.append((field.name, kind) if field.required else (field.name, kind, field.default))
    doc = {"__doc__": "On `incidents`: one revision of an incident; times are ISO 8601 in UTC."}
    return msgspec.defstruct("IncidentRecord", fields, frozen=True, kw_only=True, namespace=doc)


IncidentRecord = _incident_type()
PartsEntry = PartRecord | ControlRecord
CellsEntry = CellsRecord | LateRecord | StepRecord


class Keyed(NamedTuple):
    """A record ready to be sent; `partition` 0 where the topic has one."""

    topic: topics.Topic
    key: bytes
    value: bytes
    partition: int = 0
    headers: Headers = ()


RECORDS: dict[topics.Topic, tuple[type[msgspec.Struct], ...]] = {  # the values on each topic
    topics.COMPLAINTS: (Complaint, TickRecord),  # told apart by the header
    topics.PARTS: (PartRecord, ControlRecord),
    topics.INCIDENTS: (IncidentRecord,),
    topics.CELLS: (CellsRecord, LateRecord, StepRecord),
    topics.SIGNALS: (SignalRecord,),
    topics.DEAD_LETTER: (DeadLetterRecord,),
}

encode = msgspec.json.Encoder().encode
_parts_entry: msgspec.json.Decoder[PartsEntry] = msgspec.json.Decoder(PartsEntry)
_cells_entry: msgspec.json.Decoder[CellsEntry] = msgspec.json.Decoder(CellsEntry)
_tick = msgspec.json.Decoder(TickRecord)
_letter = msgspec.json.Decoder(DeadLetterRecord)
_incident: msgspec.json.Decoder[Any] = msgspec.json.Decoder(IncidentRecord)


def tick(time: float, partition: int, *, final: bool = False) -> Keyed:
    """A tick for one partition of the complaints."""
    return Keyed(topics.COMPLAINTS, b"", encode(TickRecord(time, final)), partition, TICK_HEADERS)


def read_tick(value: bytes) -> TickRecord:
    """The tick of a record with the tick header. Raises msgspec.DecodeError."""
    return _tick.decode(value)


def control(act: Control) -> Keyed:
    """A control for `parts`."""
    return Keyed(topics.PARTS, f"control:{act.id}".encode(), encode(ControlRecord(act)))


def read_parts_entry(value: bytes) -> PartsEntry:
    """An entry of `parts`. Raises msgspec.DecodeError."""
    return _parts_entry.decode(value)


def read_cells_entry(value: bytes) -> CellsEntry:
    """An entry of `cells`. Raises msgspec.DecodeError."""
    return _cells_entry.decode(value)


def incident(one: Incident) -> Keyed:
    """A revision of an incident."""
    return Keyed(topics.INCIDENTS, f"{one.id}:{one.revision}".encode(), encode(one.to_json()))


def read_incident(value: bytes) -> Incident:
    """The revision that `incident` wrote. Raises msgspec.DecodeError."""
    given = msgspec.structs.asdict(_incident.decode(value))
    for name in TIMES:
        if given[name] is not None:
            given[name] = datetime.fromisoformat(given[name]).timestamp()
    return Incident(**given)


def dead_letter(letter: DeadLetter) -> Keyed:
    """A dead letter under its origin."""
    where = WhereRecord(letter.where.origin, letter.where.partition, letter.where.position)
    record = DeadLetterRecord(letter.reason, letter.detail, where, letter.raw, letter.length, letter.sha256)
    return Keyed(topics.DEAD_LETTER, f"{where.topic}:{where.partition}:{where.offset}".encode(), encode(record))


def read_dead_letter(value: bytes) -> DeadLetter:
    """The dead letter that `dead_letter` wrote. Raises msgspec.DecodeError."""
    found = _letter.decode(value)
    where = Where(found.where.topic, found.where.offset, found.where.partition)
    return DeadLetter(found.reason, found.detail, where, found.raw, found.length, found.sha256)


def signal(one: SignalRecord) -> Keyed:
    """A signal."""
    return Keyed(topics.SIGNALS, f"{one.start}:{one.place}:{one.keyword}".encode(), encode(one))
