"""Both stores with five weeks of 10,000 active series in them: `python -m benchmarks.stores [--store sqlite|postgresql] [--rows N] [--json FILE]`.

Fills a SQLite file and a PostgreSQL of its own (Debian's, in a temporary folder) through the writer, an hour of event time a commit, with at least
N cells (10 million unless said otherwise): four fifths from five hundred busy series, the rest from all others. Then measures, on the clock: a
close of 10,000 cells, with and without what is summed up at its end; the matrix of the newest window and of the last hour; one series over a
month; how long an hour and a day take to be summed anew; bytes on disk.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, select, text

from streams.closed import Cells
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.roll_up import advance
from streams.runtime.store.tiers import DAY_SECONDS, TIERS
from streams.runtime.store.writer import Work, Writer, read_meta
from tests import postgres

PLACES, KEYWORDS, BUSY = 400, 25, 500
SERIES = PLACES * KEYWORDS
PER_MINUTE = 167
START = 1_700_006_400  # midnight, UTC
HOUR = 3600
MONTH = 30 * DAY_SECONDS
Rows = dict[str, float]


class Tree:
    """Places or keywords enough."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind, self.parent = kind, np.full(count, -1)

    def id(self, number: int) -> str:
        """As ours look."""
        return f"{self.kind}:{number}"

    def name(self, number: int) -> str:
        """What people call it."""
        return f"{self.kind} {number}"

    def level(self, number: int) -> str:
        """All of one level."""
        return "city"

    def coordinates(self, number: int) -> None:
        """Nowhere."""


def window(rng: np.random.Generator, start: int, series: np.ndarray[Any, Any]) -> Cells:
    """A closed window in which these series moved."""
    expected = rng.gamma(0.5, 1.0, len(series))
    people, p_value = rng.poisson(expected) + 1, rng.random(len(series))
    place, keyword = np.divmod(np.sort(series), KEYWORDS)
    return Cells(start, 60, place, keyword, people, people, expected, expected + 2, p_value, p_value < 0)


def some(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Series that move in a minute: a few busy ones most of the time."""
    busy = rng.choice(BUSY, PER_MINUTE * 4 // 5, replace=False)
    return np.concatenate((busy, BUSY + rng.choice(SERIES - BUSY, PER_MINUTE - len(busy), replace=False)))


def fill(writer: Writer, rows: int) -> int:
    """At least so many cells; returns the end of the last window, a midnight."""
    rng = np.random.default_rng(3)
    days = -(-rows // (PER_MINUTE * 1440))
    for hour in range(days * 24):
        start = START + hour * HOUR
        work = Work(cells=[window(rng, start + minute * 60, some(rng)) for minute in range(60)])
        work.meta = {"last_close": start + HOUR + 0.0, "window_seconds": 60}
        writer.commit(work)
    return START + days * DAY_SECONDS


def milliseconds(times: int, ask: Callable[[], object]) -> float:
    """The median."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def closes(writer: Writer, now: int, minutes: int) -> Rows:
    """One window of 10,000 cells after another."""
    rng, every = np.random.default_rng(4), np.arange(SERIES)
    plain, fives = [], []
    for minute in range(minutes):
        work = Work(cells=[window(rng, now + minute * 60, every)], meta={"last_close": now + (minute + 1) * 60.0})
        spent = milliseconds(1, lambda work=work: writer.commit(work))  # type: ignore[misc]
        (plain if (minute + 1) % 5 else fives).append(spent)
    return {
        "write 10,000 cells, ms": statistics.median(plain),
        "the same, five minutes summed up, ms": statistics.median(fives),
    }


def anew(engine: Engine, seconds: int, until: int) -> float:
    """Milliseconds to sum up the last `seconds` before `until` once more, in all tiers."""
    with engine.begin() as connection:
        kept = read_meta(connection)
        return milliseconds(1, lambda: advance(connection, kept, until, 35.0, until - seconds))


def size(engine: Engine) -> float:
    """Bytes on disk."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar() or 0)
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        return float(pages * (connection.exec_driver_sql("PRAGMA page_size").scalar() or 0))


def measure(engine: Engine, rows: int) -> Rows:
    """All figures of one store."""
    writer = Writer(engine, Tree("city", PLACES), Tree("keyword", KEYWORDS), lambda source: "posts", cell_days=100)  # type: ignore[arg-type]
    reader, began = Reader(engine), time.perf_counter()
    now = fill(writer, rows)
    filled = time.perf_counter() - began
    found: Rows = {}
    with engine.connect() as connection:
        for tier in TIERS:
            found[f"rows of {tier.table.name}"] = (
                connection.execute(select(func.count()).select_from(tier.table)).scalar() or 0
            )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as its own daemon does in time
    found["filled in, s"], found["bytes on disk"] = filled, size(engine)
    found["last hour, ms"] = milliseconds(9, lambda: reader.matrix(now - HOUR, now))
    found["its series"] = len(reader.matrix(now - HOUR, now))
    found["one busy series, a month, ms"] = milliseconds(
        9, lambda: reader.series("city:3", "keyword:7", now - MONTH, now)
    )
    found["the same, two days by the minute, ms"] = milliseconds(
        9, lambda: reader.series("city:3", "keyword:7", now - 2 * DAY_SECONDS, now)
    )
    found["all series, a month, ms"] = milliseconds(1, lambda: reader.matrix(now - MONTH, now))
    found["an hour summed anew, ms"] = anew(engine, HOUR, now)
    found["a day summed anew, ms"] = anew(engine, DAY_SECONDS, now)
    found |= closes(writer, now, 13)
    end = now + 13 * 60
    found["newest matrix, ms"] = milliseconds(21, lambda: reader.matrix(end - 60, end))
    found["its cells"] = len(reader.matrix(end - 60, end))
    found["an hour with 13 such windows, ms"] = milliseconds(9, lambda: reader.matrix(end - HOUR, end))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found: dict[str, Rows] = {}
    for kind in asked.store or ["sqlite", "postgresql"]:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            server = stack.enter_context(postgres.running()) if kind == "postgresql" else ""
            engine = open_store(postgres.new_database(server) if server else f"sqlite:///{folder}/store.sqlite")
            found[kind] = measure(engine, asked.rows)
            engine.dispose()
    print(f"{platform.machine()}, Python {platform.python_version()}, {datetime.now(UTC).date()}")
    print(f"| | {' | '.join(found)} |\n| --- |{' --- |' * len(found)}")
    for name in next(iter(found.values())):
        print(
            f"| {name} | {' | '.join(f'{one[name]:,.0f}' if one[name] >= 100 else f'{one[name]:,.1f}' for one in found.values())} |"
        )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
