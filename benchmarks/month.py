"""Ten million complaints of a month through `overheard replay`: `python -m benchmarks.month [--events N] [--days D] [--json FILE]`.

The file is newest first, as exports are, so that the external sort is part of it. It has a daily rhythm, 500 places, 200 phrases. What is
told is the CPU time and the memory of the whole command, report and all, as its own process; the making of the file does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workload
from streams.places import Places

DAY = 86_400.0
BLOCK = 200_000
BY_HOUR = np.array(
    [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 8, 8, 8, 8, 9, 10, 10, 9, 8, 7, 5, 3], float
)  # complaints, relative


def block(first: int, count: int, start: float, span: float, places: list[str]) -> list[bytes]:
    """JSON lines of complaints `first` to `first + count`, oldest first, over `span` seconds from `start`."""
    rng = np.random.default_rng(first)
    grid = np.linspace(start, start + span, 2_000)
    shape = np.interp(grid / 3600 % 24, np.arange(25), np.append(BY_HOUR, BY_HOUR[0]))
    times = np.interp(np.sort(rng.random(count)), np.cumsum(shape) / shape.sum(), grid)
    weights = 1 / np.arange(1, len(places) + 1) ** 0.7
    where = rng.choice(len(places), count, p=weights / weights.sum()).tolist()
    authors = ((rng.pareto(0.8, count) * 1e4).astype(np.int64) % 50_000_000).tolist()
    phrase = rng.integers(0, len(workload.PHRASES), (count, 2)).tolist()
    filler = np.array(workload.FILLER)[rng.integers(0, len(workload.FILLER), (count, 11))].tolist()
    lines = []
    for i, (at, one, two) in enumerate(zip(times.tolist(), phrase, filler, strict=True)):
        said = " ".join((*two[:3], workload.PHRASES[one[0]], *two[3:8], workload.PHRASES[one[1]], *two[8:]))
        lines.append(
            f'{{"id":"m-{first + i}","created_at":{at:.3f},"text":"{said}","author":"u{authors[i]}",'
            f'"location":"{places[where[i]]}","source":"twitter:bench"}}\n'.encode()
        )
    return lines


def blocks(events: int, days: float, places: list[str]) -> Iterator[list[bytes]]:
    """The month in blocks, newest first."""
    span = days * DAY / events
    for first in reversed(range(0, events, BLOCK)):
        count = min(BLOCK, events - first)
        yield block(first, count, workload.START + first * span, count * span, places)[::-1]


def measure(events: int, days: float, folder: Path) -> dict[str, Any]:
    """Write the file, replay it, tell what it took."""
    (folder / "bench.toml").write_text(workload.pack_toml(), encoding="utf-8")
    places = workload.locations(Places.load(), 500)
    with (folder / "month.jsonl").open("wb") as file:
        for lines in blocks(events, days, places):
            file.writelines(lines)
    command = [
        sys.executable,
        "-m",
        "overheard",
        "replay",
        str(folder / "month.jsonl"),
        "--pack",
        str(folder / "bench.toml"),
    ]
    began = time.monotonic()
    process = subprocess.Popen([*command, "--out", str(folder / "out")], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"replay ended with {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "events": events,
        "days": days,
        "cpu_seconds": cpu,
        "wall_seconds": time.monotonic() - began,
        "us_per_event": 1e6 * cpu / events,
        "peak_memory_mb": used.ru_maxrss / 1024,
        "input_mb": (folder / "month.jsonl").stat().st_size / 1e6,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--folder", type=Path, help="where the files go for the time being (5 GB for ten million)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        found = measure(arguments.events, arguments.days, Path(name))
    print(f"{found['machine']}, {found['date']}")
    print(f"  {found['events']:,} complaints of {found['days']:g} days, {found['input_mb']:,.0f} MB, newest first")
    print(
        f"  {found['cpu_seconds']:,.0f} s CPU ({found['us_per_event']:.1f} us a complaint), {found['wall_seconds']:,.0f} s by the clock"
    )
    print(f"  {found['peak_memory_mb']:,.0f} MB at most")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
