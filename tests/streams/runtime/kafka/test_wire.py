"""What is written on a topic is read back unchanged, whatever was split, came twice or broke off."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from alerting.model import Evidence, Incident, Part, Scope, Similar
from streams.complaint import DeadLetter, Where
from streams.part import Part as RowPart
from streams.part import Rows, SourceCount, Words
from streams.runtime.kafka import parts, topics, wire
from streams.runtime.kafka.records import PartRecord


def part(rows: int, evidence: int = 3) -> RowPart:
    rng = np.random.default_rng(1)
    columns = Rows(*(rng.integers(0, 50_000, rows) for _ in Rows._fields))
    one = Evidence((("bag", 3),), ("x" * 200,) * 3, 2, (60, 61))
    found = {60: {(place, 2): one for place in range(evidence)}} if evidence else {}
    sources = {"a": SourceCount("a", records=3, newest=61.5, seen_by_hour={4: 3}), "b": SourceCount("b", duplicates=1)}
    many = {f"term {number}": 1 for number in range(4_000)} if rows > 10 else {}
    words = {60 * n: Words({7: 3}, {7: {"belt 3": 2, **many}}) for n in (1, 2, 3)}
    return RowPart(1, 7, 120.25, "c0ffee", columns, Rows.empty(), found, sources, words)


def same(one: RowPart, other: RowPart) -> bool:
    rows = all(np.array_equal(a, b) for a, b in zip((*one.rows, *one.late), (*other.rows, *other.late), strict=True))
    return rows and one._replace(rows=other.rows, late=other.late) == other


@pytest.mark.parametrize(("rows", "evidence"), [(0, 0), (10, 3), (5_000, 140), (40_000, 1_000)])
def test_a_part_is_whole_again_when_its_last_piece_has_come(rows: int, evidence: int) -> None:
    made = part(rows, evidence)
    pieces = [wire.read_parts_entry(one.value) for one in parts.records(made)]
    assembly = parts.Assembly()
    found = [assembly.take(one) for one in pieces if isinstance(one, PartRecord)]
    assert found[:-1] == [None] * (len(pieces) - 1)
    assert found[-1] is not None
    assert same(found[-1], made)
    assert not assembly.pieces


def test_no_piece_is_over_512_kib() -> None:
    sizes = [len(one.value) for one in parts.records(part(40_000, 1_000))]
    assert max(sizes) <= parts.MAX_PART_BYTES
    assert len(sizes) > 7


def test_pieces_that_broke_off_and_come_again_count_once() -> None:
    made = part(20_000, 0)
    pieces = [wire.read_parts_entry(one.value) for one in parts.records(made)]
    assembly = parts.Assembly()
    sent = [*pieces[:2], *pieces]
    found = [assembly.take(one) for one in sent if isinstance(one, PartRecord)]
    assert [one is not None for one in found] == [False] * (len(sent) - 1) + [True]
    assert found[-1] is not None
    assert same(found[-1], made)


def test_a_snapshot_can_hold_half_a_part() -> None:
    pieces = [wire.read_parts_entry(one.value) for one in parts.records(part(20_000, 0))]
    assembly = parts.Assembly()
    for one in pieces[:2]:
        assert isinstance(one, PartRecord)
        assembly.take(one)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(assembly), type=parts.Assembly) == assembly


def incident() -> Incident:
    scope = Scope("us-tx-houston", "Houston", "city", ("Houston", "everywhere"), 29.7, -95.4)
    return Incident(
        id="ab12", revision=2, state="suspected", onset=1704600000.0, opened_at=1704600120.0, suspected_at=1704600180.25,
        updated_at=1704600180.25, scope=scope, places=(Part("a", "A", "spot", ("A",), 3),), keywords=("outage",),
        title="outage in Houston", people=9, messages=11, expected=1.5, factor=6.0, p_value=1e-9,
        similar=(Similar("cd34", "outage in Houston", 1704500000.0, 1704510000.0, 12, "real"),),
    )  # fmt: skip


def test_an_incident_is_read_back_as_it_was() -> None:
    sent = wire.incident(incident())
    assert sent.key == b"ab12:2"
    assert wire.read_incident(sent.value) == incident()
    assert msgspec.json.decode(sent.value)["onset"] == "2024-01-07T04:00:00Z"


def test_a_dead_letter_has_its_origin_for_a_key() -> None:
    letter = DeadLetter("not_json", "at 0", Where("overheard.complaints", 17, 3), "e30=", 2, "ff")
    sent = wire.dead_letter(letter)
    assert sent.key == b"overheard.complaints:3:17"
    assert wire.read_dead_letter(sent.value) == letter


def test_every_topic_with_records_has_a_schema() -> None:
    for topic, kinds in wire.RECORDS.items():
        assert all(msgspec.json.schema(kind)["$defs"] for kind in kinds), topic
    assert {topic.full("overheard") for topic in topics.TOPICS} >= {"overheard.complaints", "overheard.parts"}
    assert topics.SNAPSHOTS.config()["cleanup.policy"] == "compact"
    assert int(topics.COMPLAINTS.config()["retention.ms"]) >= 7 * 86400 * 1000
