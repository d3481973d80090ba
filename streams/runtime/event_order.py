"""Files in order of event time, ties by the record's own bytes: a newest-first export gives what a sorted one gives.

A file that is sorted already is streamed; any other goes through an external sort. Records that cannot be dated come before the
dated ones of their block, where they are refused without touching any count.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import NamedTuple

from streams.runtime.event_time import UNDATED, EventTimes, Zone
from streams.runtime.files import Block, Source
from streams.runtime.sorted_runs import BATCH, Dated, SortedRuns

MAX_TIE_BYTES = 32 * 1024 * 1024  # records of one and the same time that are sorted in memory

Progress = Callable[[str, int, int], None]  # stage, done, total: bytes of files


class Scan(NamedTuple):
    """What a first reading found: whether the file can be streamed, and how many records it holds (so far, if not)."""

    streams: bool
    records: int


class Ordered(NamedTuple):
    """All records of all files in order, in lists, and how many there are."""

    records: int
    batches: Iterator[list[Dated]]


def in_order(inputs: Sequence[Source], zone: Zone, folder: Path, progress: Progress = lambda *_: None) -> Ordered:
    """Looks at the files and puts them in order. `folder` takes temporary files. Raises FileError."""
    total = sum(one.size_bytes for one in inputs)
    before = records = 0
    streams: list[Iterator[list[Dated]]] = []
    runs = SortedRuns(folder)
    unsorted = False
    times = EventTimes(zone)
    for number, one in enumerate(inputs):
        found = scan(one.blocks(_offset(progress, "looking", before, total)), times)
        if found.streams:
            records += found.records
            streams.append(streamed(one.blocks(), times, number))
        else:
            unsorted = True
            for block in one.blocks(_offset(progress, "sorting", before, total)):
                runs.add(list(zip(times.of(block.values), block.values, repeat(number), block.positions)))
                records += len(block.values)
        before += one.size_bytes
    if unsorted:
        streams.append(runs.merged())
    one_stream = streams[0] if len(streams) == 1 else _rebatched(heapq.merge(*map(chain.from_iterable, streams)))
    return Ordered(records, one_stream)


def scan(blocks: Iterable[Block], times: EventTimes) -> Scan:
    """Whether the records stand in order of event time, without more of one time than memory should hold; stops where they do not."""
    newest, tied_bytes, records = UNDATED, 0, 0
    for block in blocks:
        keys = times.of(block.values)
        records += len(keys)
        if min(keys, default=UNDATED) == UNDATED:
            keys = [key for key in keys if key != UNDATED]
        if not keys:
            continue
        if keys[0] < newest or any(map(float.__gt__, keys, islice(keys, 1, None))):
            return Scan(False, records)
        tied_bytes = (tied_bytes if keys[0] == newest else 0) + sum(map(len, block.values))
        tied_bytes = tied_bytes if keys[-1] == keys[0] else 0
        if tied_bytes > MAX_TIE_BYTES:
            return Scan(False, records)
        newest = keys[-1]
    return Scan(True, records)


def streamed(blocks: Iterable[Block], times: EventTimes, number: int) -> Iterator[list[Dated]]:
    """The records of file `number`, which are sorted by event time: only ties are put in order."""
    held: list[Dated] = []
    for block in blocks:
        held += zip(times.of(block.values), block.values, repeat(number), block.positions)
        if not held:
            continue
        held.sort()
        newest = held[-1][0]
        cut = len(held) - 1
        while cut and held[cut - 1][0] == newest:
            cut -= 1
        if cut:
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _rebatched(records: Iterator[Dated]) -> Iterator[list[Dated]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _offset(progress: Progress, stage: str, before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(stage, before + done, total)
