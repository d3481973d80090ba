"""Parts to records of `parts` and back: split over 512 KiB, whole again when the last piece has come."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from alerting.model import Evidence
from streams.part import COUNTED, Part, Rows, SourceCount, Words
from streams.runtime.kafka import topics
from streams.runtime.kafka.records import EvidenceRecord, PartRecord, RowsRecord, SourceRecord
from streams.runtime.kafka.wire import Keyed, encode

MAX_PART_BYTES = 512 * 1024
ROWS_A_CHUNK = 6_000  # about 60 bytes each at most
EVIDENCE_A_CHUNK = 150  # about 2 KB each at most
TERMS_A_CHUNK = 8_000  # of words, about 50 bytes each at most


def source_record(count: SourceCount) -> SourceRecord:
    """A source's counts, its hour brought up to date."""
    newest = None if count.newest == float("-inf") else count.newest
    counted = {name: getattr(count, name) for name in COUNTED}
    return SourceRecord(count.name, **counted, newest=newest, seen_by_hour=count.seen_by_hour, by_place=count.by_place)


def source_count(record: SourceRecord) -> SourceCount:
    """What `source_record` wrote."""
    given = msgspec.structs.asdict(record)
    return SourceCount(**given | {"newest": float("-inf") if record.newest is None else record.newest})


def records(part: Part) -> list[Keyed]:
    """The part's pieces, in order."""
    pieces = list(_pieces(part))
    found = []
    for chunk, (rows, late, evidence, words) in enumerate(pieces):
        sources = [source_record(one) for _, one in sorted(part.sources.items())] if chunk == 0 else []
        told = rows, late, evidence, sources, words
        record = PartRecord(part.partition, part.seq, chunk, len(pieces), part.watermark, part.config, *told)
        key = f"part:{part.partition}:{part.seq}:{chunk}".encode()
        found.append(Keyed(topics.PARTS, key, encode(record)))
    return found


def _pieces(part: Part) -> Iterator[tuple[RowsRecord, RowsRecord, list[EvidenceRecord], dict[int, Words]]]:
    evidence = [
        EvidenceRecord(window, *key, found[key])
        for window, found in sorted(part.evidence.items(), key=lambda item: item[0])
        for key in sorted(found)
    ]
    none = RowsRecord()
    terms = sum(len(found) for words in part.words.values() for found in words.terms.values())
    counts = (
        (terms, TERMS_A_CHUNK),
        (len(part.rows.window), ROWS_A_CHUNK),
        (len(part.late.window), ROWS_A_CHUNK),
        (len(evidence), EVIDENCE_A_CHUNK),
    )
    if all(count <= limit for count, limit in counts) and sum(count / limit for count, limit in counts) <= 1:
        yield _columns(part.rows), _columns(part.late), evidence, part.words
        return
    for rows in _slices(part.rows):
        yield rows, none, [], {}
    for rows in _slices(part.late):
        yield none, rows, [], {}
    for first in range(0, len(evidence), EVIDENCE_A_CHUNK):
        yield none, none, evidence[first : first + EVIDENCE_A_CHUNK], {}
    for start, words in part.words.items():
        yield none, none, [], {start: words}


def _columns(rows: Rows) -> RowsRecord:
    return RowsRecord(*(column.tolist() for column in rows))


def _slices(rows: Rows) -> Iterator[RowsRecord]:
    for first in range(0, len(rows.window), ROWS_A_CHUNK):
        yield RowsRecord(*(column[first : first + ROWS_A_CHUNK].tolist() for column in rows))


class Assembly(msgspec.Struct):
    """Parts whose pieces have not all come, by partition; plain data, so that a snapshot can hold it."""

    pieces: dict[int, list[PartRecord]] = {}

    def take(self, record: PartRecord) -> Part | None:
        """The part, when this was its last missing piece. A piece that comes again changes nothing."""
        if record.chunks == 1:
            return _part([record])
        held = self.pieces.get(record.partition, [])
        if record.chunk == 0 and (not held or held[0].seq != record.seq):
            held = self.pieces[record.partition] = []
        if (held and held[0].seq != record.seq) or record.chunk != len(held):
            return None
        held.append(record)
        if len(held) < record.chunks:
            return None
        del self.pieces[record.partition]
        return _part(held)


def _part(pieces: list[PartRecord]) -> Part:
    first = pieces[0]
    evidence: dict[int, dict[tuple[int, int], Evidence]] = {}
    for one in (one for piece in pieces for one in piece.evidence):
        evidence.setdefault(one.window, {})[one.place, one.keyword] = one.evidence
    return Part(
        first.partition,
        first.seq,
        first.watermark,
        first.config,
        _rows([piece.rows for piece in pieces]),
        _rows([piece.late for piece in pieces]),
        evidence,
        {one.name: source_count(one) for one in first.sources},
        {start: words for piece in pieces for start, words in piece.words.items()},
    )


def _rows(pieces: list[RowsRecord]) -> Rows:
    columns = zip(*(msgspec.structs.astuple(piece) for piece in pieces), strict=True)
    return Rows(*(np.array([value for piece in column for value in piece], np.int64) for column in columns))
