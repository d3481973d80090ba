"""What the journal keeps, what a crash may take, and what it never passes over in silence."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.entries import RECORD, Entry
from streams.runtime.journal import Journal, JournalDamagedError, JournalFullError


def entries(count: int, first: int = 0) -> list[Entry]:
    return [Entry(RECORD, f"record {number}".encode(), 1000.0 + number) for number in range(first, first + count)]


def payloads(journal: Journal, seq: int = 0) -> list[str]:
    reader, found = journal.reader(seq), []
    while batch := reader.take(7):
        found += [entry.payload.decode() for entry in batch]
    return found


def test_what_was_appended_is_read_in_order_from_any_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=400)
    for first in range(0, 50, 5):
        journal.write(entries(5, first))
    assert len(journal.segments()) > 3
    for seq in (0, 1, 7, 23, 49, 50):
        assert payloads(journal, seq) == [f"record {number}" for number in range(seq, 50)]


def test_a_reader_goes_on_when_more_is_appended(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    reader = journal.reader(0)
    assert reader.take(10) == []
    for first in range(0, 30, 3):
        journal.write(entries(3, first))
        assert [entry.seq for entry in reader.take(10)] == list(range(first, first + 3))


def test_a_torn_tail_is_cut_at_every_byte_and_appending_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(entries(3))
    journal.close()
    whole = journal.active.read_bytes()
    length = len(whole) // 3
    for cut in range(2 * length, len(whole)):
        journal.active.write_bytes(whole[:cut])
        again = Journal(tmp_path)
        assert again.torn_bytes == cut - 2 * length
        assert again.next_seq == 2
        again.write(entries(1, 2))
        assert payloads(again) == ["record 0", "record 1", "record 2"]
        again.close()


@pytest.mark.parametrize("segment_bytes", [10_000, 100], ids=["newest segment", "older segment"])
def test_damage_in_the_middle_is_named_and_not_passed_over(tmp_path: Path, segment_bytes: int) -> None:
    journal = Journal(tmp_path, segment_bytes=segment_bytes)
    for number in range(8):
        journal.write(entries(1, number))
    journal.close()
    path = journal.segments()[0]
    data = bytearray(path.read_bytes())
    data[60] ^= 1  # in the second entry
    path.write_bytes(data)
    with pytest.raises(JournalDamagedError, match=rf"{path.name}.* byte \d+"):
        payloads(Journal(tmp_path, segment_bytes=segment_bytes))
    past = Journal(tmp_path, segment_bytes=segment_bytes, past_damage=True)
    assert payloads(past) == ["record 0", *(f"record {number}" for number in range(2, 8))]


def test_an_entry_larger_than_a_read_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    large = Entry(RECORD, b"x" * 1_500_000, 0.0)
    journal.write([*entries(1), large, *entries(1)])
    assert [len(entry.payload) for entry in journal.reader(0).take(10)] == [8, 1_500_000, 8]


def test_only_old_segments_behind_the_snapshot_are_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    for number in range(20):
        journal.write(entries(1, number))
    segments = journal.segments()
    for path in segments[:4]:
        os.utime(path, (100, 100))
    assert journal.delete_before(int(segments[2].stem), 200.0) == segments[:2]
    assert journal.delete_before(20, 200.0) == segments[2:4]
    assert payloads(journal, 0)[-1] == "record 19"


def test_many_appends_at_once_keep_their_order_and_their_places(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    async def run() -> list[int]:
        return list(await asyncio.gather(*(journal.append(entries(3, 3 * number)) for number in range(40))))

    assert asyncio.run(run()) == list(range(0, 120, 3))
    assert payloads(journal) == [f"record {number}" for number in range(120)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_whole_appends_and_takes_new_ones_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    journal = Journal(small_disk / "journal")

    async def run() -> None:
        await journal.append(entries(2))
        filler.write_bytes(b"x" * 800_000)
        for _ in range(3):
            with pytest.raises(JournalFullError, match="No space left"):
                await journal.append([Entry(RECORD, b"y" * 400_000, 0.0)])
        assert journal.failure is not None
        filler.unlink()
        assert await journal.append(entries(1, 2)) == 2
        assert journal.failure is None

    asyncio.run(run())
    journal.close()
    assert payloads(Journal(small_disk / "journal")) == ["record 0", "record 1", "record 2"]
