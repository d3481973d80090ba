"""What our own rows of the throughput table counted, and what they had to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import orjson

from benchmarks.peers.work import WINDOW, scanner
from benchmarks.rows import Run, Setting
from benchmarks.truth import Cell, records
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.records import CellsRecord, PartRecord

Counts = tuple[dict[Cell, int], Counter[Cell]]


def from_parts(setting: Setting, run: Run, values: Sequence[bytes]) -> Counts:
    """Messages by place, phrase and window on `parts`, and an independent recount of the complaints."""
    pipeline = Pipeline(PipelineConfig(pack=setting.packs[False]))
    keyword = {pipeline.keywords.index(f"top{n % 5}/leaf{n}"): n for n in range(len(setting.phrases))}
    found: Counter[Cell] = Counter()
    for value in dict(asyncio.run(records(setting.address, topics.PARTS.full(run.group)))).values():
        entry = wire.read_parts_entry(value or b"")
        assert isinstance(entry, PartRecord)
        rows = entry.rows
        for start, place, leaf, messages in zip(rows.window, rows.place, rows.keyword, rows.messages, strict=True):
            found[pipeline.places.id(place), keyword[leaf], start] += messages
    scan = scanner(setting.phrases)
    place_of = pipeline.intakes[0].config.resolver.from_location
    right: Counter[Cell] = Counter()
    for value in values:
        record = orjson.loads(value)
        place = pipeline.places.id(place_of(record["location"]))
        start = int(record["created_at"] // WINDOW) * WINDOW
        for phrase in {phrase for _, phrase in scan(f" {record['text'].lower()} ")}:  # a text speaks of a thing once
            right[place, phrase, start] += 1
    return found, right


def from_cells(setting: Setting, run: Run) -> Counts:
    """People by cell on `cells`, and what one pipeline that nobody disturbs makes of the same log."""
    found: dict[Cell, int] = {}
    for _, value in asyncio.run(records(setting.address, topics.CELLS.full(run.group))):
        entry = wire.read_cells_entry(value or b"")
        if isinstance(entry, CellsRecord):
            for place, keyword, voices in zip(entry.place, entry.keyword, entry.voices, strict=True):
                found[place, keyword, entry.start] = voices
    pipeline = Pipeline(PipelineConfig(pack=setting.packs[True], partitions=setting.partitions))
    right: Counter[Cell] = Counter()
    for partition in range(setting.partitions):
        log = asyncio.run(records(setting.address, run.topic, partition))
        entries: list[Record | Tick] = [Record(at, value or b"", None) for at, (_, value) in enumerate(log)]
        for cells in pipeline.process(partition, entries).cells:
            for place, keyword, voices in zip(
                cells.place.tolist(), cells.keyword.tolist(), cells.voices.tolist(), strict=True
            ):
                right[pipeline.places.id(place), pipeline.keywords.id(keyword), cells.start] = voices
    return found, right
