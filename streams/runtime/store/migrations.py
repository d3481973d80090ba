"""Brings a store to the tables of this version, one numbered step after another, each in a transaction of its own."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import OperationalError

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import make_url

from streams.runtime.store import graph, tables
from streams.runtime.store.answering import CONNECT, answering, unhurried
from streams.runtime.store.audit import chain_anew
from streams.runtime.store.partitions import make_partitions
from streams.runtime.store.roll_up import advance
from streams.runtime.store.tiers import CELLS, DAY_SECONDS, HOURS, TIERS, Tier
from streams.runtime.store.upsert import replacing, write
from streams.runtime.store.views import drop_views, make_views

log = structlog.get_logger(__name__)
LOCK = 7_246_837  # PostgreSQL's, while tables change
ALL_DAYS = 36_500.0  # nothing goes while tables change
BUSY_SECONDS = 5.0


class StoreError(RuntimeError):
    """The store cannot be used; the message says why."""


def _create(connection: Connection) -> None:
    tables.metadata.create_all(connection)


def _late_rows_and_blind_places(connection: Connection) -> None:
    """A store made by the step before this one existed lacks them; a new one has them already."""
    tables.late_rows.create(connection, checkfirst=True)
    if "blind_places" not in {column["name"] for column in inspect(connection).get_columns("sources")}:
        connection.execute(text("ALTER TABLE sources ADD COLUMN blind_places TEXT"))


def _names_for_people(connection: Connection) -> None:
    """Rows of before are named when their place or keyword is next written."""
    known = {column["name"] for column in inspect(connection).get_columns("place_names")}
    if "name" in known:
        return
    for table, column, kind in (
        ("place_names", "name", "VARCHAR(256)"),
        ("place_names", "within", "TEXT"),
        ("place_names", "lat", "FLOAT"),
        ("place_names", "lon", "FLOAT"),
        ("keyword_names", "name", "VARCHAR(256)"),
    ):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {column} {kind}"))


def _audit_log(connection: Connection) -> None:
    """Controls of before are numbered and chained in the order of their times."""
    known = {column["name"] for column in inspect(connection).get_columns("controls")}
    if "chain" in known:
        return
    connection.execute(text("ALTER TABLE controls ADD COLUMN number INTEGER"))
    connection.execute(text("ALTER TABLE controls ADD COLUMN chain VARCHAR(64)"))
    chain_anew(connection)
    connection.execute(text("CREATE UNIQUE INDEX controls_number ON controls (number)"))


def _outbox_of_many_channels(connection: Connection) -> None:
    """Before, the log was the only channel; what it was told is not worth keeping."""
    if "dedup_key" in {column["name"] for column in inspect(connection).get_columns("outbox")}:
        connection.execute(text("DROP TABLE outbox"))
        tables.outbox.create(connection)


def _blind_spells(connection: Connection) -> None:
    """Spells of before were not kept; one that goes on is noted when its source is next written."""
    tables.blind_spells.create(connection, checkfirst=True)


def _tiers_of_cells(connection: Connection) -> None:
    """Before, cells were summed to hours only, and stood in one piece on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        for tier in (TIERS[CELLS], TIERS[HOURS]):
            _divide(connection, tier)
    tables.fives.create(connection, checkfirst=True)
    tables.days.create(connection, checkfirst=True)
    meta = tables.meta
    connection.execute(meta.update().where(meta.c.key == "rolled_until").values(key=TIERS[HOURS].until))
    kept = {key: json.loads(value) for key, value in connection.execute(select(meta.c.key, meta.c.value))}
    if "first_close" in kept and "last_close" in kept:
        changed = advance(connection, kept, kept["last_close"], ALL_DAYS)
        write(
            connection,
            replacing(connection.dialect.name, meta),
            [{"key": key, "value": json.dumps(value)} for key, value in changed.items()],
        )


def _cuts(connection: Connection) -> None:
    """By what windows of before were judged is not known."""
    tables.cuts.create(connection, checkfirst=True)


def _divide(connection: Connection, tier: Tier) -> None:
    """Move a table's rows into one of partitions."""
    name = tier.table.name
    kind = connection.execute(
        text("SELECT relkind FROM pg_class WHERE oid = CAST(:name AS regclass)"), {"name": name}
    ).scalar()
    if kind == "p":
        return
    log.info("dividing a table by time: once, and for long where it is large", table=name)
    for index in tier.table.indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
    connection.exec_driver_sql(f"ALTER INDEX {name}_pkey RENAME TO {name}_whole_pkey")
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {name}_whole")
    tier.table.create(connection)
    days = connection.exec_driver_sql(f"SELECT DISTINCT start / {DAY_SECONDS} * {DAY_SECONDS} FROM {name}_whole")
    make_partitions(connection, tier, days.scalars().all())
    columns = ", ".join(one.name for one in tier.table.columns)
    connection.exec_driver_sql(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name}_whole")
    connection.exec_driver_sql(f"DROP TABLE {name}_whole")


STEPS: tuple[Callable[[Connection], None], ...] = (
    _create,
    _late_rows_and_blind_places,
    _names_for_people,
    _audit_log,
    _outbox_of_many_channels,
    _blind_spells,
    graph.create,
    _tiers_of_cells,
    _cuts,
)


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine on the store at `url`, created or migrated where needed. Raises StoreError when it is of a newer version."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": busy_seconds} if sqlite else CONNECT)
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        answering(engine)
    migrate(engine)
    return engine


def migrate(engine: Engine) -> int:
    """Apply the steps that are missing; returns the version reached."""
    with _alone(engine) as connection:
        tables.versions.create(connection, checkfirst=True)
        found = _version(connection)
    if found > len(STEPS):
        raise StoreError(
            f"the store has version {found}, this program knows {len(STEPS)}: it was written by a newer one"
        )
    viewed = engine.dialect.name == "postgresql"
    if viewed and 0 < found < len(STEPS):
        with _alone(engine) as connection:
            drop_views(connection)
    for version in range(found + 1, len(STEPS) + 1):
        with _alone(engine) as connection:
            if _version(connection) >= version:
                continue
            STEPS[version - 1](connection)
            connection.execute(tables.versions.insert().values(version=version, applied_at=time.time()))
    if viewed:
        with _alone(engine) as connection:
            make_views(connection)
    return len(STEPS)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes tables: of several programs that start on PostgreSQL, one after the other."""
    with unhurried(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield connection


def _version(connection: Connection) -> int:
    return int(connection.execute(select(func.max(tables.versions.c.version))).scalar() or 0)


def is_store(engine: Engine) -> bool:
    """Whether the database holds our tables."""
    return inspect(engine).has_table(tables.versions.name)


def _prepare_sqlite(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA cache_size=-32000")
    cursor.execute(
        "PRAGMA wal_autocheckpoint=4000"
    )  # pages: what a large window writes comes to the file once, not at each commit
    try:
        cursor.execute("SELECT sqrt(1)")
    except OperationalError:  # not every build of SQLite has it
        connection.create_function("sqrt", 1, lambda value: value if value is None else math.sqrt(value))  # type: ignore[attr-defined]
    cursor.close()
