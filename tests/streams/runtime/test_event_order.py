"""Order of event time whatever the order of rows, in bounded memory."""

import json
import random
from pathlib import Path

import pytest

from streams.codec import parse_time
from streams.runtime.event_order import in_order, scan
from streams.runtime.event_time import UNDATED, EventTimes
from streams.runtime.files import Input
from streams.runtime.sorted_runs import SortedRuns


def no_zone(source):
    return None


def line(id, created_at, **more):
    return json.dumps({"id": str(id), "created_at": created_at, "text": "no power", "source": "s", **more}).encode()


def some_lines(count, seed=1):
    rng = random.Random(seed)
    lines = []
    for i in range(count):
        minute, second = rng.randrange(60), rng.randrange(60)
        lines.append(line(i, f"2026-01-05T07:{minute:02}:{second:02}Z"))
    return lines


def written(path: Path, lines) -> Input:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return Input(path)


def heard(inputs, folder) -> list[bytes]:
    folder.mkdir(exist_ok=True)
    ordered = in_order(inputs, no_zone, folder)
    values = [dated[1] for batch in ordered.batches for dated in batch]
    assert len(values) == ordered.records
    return values


def test_sorted_reversed_and_shuffled_files_give_the_same_order(tmp_path):
    lines = sorted(some_lines(3000), key=lambda one: json.loads(one)["created_at"])
    shuffled = random.Random(2).sample(lines, len(lines))
    orders = [
        heard([written(tmp_path / f"{i}.jsonl", one)], tmp_path / "t")
        for i, one in enumerate((lines, lines[::-1], shuffled))
    ]
    assert orders[0] == orders[1] == orders[2]
    times = [json.loads(value)["created_at"] for value in orders[0]]
    assert times == sorted(times)


def test_a_sorted_file_is_streamed_and_a_reversed_one_is_not(tmp_path):
    lines = [line(i, 1.76e9 + i) for i in range(100)]
    assert scan(written(tmp_path / "a.jsonl", lines).blocks(), EventTimes(no_zone)).streams
    assert not scan(written(tmp_path / "b.jsonl", lines[::-1]).blocks(), EventTimes(no_zone)).streams


def test_several_files_merge_and_their_order_does_not_matter(tmp_path):
    lines = some_lines(900)
    parts = [lines[0::3], sorted(lines[1::3], key=lambda one: json.loads(one)["created_at"]), lines[2::3]]
    inputs = [written(tmp_path / f"{i}.jsonl", part) for i, part in enumerate(parts)]
    whole = heard([written(tmp_path / "whole.jsonl", lines)], tmp_path / "t")
    assert heard(inputs, tmp_path / "t") == heard(inputs[::-1], tmp_path / "t") == whole


def test_records_that_cannot_be_dated_are_kept_once_and_do_not_unsort_a_file(tmp_path):
    good = [line(i, 1.76e9 + i) for i in range(50)]
    bad = [
        b"{not json",
        b'{"id":"x"}',
        b'{"created_at":"soon"}',
        b'{"created_at":NaN}',
        b"\xff\xfe\x00",
        b"[" * 5000,
        line("y", True),
    ]
    mixed = good[:20] + bad + good[20:]
    source = written(tmp_path / "a.jsonl", mixed)
    assert scan(source.blocks(), EventTimes(no_zone)).streams
    values = heard([source], tmp_path / "t")
    assert sorted(values) == sorted(mixed)
    assert [value for value in values if value in good] == good


def test_more_than_memory_holds_is_sorted_in_runs(tmp_path):
    records = [(float(i * 7919 % 100_003), b"%d" % i, 0, i) for i in range(20_000)]
    runs = SortedRuns(tmp_path, run_bytes=30_000)
    for start in range(0, len(records), 100):
        runs.add(records[start : start + 100])
    assert len(list(tmp_path.iterdir())) > 10
    assert [one for batch in runs.merged() for one in batch] == sorted(records)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "created_at",
    [
        "2026-01-05T07:03:05Z",
        "2026-01-05T07:03:05.250Z",
        "2026-01-05T07:03:05.250+01:00",
        "2026-01-05 07:03:05-0500",
        "2026-01-05T07:03+02:00",
        "2026-W02-1T07:03:05Z",
        1767596585,
        1767596585.25,
    ],
)
def test_keys_are_the_times_that_intake_counts(created_at):
    times = EventTimes(no_zone)
    for _ in range(2):  # the second reading comes from what the first has learnt
        assert times.of([line(1, created_at), line(2, created_at)]) == pytest.approx(
            [parse_time(created_at)[0]] * 2, abs=1e-6
        )


@pytest.mark.parametrize(
    "created_at",
    [
        "2026-13-05T07:03:05Z",
        "2026-01-05T07:03:61Z",
        "2026-01-05T07:03:0 nanZ",
        "2026-01-05T07:03:05",
        "",
        None,
        [1],
        True,
    ],
)
def test_what_intake_would_refuse_has_no_time(created_at):
    times = EventTimes(no_zone)
    times.of([line(1, "2026-01-05T07:03:05Z")])
    assert times.of([line(1, created_at)]) == [UNDATED]


def test_an_event_ahead_of_its_arrival_stands_where_it_is_counted():
    times = EventTimes(no_zone)
    ahead = line(1, "2026-01-05T09:00:00Z", received_at="2026-01-05T07:00:00Z")
    behind = line(2, "2026-01-05T06:00:00Z", received_at="2026-01-05T07:00:00Z")
    assert times.of([ahead, behind]) == [parse_time("2026-01-05T07:00:00Z")[0], parse_time("2026-01-05T06:00:00Z")[0]]
