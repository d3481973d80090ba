"""Writes what the pipeline gave. One transaction holds the outputs of the log up to an entry, and the number of that entry:
after a crash the log is run again from the last snapshot, and outputs up to that number are known to be there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine, select

from alerting.model import Blind, Control, Incident, PlaceTree
from streams.complaint import DeadLetter
from streams.part import SourceCount
from streams.runtime.entries import Gap
from streams.runtime.store import audit, tables
from streams.runtime.store.blind_spells import write_spells
from streams.runtime.store.cuts import forget_cuts, write_cuts
from streams.runtime.store.names import KeywordIds, Names, keyword_row, place_row
from streams.runtime.store.partitions import make_partitions
from streams.runtime.store.planner import Planner
from streams.runtime.store.roll_up import add_late, advance
from streams.runtime.store.snapshots import Snapshot, save_snapshot
from streams.runtime.store.tiers import CELLS, TIERS
from streams.runtime.store.upsert import Column, keeping, replacing, write, write_columns

if TYPE_CHECKING:
    from streams.closed import Cells, Revision
    from streams.pipeline import Outputs

SUMMED = ("records", "complaints", "voices", "placed", "duplicates", "copies", "old", "late", "clock_changes")
LATE_COLUMNS = ("start", "place", "keyword", "seconds", "voices", "messages")
CELL_BYTES = 100  # in memory
DEAD_LETTER_SECONDS = 7 * 86400.0  # what people wrote is kept for no longer
_source_of = msgspec.json.Decoder(msgspec.defstruct("Sourced", [("source", str)])).decode


class WrittenError(Exception):
    """The transaction has been through before: only its answer was lost."""


@dataclass
class Work:
    """Outputs waiting to be written, of the log's entries up to `applied`; `arrival` is the last one's."""

    applied: int = -1
    arrival: float = 0.0
    incidents: list[Incident] = field(default_factory=list)
    cells: list[Cells] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    dead_letters: list[tuple[DeadLetter, float, str | None]] = field(default_factory=list)  # with arrival and source
    sources: dict[str, SourceCount] = field(default_factory=dict)
    blind: tuple[Blind, ...] = ()
    usual_per_hour: dict[str, float] = field(default_factory=dict)
    controls: list[Control] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)

    def take(self, outputs: Outputs, arrival: float, bodies: dict[int, bytes]) -> None:
        """Add a batch's outputs; `bodies` holds the batch's records by position."""
        self.incidents += outputs.incidents
        self.cells += outputs.cells
        self.revisions += outputs.revisions
        for letter in outputs.dead_letters:
            self.dead_letters.append((letter, arrival, source_of(bodies.get(letter.where.position))))
        for name, count in outputs.sources.items():
            self.sources.setdefault(name, SourceCount()).add(count)
        if math.isfinite(outputs.closed_until):
            self.meta["last_close"] = outputs.closed_until

    @property
    def rows(self) -> int:
        """About how much there is to write, in cells; a dead letter may be as large as hundreds of them."""
        letters = sum(1 + len(letter.raw) // CELL_BYTES for letter, _, _ in self.dead_letters)
        return len(self.incidents) + letters + sum(len(one.place) for one in self.cells)


class Writer:
    """The one writer of a store."""

    def __init__(
        self,
        engine: Engine,
        places: PlaceTree,
        keywords: KeywordIds,
        channel: Callable[[str], str],
        cell_days: float = 35.0,
        planner: Planner | None = None,
    ) -> None:
        """`planner` decides who is told; the log where there is none."""
        self.engine = engine
        self.planner = planner or Planner(engine)
        self.channel = channel
        self.cell_days = cell_days
        self._tree = places
        self._places = Names(
            engine,
            tables.place_names,
            len(places.parent),
            lambda one: place_row(places, one),
        )
        self._keywords = Names(
            engine, tables.keyword_names, len(keywords.parent), lambda one: keyword_row(keywords, one)
        )

    def hear(self, keywords: KeywordIds) -> None:
        """Go on with another tree of keywords."""
        self._keywords.begin_anew(len(keywords.parent), lambda one: keyword_row(keywords, one))

    def commit(
        self, work: Work, snapshot: Snapshot | None = None, guard: Callable[[Connection], None] | None = None
    ) -> None:
        """Write everything in one transaction; on an error nothing is written, and the same call may be made again.

        `guard` is called first inside it, and raises where this writer is no longer the one.
        """
        with self.engine.begin() as connection:
            if guard is not None:
                guard(connection)
            self._write_cells(connection, work)
            self._write_incidents(connection, work.incidents)
            self._write_sources(connection, work)
            write(
                connection,
                keeping(connection.dialect.name, tables.dead_letters),
                [_dead_row(*one) for one in work.dead_letters],
            )
            if work.arrival:
                table = tables.dead_letters
                connection.execute(table.delete().where(table.c.arrived_at < work.arrival - DEAD_LETTER_SECONDS))
            audit.append(connection, work.controls)
            write(
                connection,
                keeping(connection.dialect.name, tables.gaps),
                [msgspec.structs.asdict(one) for one in work.gaps],
            )
            write_meta(connection, {**work.meta, **({"applied": work.applied} if work.applied >= 0 else {})})
            if snapshot is not None:
                save_snapshot(connection, snapshot)
        self._places.saved()
        self._keywords.saved()
        self.planner.saved()

    def _write_cells(self, connection: Connection, work: Work) -> None:
        if not work.cells and not work.revisions:
            return
        kept = read_meta(connection)
        cells, late = self._cell_columns(work.cells), self._late_columns(work, kept)
        self._places.save(connection)
        self._keywords.save(connection)
        starts = [one.start for one in work.cells]
        make_partitions(connection, TIERS[CELLS], starts)
        write_columns(connection, tables.cells, cells)
        write_cuts(connection, work.cells)
        add_late(connection, kept, late)
        table = tables.late_rows
        write_columns(connection, table, [late[one.name] for one in table.columns], adding=("voices",))
        first = min([kept.get("first_close", math.inf), *starts])
        closed = work.meta.get("last_close", kept.get("last_close"))
        if math.isfinite(first) and closed is not None:
            changed = advance(
                connection, kept | {"first_close": first}, closed, self.cell_days, min(starts, default=math.inf)
            )
            if (gone := changed.get(TIERS[CELLS].since)) is not None:
                forget_cuts(connection, gone)
            write_meta(connection, {"first_close": first} | changed)

    def _cell_columns(self, found: list[Cells]) -> list[Column]:
        """Columns of the table of cells."""
        parts = []
        for one in found:
            place, keyword = self._places.numbers(one.place), self._keywords.numbers(one.keyword)
            start, seconds = np.full(len(place), one.start), np.full(len(place), one.seconds)
            parts.append(
                (start, place, keyword, seconds, one.voices, one.messages, one.expected, one.upper, one.p_value)
            )
        nothing = np.zeros(0, np.int64)
        return [np.concatenate(column) for column in zip(*parts, strict=True)] or [nothing] * len(tables.cells.columns)

    def _late_columns(self, work: Work, kept: dict[str, Any]) -> dict[str, Column]:
        """Late rows by column."""
        length = work.meta.get("window_seconds") or kept.get("window_seconds", 60)
        parts: dict[str, list[Column]] = {name: [np.zeros(0, np.int64)] for name in LATE_COLUMNS}
        for one in work.revisions:
            place, keyword = self._places.numbers(one.place), self._keywords.numbers(one.keyword)
            start, seconds = np.full(len(place), one.start), np.full(len(place), length)
            for name, column in zip(
                LATE_COLUMNS, (start, place, keyword, seconds, one.voices, one.messages), strict=True
            ):
                parts[name].append(column)
        return {name: np.concatenate(columns) for name, columns in parts.items()}

    def _write_incidents(self, connection: Connection, found: list[Incident]) -> None:
        newest: dict[str, dict[str, Any]] = {}
        rows = []
        for incident in found:
            row = _incident_row(incident)
            rows.append(row)
            newest[incident.id] = row
        write(connection, replacing(connection.dialect.name, tables.incident_revisions), rows)
        write(connection, replacing(connection.dialect.name, tables.incidents), list(newest.values()))
        self.planner.write(connection, found)

    def _write_sources(self, connection: Connection, work: Work) -> None:
        table = tables.sources
        blind = {one.source: one for one in work.blind}
        names = sorted(work.sources.keys() | work.usual_per_hour.keys() | blind.keys())
        if not names:
            return
        known = {row.source: dict(row._mapping) for row in connection.execute(select(table))}
        rows = []
        for name in names:
            row = known.get(name) or {
                "source": name,
                "last_event": None,
                "last_arrival": None,
                **dict.fromkeys(SUMMED, 0),
            }
            count = work.sources.get(name)
            if count is not None:
                row |= {key: row[key] + getattr(count, key) for key in SUMMED}
                if count.records:
                    row["last_arrival"] = max(work.arrival, row["last_arrival"] or 0.0)
                if math.isfinite(count.newest):  # not of dead letters alone
                    row["last_event"] = max(count.newest, row["last_event"] or count.newest)
            row["channel"] = self.channel(name)
            row["usual_per_hour"] = work.usual_per_hour.get(name, row.get("usual_per_hour", 0.0))
            row["blind_since"] = blind[name].since if name in blind else None
            places = [self._tree.id(place) for place in blind[name].places] if name in blind else []
            row["blind_places"] = f"|{'|'.join(places)}|" if places else None
            rows.append(row)
        write(connection, replacing(connection.dialect.name, table), rows)
        write_spells(connection, rows, work.meta.get("last_close", work.arrival))


def source_of(body: bytes | None) -> str | None:
    """The source a record names, if that much of it can be read."""
    try:
        return str(_source_of(body or b"").source)[:256]  # type: ignore[attr-defined]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def write_meta(connection: Connection, values: dict[str, Any]) -> None:
    """Set single values of the store."""
    rows = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
    write(connection, replacing(connection.dialect.name, tables.meta), rows)


def read_meta(connection: Connection) -> dict[str, Any]:
    """The store's single values."""
    return {key: json.loads(value) for key, value in connection.execute(select(tables.meta.c.key, tables.meta.c.value))}


def _incident_row(one: Incident) -> dict[str, Any]:
    places = dict.fromkeys((one.scope.place, *(part.place for part in one.places)))
    return {
        "id": one.id,
        "revision": one.revision,
        "state": one.state,
        "onset": one.onset,
        "updated_at": one.updated_at,
        "resolved_at": one.resolved_at,
        "places": f"|{'|'.join(places)}|",
        "keywords": f"|{'|'.join(one.keywords)}|",
        "body": msgspec.json.encode(one).decode(),
    }


def _dead_row(letter: DeadLetter, arrival: float, source: str | None) -> dict[str, Any]:
    detail = letter.detail.encode("utf-8", "replace").decode().replace("\0", "�")
    return {"where": str(letter.where), "reason": letter.reason, "detail": detail, "source": source, "arrived_at": arrival,
            "length": letter.length, "sha256": letter.sha256, "raw": letter.raw}  # fmt: skip
