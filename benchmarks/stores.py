"""Both stores with five weeks of 10,000 active series in them: `python -m benchmarks.stores [--store sqlite|postgresql] [--rows N] [--json FILE]`.

Fills a SQLite file and a PostgreSQL of its own (Debian's, in a temporary folder) through the writer, an hour of event time a commit, with at least
N cells (10 million unless said otherwise): four fifths from five hundred busy series, the rest from all others. Then measures a close of 10,000
cells, with and without what is summed up at its end; the matrix of the newest window and of the last hour; one series over a month; how long an
hour and a day take to be summed anew; bytes on disk. Milliseconds of CPU, ours and the server's together, the median; on the clock in brackets,
the least.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, create_engine, func, select, text

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
ALL_DAYS = 36_500.0
MINUTES = 13
ONE = "city:3", "keyword:7"


class Cost(NamedTuple):
    """Milliseconds."""

    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{_short(self.cpu)} ({_short(self.clock)})"


Figures = dict[str, float | Cost]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


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


class Meter:
    """CPU of this process, and of the server's that answers it."""

    def __init__(self, engine: Engine) -> None:
        self._stat: Path | None = None
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                self._stat = Path(f"/proc/{connection.exec_driver_sql('SELECT pg_backend_pid()').scalar()}/stat")

    def seconds(self) -> float:
        """So far."""
        if self._stat is None:
            return time.process_time()
        fields = self._stat.read_text().rsplit(")", 1)[1].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __call__(self, ask: Callable[[], object], times: int = 1, each: int = 1) -> Cost:
        """What it costs: the median of so many times, in each of which it is asked so often (the server's CPU is told in steps of 10 ms)."""
        spent, clock = [], []
        for _ in range(times):
            before, began = self.seconds(), time.perf_counter()
            for _ in range(each):
                ask()
            spent.append((self.seconds() - before) * 1000 / each)
            clock.append((time.perf_counter() - began) * 1000 / each)
        return Cost(statistics.median(spent), min(clock))


def closes(meter: Meter, writer: Writer, now: int, minutes: int) -> dict[str, Cost]:
    """One window of 10,000 cells after another."""
    rng, every = np.random.default_rng(4), np.arange(SERIES)
    plain, fives = [], []
    for minute in range(minutes):
        work = Work(cells=[window(rng, now + minute * 60, every)], meta={"last_close": now + (minute + 1) * 60.0})
        (plain if (minute + 1) % 5 else fives).append(meter(partial(writer.commit, work)))
    return {
        "write 10,000 cells": Cost(statistics.median(one.cpu for one in plain), min(one.clock for one in plain)),
        "the same, five minutes summed up": Cost(
            statistics.median(one.cpu for one in fives), min(one.clock for one in fives)
        ),
    }


def anew(engine: Engine, seconds: int, until: int) -> None:
    """Sum up the last `seconds` before `until` once more, in all tiers."""
    with engine.begin() as connection:
        advance(connection, read_meta(connection), until, ALL_DAYS, until - seconds)


def size(engine: Engine) -> float:
    """Bytes on disk."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar() or 0)
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        return float(pages * (connection.exec_driver_sql("PRAGMA page_size").scalar() or 0))


def measure(engine: Engine, rows: int) -> Figures:
    """All figures of one store."""
    writer = Writer(engine, Tree("city", PLACES), Tree("keyword", KEYWORDS), lambda source: "posts", cell_days=ALL_DAYS)  # type: ignore[arg-type]
    reader, began = Reader(engine), time.perf_counter()
    now = fill(writer, rows)
    filled = time.perf_counter() - began
    found: Figures = {}
    with engine.connect() as connection:
        for tier in TIERS:
            count = connection.execute(select(func.count()).select_from(tier.table)).scalar() or 0
            found[f"rows of {tier.table.name}"] = float(count)
    if engine.dialect.name == "postgresql":
        plain = create_engine(engine.url, isolation_level="AUTOCOMMIT")  # waits for an answer as long as it takes
        with plain.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as its own daemon does in time
        plain.dispose()
    found["filled in, s"], found["MB on disk"] = filled, size(engine) / 1e6
    meter, end = Meter(engine), now + MINUTES * 60
    found |= {
        "one busy series, a month by the hour": meter(lambda: reader.series(*ONE, now - MONTH, now), 9, 5),
        "the same, two days by the minute": meter(lambda: reader.series(*ONE, now - 2 * DAY_SECONDS, now), 9, 5),
        f"last hour, {len(reader.matrix(now - HOUR, now)):,} series": meter(
            lambda: reader.matrix(now - HOUR, now), 9, 5
        ),
        f"a month, {len(reader.matrix(now - MONTH, now)):,} series": meter(lambda: reader.matrix(now - MONTH, now)),
        "an hour summed anew": meter(lambda: anew(engine, HOUR, now), 3),
        "a day summed anew": meter(lambda: anew(engine, DAY_SECONDS, now)),
        **closes(meter, writer, now, MINUTES),
        "newest matrix, 10,000 cells": meter(lambda: reader.matrix(end - 60, end), 9, 5),
        f"an hour with {MINUTES} such windows": meter(lambda: reader.matrix(end - HOUR, end), 5),
    }
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found: dict[str, Figures] = {}
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
        cells = [one[name] for one in found.values()]
        print(f"| {name} | {' | '.join(str(one) if isinstance(one, Cost) else _short(one) for one in cells)} |")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
