"""Replay: files of complaints through the pipeline, in order of event time, as fast as they can be read. No clock is read.

The same files (in whatever row order), pack, labels, controls and settings give the same result.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from alerting.model import Control, Incident
from streams.codec import EARLIEST
from streams.complaint import DeadLetter, Record, Tick
from streams.evaluation import Miss
from streams.label_watch import LabelWatch
from streams.labels import Label
from streams.part import SourceCount
from streams.pipeline import Outputs, Pipeline, ZoneOf
from streams.runtime.cell_spool import CellSpool
from streams.runtime.event_order import Progress, in_order
from streams.runtime.files import FileError, Source
from streams.runtime.routing import Router
from streams.runtime.sorted_runs import Dated

MAX_DEAD_SHARE = 0.20
WATCHED_SECONDS = 6 * 3600.0


class DeadCount(msgspec.Struct):
    """Dead letters of one reason. The example is the one whose detail sorts first, so row order does not matter."""

    count: int = 0
    detail: str = ""
    where: str = ""  # of the example: file:line


class Replayed(msgspec.Struct, kw_only=True):
    """What a replay heard. Times are Unix seconds."""

    spool: CellSpool
    incidents: list[Incident] = []  # all revisions, by event time, id, revision
    records: int = 0
    first: float = float("inf")  # event time of the first dated record
    fingerprint: int = 0  # of the records, whatever their order
    dead: dict[str, DeadCount] = {}
    sources: dict[str, SourceCount] = {}
    misses: dict[int, Miss] = {}  # by label number
    controls: int = 0

    @property
    def dead_letters(self) -> int:
        """Records that were not counted."""
        return sum(one.count for one in self.dead.values())

    @property
    def last(self) -> float:
        """Event time of the newest record counted."""
        return max((source.newest for source in self.sources.values()), default=float("-inf"))

    @property
    def weeks(self) -> float:
        """From the first record to the newest."""
        return max(0.0, self.last - self.first) / (7 * 24 * 3600)


def replay(
    inputs: Sequence[Source],
    pipeline: Pipeline,
    folder: Path,
    *,
    labels: Sequence[Label] = (),
    controls: Sequence[Control] = (),
    progress: Progress = lambda *_: None,
) -> Replayed:
    """Run the files through `pipeline`, a fresh one. `folder` takes temporary files. Raises FileError, also where no record was valid."""
    result = Replayed(spool=CellSpool(folder / "cells.bin", pipeline.window_seconds), controls=len(controls))
    watch = LabelWatch(labels, pipeline) if labels else None
    names = [one.name for one in inputs]
    router = Router(pipeline.config.partitions)
    ordered = in_order(inputs, ZoneOf(pipeline.config.sources, pipeline.config.timezone), folder, progress)
    batches = _short(ordered.batches) if watch else ordered.batches
    acts = sorted(controls, key=lambda one: (one.at, one.id))
    for batch in _between_controls(batches, acts, pipeline.control):
        if result.first == float("inf"):
            result.first = next((dated[0] for dated in batch if dated[0] >= EARLIEST), result.first)
        result.records += len(batch)
        result.fingerprint += sum(zlib.crc32(dated[1]) for dated in batch)
        for partition, entries in _routed(batch, names, router):
            _keep(result, pipeline.process(partition, entries), watch)
        progress("hearing", result.records, ordered.records)
    _end(result, pipeline, watch)
    result.incidents.sort(key=lambda one: (one.updated_at, one.id, one.revision))
    result.spool.close()
    if not any(source.records for source in result.sources.values()):
        raise FileError(f"no valid record in {', '.join(names)}: {told_reasons(result)}")
    if watch is not None:
        result.misses = watch.misses()
    return result


def told_reasons(result: Replayed, limit: int = 3) -> str:
    """The commonest reasons of dead letters, in words."""
    ranked = sorted(result.dead.items(), key=lambda item: (-item[1].count, item[0]))
    told = [f"{one.count:,} {reason} ({one.where}: {one.detail[:120]})" for reason, one in ranked[:limit]]
    return "; ".join(told) or "the input is empty"


def _short(batches: Iterator[list[Dated]]) -> Iterator[list[Dated]]:
    """The batches, cut to spans of which ALERT still remembers every window."""
    for batch in batches:
        start = 0
        for number, dated in enumerate(batch):
            if dated[0] - batch[start][0] > WATCHED_SECONDS:
                yield batch[start:number]
                start = number
        yield batch[start:]


def _between_controls(
    batches: Iterator[list[Dated]], controls: list[Control], act: Callable[[Control], None]
) -> Iterator[list[Dated]]:
    """The batches, cut so that each control is given before the first record at or after it."""
    waiting = controls[::-1]
    for batch in batches:
        while waiting and batch[-1][0] >= waiting[-1].at:
            at = waiting[-1].at
            cut = next(number for number, dated in enumerate(batch) if dated[0] >= at)
            if cut:
                yield batch[:cut]
                batch = batch[cut:]
            act(waiting.pop())
        yield batch
    while waiting:
        act(waiting.pop())


def _routed(batch: list[Dated], names: list[str], router: Router) -> Iterator[tuple[int, list[Record | Tick]]]:
    if router.partitions == 1:
        yield 0, [Record(position, value, None, names[number]) for _, value, number, position in batch]
        return
    parts: dict[int, list[Record | Tick]] = {}
    for _, value, number, position in batch:
        parts.setdefault(router.partition(value), []).append(Record(position, value, None, names[number]))
    yield from sorted(parts.items())


def _keep(result: Replayed, outputs: Outputs, watch: LabelWatch | None) -> None:
    result.incidents += outputs.incidents
    for letter in outputs.dead_letters:
        _bury(result, letter)
    for name, count in outputs.sources.items():
        result.sources.setdefault(name, SourceCount()).add(count)
    for cells in outputs.cells:
        result.spool.add(cells)
        if watch is not None:
            watch.see(cells)
    for revision in outputs.revisions:
        result.spool.revise(revision)


def _bury(result: Replayed, letter: DeadLetter) -> None:
    one = result.dead.setdefault(letter.reason, DeadCount())
    where = f"{letter.where.origin}:{letter.where.position}"
    if not one.count or (letter.detail, where) < (one.detail, one.where):
        one.detail, one.where = letter.detail, where
    one.count += 1


def _end(result: Replayed, pipeline: Pipeline, watch: LabelWatch | None) -> None:
    """A tick to every partition at the end of the newest accepted event's window + lateness."""
    partitions = range(pipeline.config.partitions)
    end = max(pipeline.end_time(partition) for partition in partitions)
    if end == float("-inf"):
        return
    for partition in partitions:
        _keep(result, pipeline.process(partition, [Tick(result.records, end, True)]), watch)
