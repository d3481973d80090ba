"""What stands on the topics: one Struct a record type, JSON on the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from alerting.model import Blind, Control, Evidence, Incident
from streams.part import Words

TIMES = ("onset", "opened_at", "suspected_at", "confirmed_at", "resolved_at", "updated_at", "silenced_until")


class TickRecord(msgspec.Struct, frozen=True):
    """On `complaints`: nothing before `time` - lateness (Unix seconds) is awaited in this partition; `final`: the input ends."""

    time: float
    final: bool = False


class PackRecord(msgspec.Struct, frozen=True):
    """On `complaints`: from here on this partition listens for the pack in `text` (TOML). `number`: changes so far, this one too."""

    number: int
    text: str


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
    """On `cells`: closed cells of one window, in columns; `position` in `parts` gave them, at the p-value `cut` incidents were opened."""

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
    cut: float | None = None
    learning: bool = False


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


class SimilarRecord(msgspec.Struct, frozen=True):
    """In a revision: an earlier incident like it; times are ISO 8601 in UTC."""

    id: str
    title: str
    onset: str
    resolved_at: str
    peak: int
    verdict: str | None = None


class LatePeopleRecord(msgspec.Struct, frozen=True):
    """In a revision that late data made: whom it adds, heard of after their windows had closed; times are ISO 8601 in UTC."""

    people: int
    since: str
    until: str


def _incident_type() -> type[msgspec.Struct]:
    """Incident with its times as text."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(Incident):
        kind = field.type
        if field.name in TIMES:
            kind = str if field.required else str | None
        elif field.name == "similar":
            kind = tuple[SimilarRecord, ...]
        elif field.name == "late":
            kind = LatePeopleRecord | None
        fields.append((field.name, kind) if field.required else (field.name, kind, field.default))
    doc = {"__doc__": "On `incidents`: one revision of an incident; times are ISO 8601 in UTC."}
    return msgspec.defstruct("IncidentRecord", fields, frozen=True, kw_only=True, namespace=doc)


IncidentRecord = _incident_type()
PartsEntry = PartRecord | ControlRecord
CellsEntry = CellsRecord | LateRecord | StepRecord
