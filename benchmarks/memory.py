"""Memory of one process with very many live series: `python -m benchmarks.memory [--series N] [--json FILE]`.

Complaints of so many places and keywords that each series moves every hour, through the whole pipeline into a store, with a snapshot.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workload
from streams.channels import CHANNELS, channel_of
from streams.complaint import Record
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.garbage import collect_rarely
from streams.runtime.store.migrations import open_store
from streams.runtime.store.snapshots import Snapshot
from streams.runtime.store.writer import Work, Writer

LEAVES = 25
NODES = 31  # leaves, five tops, any
HOUR = 3600.0
BATCH = 2_000


def batches(places: list[str], hours: int) -> Iterator[list[Record]]:
    """Each hour of event time every place says one thing of each leaf, in an order of its own."""
    rng = np.random.default_rng(5)
    count = len(places) * LEAVES
    for hour in range(hours):
        order = rng.permutation(count).tolist()
        for first in range(0, count, BATCH):
            yield [
                _record(
                    hour * count + number, hour, number / count, places[order[number] // LEAVES], order[number] % LEAVES
                )
                for number in range(first, min(first + BATCH, count))
            ]


def _record(position: int, hour: int, share: float, place: str, leaf: int) -> Record:
    at = round(workload.START + (hour + share) * HOUR, 3)
    text = f"{workload.PHRASES[leaf * 8]} here again, who else has it"
    one = {
        "id": str(position),
        "created_at": at,
        "text": text,
        "author": f"u{position}",
        "location": place,
        "source": "twitter:bench",
    }
    return Record(position, json.dumps(one).encode(), at, "bench")


def peak_mb() -> float:
    """The most this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(series: int, hours: int, folder: Path) -> dict[str, Any]:
    """Peaks by stage."""
    collect_rarely()
    (folder / "bench.toml").write_text(workload.pack_toml(), encoding="utf-8")
    pipeline = Pipeline(PipelineConfig(pack=str(folder / "bench.toml")))
    named = workload.locations(pipeline.places, series // NODES)
    engine = open_store(f"sqlite:///{folder / 'store.sqlite'}")
    writer = Writer(engine, pipeline.places, pipeline.keywords, lambda source: CHANNELS[channel_of(source)])
    peaks = {"loaded, nothing heard": peak_mb()}
    position = 0
    for batch in batches(named, hours):
        position = batch[-1].position
        work = Work(applied=position)
        work.take(pipeline.process(0, batch), batch[-1].arrival or 0.0, {})
        writer.commit(work, None)
    peaks[f"{hours} hours heard and stored"] = peak_mb()
    state = pipeline.snapshot()
    writer.commit(Work(applied=position), Snapshot(position, 0.0, pipeline.digest, {}, state))
    peaks["snapshot written"] = peak_mb()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "series": len(pipeline.detect.index),
        "complaints": position + 1,
        "snapshot_mb": len(state) / 1e6,
        "peak_memory_mb": peaks,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(arguments.series, arguments.hours, Path(name))
    print(f"{found['machine']}, {found['date']}: {found['series']:,} series, {found['complaints']:,} complaints")
    for stage, peak in found["peak_memory_mb"].items():
        print(f"  {stage:32} {peak:6.0f} MB at most")
    print(f"  the snapshot has {found['snapshot_mb']:.0f} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
