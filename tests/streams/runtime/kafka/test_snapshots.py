"""Of two slots the intact one that reaches farthest is restored; what is damaged, half or of another format is passed over, and said."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from streams.runtime.kafka import snapshots
from streams.runtime.kafka.memory_transport import MemoryBroker
from streams.runtime.kafka.snapshots import CHUNK_BYTES, Loaded, Snapshot, SnapshotError, chunks, load

TOPIC = "t.snapshots"


def snapshot(offset: int, size: int = 10, generation: int = 1) -> Snapshot:
    return Snapshot("intake", 2, offset, generation, "c0ffee", random.Random(offset).randbytes(size))


def broker(*made: tuple[Snapshot, int]) -> MemoryBroker:
    log = MemoryBroker()
    log.declare(TOPIC, 3)
    for one, slot in made:
        for piece in chunks(one, slot, 3):
            log.append(TOPIC, piece.key, piece.value, piece.partition)
    return log


def loaded(log: MemoryBroker, stage: str = "intake", partition: int = 2) -> Loaded:
    return asyncio.run(load(log, TOPIC, 3, stage, partition))


def test_nothing_was_ever_made() -> None:
    assert loaded(broker()) == Loaded()


def test_the_one_that_reaches_farthest_is_restored_with_its_slot() -> None:
    log = broker((snapshot(100), 0), (snapshot(200, 3 * CHUNK_BYTES), 1))
    found = loaded(log)
    assert found.snapshot == snapshot(200, 3 * CHUNK_BYTES)
    assert found.slot == 1


def test_an_older_one_written_later_by_a_paused_worker_does_not_win() -> None:
    late = snapshot(150, generation=1)
    found = loaded(broker((snapshot(200, generation=2), 0), (snapshot(300, generation=2), 1), (late, 0)))
    assert found.snapshot is not None
    assert found.snapshot.next_offset == 300


def test_half_a_snapshot_is_passed_over() -> None:
    log = broker((snapshot(100), 0), (snapshot(200, 3 * CHUNK_BYTES), 1))
    log.topics[TOPIC][2].pop()
    assert loaded(log).snapshot == snapshot(100)


def test_a_damaged_one_is_refused_by_name_and_the_other_slot_used() -> None:
    log = broker((snapshot(100), 0), (snapshot(200, 1000), 1))
    stored = log.topics[TOPIC][2][-1]
    assert stored.value is not None
    log.topics[TOPIC][2][-1] = stored._replace(value=stored.value[:-3] + b"xyz")
    found = loaded(log)
    assert found.snapshot == snapshot(100)
    assert found.spoilt == ["slot 1, up to offset 200: does not match its checksum"]


def test_where_none_can_be_used_it_says_so_and_what_to_do() -> None:
    log = broker((snapshot(200, 1000), 1))
    stored = log.topics[TOPIC][2][-1]
    parts = msgspec.msgpack.decode(stored.value or b"")
    log.topics[TOPIC][2][-1] = stored._replace(value=msgspec.msgpack.encode([99, *parts[1:]]))
    with pytest.raises(SnapshotError, match=rf"format 99, this program knows {snapshots.FORMAT}\b.*empty the topic"):
        loaded(log)


def test_others_in_the_same_partition_are_looked_past() -> None:
    log = broker((snapshot(100), 0))
    for number in range(3 * snapshots.FIRST_LOOK):
        other = Snapshot("detect", 2, number, 1, "c0ffee", b"x")
        for piece in chunks(other, number % 2, 3):
            log.append(TOPIC, piece.key, piece.value, piece.partition)
    assert loaded(log).snapshot == snapshot(100)
    assert loaded(log, "intake", 5).snapshot is None
