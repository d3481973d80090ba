"""What a complaint costs beside the peers, over one real broker: `python -m benchmarks.throughput [--json FILE] [--quick]`.

Everybody reads the same complaints, looks for the same 200 phrases and counts them by place and five-minute window of event time. CPU is that
of the whole process from its first complaint to its last; runs are interleaved, medians told. Then each is killed once in mid-stream, started
again, and its counts are held against an independent recount.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import truth, workload
from benchmarks.broker import running
from benchmarks.ours_counts import from_cells, from_parts
from benchmarks.rows import ROWS, Row, RowFailedError, Run, Setting
from streams.places import Places

PARTITIONS = 4
PLACES = 500
PER_SECOND = 20  # complaints, of event time
KILL_AT = 0.4  # of the input
KILL_RUN_SECONDS = 25.0
SHARED = "by-place"
RATIOS = ("stock_table", "stock_table_tuned", "stock_agent", "quix", "bytewax")


def measure(rows: list[Row], events: int, slow: int, kill: int, repeats: int) -> dict[str, Any]:
    """All figures of the rows."""
    named = workload.locations(Places.load(), PLACES)
    values = workload.records(events, 1, named, per_second=PER_SECOND)
    with tempfile.TemporaryDirectory() as name, running() as broker:
        packs = {everything: Path(name) / f"{everything}.toml" for everything in (False, True)}
        for everything, pack in packs.items():  # each phrase counted alone, as the peers do; or as packs have them
            pack.write_text(workload.pack_toml(phrases_a_leaf=8 if everything else 1), encoding="utf-8")
        paths = {everything: str(pack) for everything, pack in packs.items()}
        setting = Setting(broker.address, PARTITIONS, list(workload.PHRASES), paths)
        told: dict[str, list[dict[str, float]]] = {row.name: [] for row in rows}
        asyncio.run(truth.create(broker.address, (SHARED, PARTITIONS)))
        asyncio.run(truth.fill(broker.address, SHARED, values, PARTITIONS, by_place=True))
        for repeat in range(repeats):
            for row in rows:
                told[row.name].append(speed(row, setting, values if row.fast else values[:slow]))
                print(f"  {repeat + 1}/{repeats} {row.name}: {told[row.name][-1]}", flush=True)
        wrong = {row.name: killed(row, setting, values[:kill]) for row in rows if row.counts}
    figures = {row.name: _figures(row, told[row.name], wrong.get(row.name)) for row in rows}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "repeats": repeats,
        "rows": list(figures.values()),
        "ratios": _ratios(figures, "ours_same_work"),
        "ratios_everything_on": _ratios(figures, "ours_everything_on"),
    }


def speed(row: Row, setting: Setting, values: Sequence[bytes]) -> dict[str, float]:
    """The figures of one undisturbed run over a full topic."""
    with tempfile.TemporaryDirectory(prefix="overheard-bench-") as name:
        run = Run(row, setting, Path(name), len(values), SHARED if row.by_place else None)
        asyncio.run(truth.create(setting.address, (run.out, 1)))
        if not row.by_place:
            asyncio.run(truth.create(setting.address, (run.topic, PARTITIONS)))
            asyncio.run(truth.fill(setting.address, run.topic, values, PARTITIONS, by_place=False))
        run.start()
        try:
            return run.result()
        finally:
            run.end()


def killed(row: Row, setting: Setting, values: Sequence[bytes]) -> dict[str, Any]:
    """What is wrong in its counts after one kill -9, while complaints come in at a steady pace."""
    with tempfile.TemporaryDirectory(prefix="overheard-bench-") as name:
        run = Run(row, setting, Path(name), None)
        asyncio.run(truth.create(setting.address, (run.out, 1), (run.topic, PARTITIONS)))
        pace = len(values) / KILL_RUN_SECONDS
        feed = truth.fill(setting.address, run.topic, values, PARTITIONS, by_place=row.by_place, per_second=pace)
        feeding = threading.Thread(target=asyncio.run, args=(feed,))
        run.start()
        try:
            feeding.start()
            before = run.kill_at(int(KILL_AT * len(values)))
            run.start()
            feeding.join()
            after = run.settle()
        finally:
            feeding.join()
            run.end()
        over, lost, of = wrong(row, setting, run, values)
        told = {"over": over, "lost": lost, "of": of, "taken_before_kill": before, "taken_after": after}
        print(f"  killed {row.name}: {told}", flush=True)
        return told


def wrong(row: Row, setting: Setting, run: Run, values: Sequence[bytes]) -> tuple[int, int, int]:
    """How much a finished run counted too often and too little, of how much."""
    right = truth.truth(values, setting.phrases)
    if row.counts == "parts":
        counts, right = from_parts(setting, run, values)
    elif row.counts == "cells":
        counts, right = from_cells(setting, run)
    elif row.counts == "changelog":
        counts = truth.from_changelog(asyncio.run(truth.records(setting.address, f"{run.group}-counts-changelog")))
    else:
        counts = truth.from_rows(asyncio.run(truth.records(setting.address, run.out)))
    return *truth.difference(counts, right), sum(right.values())


def _figures(row: Row, runs: list[dict[str, float]], wrong: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "row": row.name,
        "events": int(runs[0]["events"]),
        "events_per_second": round(statistics.median(one["events"] / one["seconds"] for one in runs)),
        "cpu_us_per_event": round(statistics.median(1e6 * one["cpu_seconds"] / one["events"] for one in runs), 2),
        "peak_memory_mb": round(max(one["peak_memory_mb"] for one in runs)),
        "after_a_kill": wrong,
    }


def _ratios(figures: dict[str, dict[str, Any]], ours: str) -> dict[str, float]:
    """CPU per event of the peers in ours; of ours in the limit."""
    if ours not in figures:
        return {}
    own = figures[ours]["cpu_us_per_event"]
    ratios = {name: round(figures[name]["cpu_us_per_event"] / own, 2) for name in RATIOS if name in figures}
    if "limit" in figures:
        ratios["limit"] = round(own / figures["limit"]["cpu_us_per_event"], 2)
    return ratios


def show(found: dict[str, Any]) -> None:
    """The table."""
    print(f"{found['machine']}, {found['date']}, median of {found['repeats']}")
    print(f"{'':20}{'events/s':>10}{'CPU us':>9}{'peak MB':>9}   wrong after one kill -9")
    for row in found["rows"]:
        wrong = row["after_a_kill"]
        told = f"{wrong['over']:,} over, {wrong['lost']:,} lost of {wrong['of']:,}" if wrong else "-"
        print(
            f"{row['row']:20}{row['events_per_second']:>10,}{row['cpu_us_per_event']:>9.1f}{row['peak_memory_mb']:>9}   {told}"
        )
    for name in ("ratios", "ratios_everything_on"):
        print(f"{name}: {found[name]}")


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the input, once: for development")
    parser.add_argument("--rows", help="only these, with commas between")
    arguments = parser.parse_args()
    rows = [row for row in ROWS if not arguments.rows or row.name in arguments.rows.split(",")]
    sizes = (40_000, 8_000, 8_000, 1) if arguments.quick else (400_000, 40_000, 40_000, 3)
    try:
        found = measure(rows, *sizes)
    except RowFailedError as error:
        raise SystemExit(f"benchmark failed: {error}") from None
    show(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
