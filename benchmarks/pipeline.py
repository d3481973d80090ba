"""What a complaint costs in one process, beside the least it can cost: `python -m benchmarks.pipeline [--events N] [--json FILE]`.

The limit parses the JSON, lower-cases, scans for the phrases (Aho-Corasick) and counts in a dictionary by place, phrase and five-minute window,
from a list in memory. Same-work does that with the product's own parts; everything-on is the product. CPU time, runs interleaved, medians.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ahocorasick
import orjson

from benchmarks import workload
from streams.channels import CHANNELS, channel_of
from streams.codec import decode, decode_all
from streams.complaint import Complaint, Record
from streams.copies import fingerprints
from streams.hearing import Heard
from streams.intake import READ_AT_ONCE, Intake
from streams.pipeline import Pipeline, PipelineConfig
from streams.places import Places
from streams.runtime.garbage import collect_rarely
from streams.runtime.store.migrations import open_store
from streams.runtime.store.snapshots import Snapshot
from streams.runtime.store.writer import Work, Writer
from streams.text import fold_all
from streams.voices import digest
from streams.window import Window, cell_base

WINDOW = 300.0
LATENESS = 60.0
BATCH = 2_000


class Limit:
    """The least: what every engine must do, and nothing else."""

    def __init__(self) -> None:
        automaton = ahocorasick.Automaton()
        for number, phrase in enumerate(workload.PHRASES):
            automaton.add_word(f" {phrase} ", number)
        automaton.make_automaton()
        self.iter = automaton.iter
        self.windows: dict[int, dict[tuple[str, int], int]] = {}
        self.newest = self.emitted = 0.0
        self.closed = -1

    def run(self, values: Sequence[bytes]) -> None:
        loads, scan, windows = orjson.loads, self.iter, self.windows
        for value in values:
            record = loads(value)
            created = record["created_at"]
            window = int(created // WINDOW)
            if window <= self.closed:
                continue
            counts = windows.get(window)
            if counts is None:
                counts = windows[window] = {}
            place = record["location"]
            for _, phrase in scan(" " + record["text"].lower() + " "):
                key = (place, phrase)
                counts[key] = counts.get(key, 0) + 1
            if created > self.newest:
                self.newest = created
                passed = int((created - LATENESS) // WINDOW) - 1
                if passed > self.closed:
                    for done in [one for one in windows if one <= passed]:
                        self.emitted += len(windows.pop(done))
                    self.closed = passed


class SameWork(Intake):
    """Decode, match, count, close with the product's own parts: no dedupe, copies, voices or place names."""

    def _read(self, complaints: Sequence[Complaint]) -> list[Heard]:
        folded = fold_all([one.text for one in complaints])
        return list(map(Heard, complaints, folded, map(self.config.taxonomy.leaves_in, folded)))

    def _accept(self, heard: Heard, time: float) -> None:
        if heard.leaves:
            place = self.config.resolver.from_location(heard.complaint.location or "")
            self._window(time).count(cell_base(place, 0, False), heard.leaves, heard.leaves)
        if time > self.watermark.newest and self.watermark.observe(time):
            self._close()


def entries(values: Sequence[bytes]) -> list[Record]:
    """Log entries that arrived when they were written, as from a broker."""
    return [Record(i, value, orjson.loads(value)["created_at"], "bench") for i, value in enumerate(values)]


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of `work`, user and system."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def same_work(pipeline: Pipeline, records: list[Record]) -> None:
    intake = SameWork(pipeline.intakes[0].config)
    for first in range(0, len(records), BATCH):
        intake.process(records[first : first + BATCH])


def everything(config: PipelineConfig, records: list[Record], folder: Path) -> Callable[[], None]:
    pipeline = Pipeline(config)
    engine = open_store(f"sqlite:///{folder / str(time.monotonic_ns())}.sqlite")
    writer = Writer(engine, pipeline.places, pipeline.keywords, lambda source: CHANNELS[channel_of(source)])

    def run() -> None:
        for first in range(0, len(records), BATCH):
            batch = records[first : first + BATCH]
            work = Work(applied=batch[-1].position)
            work.take(pipeline.process(0, batch), batch[-1].arrival or 0.0, {})
            writer.commit(work, None)
        snapshot = Snapshot(len(records), 0.0, pipeline.digest, {}, pipeline.snapshot())
        writer.commit(Work(applied=len(records)), snapshot)

    return run


def steps(pipeline: Pipeline, records: list[Record]) -> dict[str, float]:
    """Microseconds of each step, called alone on the same records."""
    config = pipeline.intakes[0].config
    taxonomy, resolver = config.taxonomy, config.resolver
    values = [record.value for record in records]
    complaints = [decode(value) for value in values]
    texts = [one.text for one in complaints]
    folded = fold_all(texts)
    leaves = [taxonomy.leaves_in(one) for one in folded]
    words = [one.split() for one in folded]
    named = [taxonomy.places_in(one, said) for one, said in zip(folded, words, strict=True)]
    nodes = [taxonomy.closure(one, "twitter:bench") for one in leaves]
    prints = fingerprints(words)
    names = [digest(one.source, one.id) for one in complaints]
    authors = [f"{one.source}\0{one.author}" for one in complaints]
    times = [float(one.created_at) for one in complaints]
    places = [resolver.from_location(one.location or "") for one in complaints]
    intake, window = Intake(config), Window()

    def each(work: Callable[[int], object]) -> float:
        def run() -> None:
            for i in range(len(records)):
                work(i)

        return 1e6 * cpu(run) / len(records)

    def batches(work: Callable[[int, int], object]) -> float:
        def run() -> None:
            for first in range(0, len(records), READ_AT_ONCE):
                work(first, first + READ_AT_ONCE)

        return 1e6 * cpu(run) / len(records)

    def place(i: int) -> int:
        return resolver.resolve(None, None, None, named[i], texts[i], complaints[i].location)

    return {
        "decode, validate": batches(lambda i, j: decode_all(values[i:j])),
        "fold the text": batches(lambda i, j: fold_all(texts[i:j])),
        "keywords": each(lambda i: taxonomy.leaves_in(folded[i])),
        "keyword ancestors": each(lambda i: taxonomy.closure(leaves[i], "twitter:bench")),
        "place names": each(lambda i: taxonomy.places_in(folded[i], words[i])),
        "place": each(place),
        "record's hash": each(lambda i: digest(complaints[i].source, complaints[i].id)),
        "dedupe": each(lambda i: intake.seen.add(names[i], times[i])),
        "fingerprint": batches(lambda i, j: fingerprints(words[i:j])),
        "copies": each(lambda i: intake.copies.is_copy(prints[i], times[i])),
        "voices": each(lambda i: intake.voices.hear(authors[i], nodes[i], times[i])),
        "count": each(lambda i: window.count(cell_base(places[i], 0, False), nodes[i], nodes[i])),
    }


def measure(events: int, repeats: int) -> dict[str, Any]:
    """All rows, interleaved."""
    collect_rarely()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench.toml").write_text(workload.pack_toml(), encoding="utf-8")
        config = PipelineConfig(pack=str(folder / "bench.toml"))
        named = workload.locations(Places.load(), 500)
        plain = workload.records(events, 1, named, per_second=20)
        accented = workload.records(events, 2, named, per_second=20, accents=True)
        pipeline = Pipeline(config)
        logs = {"ASCII": entries(plain), "a third not ASCII": entries(accented)}
        rows: dict[str, list[float]] = {}
        for _ in range(repeats):
            rows.setdefault("limit", []).append(cpu(lambda: Limit().run(plain)))
            rows.setdefault("same work", []).append(cpu(lambda: same_work(pipeline, logs["ASCII"])))
            for kind, log in logs.items():
                rows.setdefault(f"everything on, {kind}", []).append(cpu(everything(config, log, folder)))
        figures = {row: 1e6 * statistics.median(taken) / events for row, taken in rows.items()}
        return {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "events": events,
            "us_per_event": figures,
            "times_the_limit": {row: taken / figures["limit"] for row, taken in figures.items()},
            "us_per_step": steps(pipeline, logs["ASCII"][:50_000]),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.events, arguments.repeats)
    print(f"{found['machine']}, {found['date']}, {found['events']:,} complaints, median of {arguments.repeats}")
    for row, taken in found["us_per_event"].items():
        print(f"  {row:36} {taken:7.2f} us CPU an event   {found['times_the_limit'][row]:5.2f} x the limit")
    print("each step alone:")
    for row, taken in found["us_per_step"].items():
        print(f"  {row:36} {taken:7.2f} us")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
