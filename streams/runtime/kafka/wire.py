"""Records on the topics: JSON, one type a topic (`RECORDS`), with their keys. The same thing is always the same key and bytes.

Numbers of places and keywords stand only on `parts`, beside the hash of the configuration that numbers them; elsewhere their ids do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from alerting.model import Control, Incident, LatePeople, Similar
from streams.complaint import Complaint, DeadLetter, Where
from streams.runtime.kafka import topics
from streams.runtime.kafka.records import (
    TIMES,
    CellsEntry,
    CellsRecord,
    ControlRecord,
    DeadLetterRecord,
    IncidentRecord,
    LateRecord,
    PackRecord,
    PartRecord,
    PartsEntry,
    SignalRecord,
    StepRecord,
    TickRecord,
    WhereRecord,
)

KIND = "overheard"  # the header that tells what is not just a complaint
TICK, HISTORY, PACK = b"tick", b"history", b"pack"
Headers = tuple[tuple[str, bytes], ...]
TICK_HEADERS: Headers = ((KIND, TICK),)
PACK_HEADERS: Headers = ((KIND, PACK),)
HISTORY_HEADERS: Headers = ((KIND, HISTORY),)  # a complaint of the past, whose append time says nothing about it


class Keyed(NamedTuple):
    """A record ready to be sent; `partition` 0 where the topic has one."""

    topic: topics.Topic
    key: bytes
    value: bytes
    partition: int = 0
    headers: Headers = ()


RECORDS: dict[topics.Topic, tuple[type[msgspec.Struct], ...]] = {  # the values on each topic
    topics.COMPLAINTS: (Complaint, TickRecord, PackRecord),  # told apart by the header
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
_pack = msgspec.json.Decoder(PackRecord)
_letter = msgspec.json.Decoder(DeadLetterRecord)
_incident: msgspec.json.Decoder[Any] = msgspec.json.Decoder(IncidentRecord)


def tick(time: float, partition: int, *, final: bool = False) -> Keyed:
    """A tick for one partition of the complaints."""
    return Keyed(topics.COMPLAINTS, b"", encode(TickRecord(time, final)), partition, TICK_HEADERS)


def read_tick(value: bytes) -> TickRecord:
    """The tick of a record with the tick header. Raises msgspec.DecodeError."""
    return _tick.decode(value)


def pack(number: int, text: str, partition: int) -> Keyed:
    """A change of the pack, for one partition of the complaints."""
    return Keyed(
        topics.COMPLAINTS, f"pack:{number}".encode(), encode(PackRecord(number, text)), partition, PACK_HEADERS
    )


def read_pack(value: bytes) -> PackRecord:
    """The change of a record with the pack header. Raises msgspec.DecodeError."""
    return _pack.decode(value)


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
            given[name] = _seconds(given[name])
    given["similar"] = tuple(
        Similar(one.id, one.title, _seconds(one.onset), _seconds(one.resolved_at), one.peak, one.verdict)
        for one in given["similar"]
    )
    if (late := given["late"]) is not None:
        given["late"] = LatePeople(late.people, _seconds(late.since), _seconds(late.until))
    return Incident(**given)


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


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
