"""INSERT … ON CONFLICT for the databases we write to: the same rows written again leave the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, Connection, Dialect, Float, Select, Table, column, func, literal, select
from sqlalchemy import table as named
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SqliteInsert

Insert = PostgresInsert | SqliteInsert
Column = npt.NDArray[Any]
ROWS_A_STATEMENT = 200
ROWS_AT_ONCE = 100 * ROWS_A_STATEMENT
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"


def insert(dialect: str, table: Table) -> Insert:
    """The dialect's own insert, which knows conflicts."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    if dialect == "postgresql":
        return postgresql.insert(table)
    raise NotImplementedError(f"no store on {dialect}: SQLite and PostgreSQL are known")


def replacing(dialect: str, table: Table, query: Select[Any] | None = None) -> Insert:
    """An insert that replaces the row of the same key; of what `query` finds, where there is one."""
    statement = insert(dialect, table)
    return _resolved(statement if query is None else statement.from_select(_names(table), query), table)


def keeping(dialect: str, table: Table) -> Insert:
    """An insert that leaves the row of the same key as it is."""
    return insert(dialect, table).on_conflict_do_nothing()


def write(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the insert for all rows, if any."""
    if rows:
        connection.execute(statement, list(rows))


def write_columns(
    connection: Connection, table: Table, columns: Sequence[Column], adding: tuple[str, ...] = ()
) -> None:
    """Bring in very many rows of numbers, given as the table's columns in their order, all of one length; NaN is NULL.

    A row replaces the one of the same key; with `adding`, it adds these columns to it and leaves the others.
    """
    if not len(columns[0]):
        return
    rows = _distinct(table, columns, adding)
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows, adding)
    else:
        _many(connection, _row_by_row(connection.dialect, table, adding), rows)


def _names(table: Table) -> list[str]:
    return [one.name for one in table.columns]


def _resolved(statement: Insert, table: Table, adding: tuple[str, ...] = ()) -> Insert:
    """The insert with what happens to a row of the same key."""
    keys = [one.name for one in table.primary_key]
    new = statement.excluded
    update = {name: table.c[name] + new[name] for name in adding} or {
        one.name: new[one.name] for one in table.columns if one.name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=update)


def _distinct(table: Table, columns: Sequence[Column], adding: tuple[str, ...]) -> list[Column]:
    """Sorted by key, which is how the index takes them best, each key once: its last row, or all of them added."""
    keys = [number for number, one in enumerate(table.columns) if one.primary_key]
    order = np.lexsort([columns[number] for number in reversed(keys)])
    ordered = [one[order] for one in columns]
    new = np.zeros(len(order), bool)
    for number in keys:
        new[1:] |= ordered[number][1:] != ordered[number][:-1]
    new[0] = True
    first = np.flatnonzero(new)
    if len(first) == len(order):
        return ordered
    last = np.append(first[1:], len(order)) - 1
    return [
        np.add.reduceat(one, first) if name in adding else one[last]
        for name, one in zip(_names(table), ordered, strict=True)
    ]


@cache
def _row_by_row(dialect: Dialect, table: Table, adding: tuple[str, ...]) -> str:
    return str(_resolved(insert(dialect.name, table), table, adding).compile(dialect=dialect))


@cache
def _from_stage(table: Table, adding: tuple[str, ...]) -> Insert:
    """All that was staged, into the table."""
    nan = literal(float("nan"), Float)
    stage = named(_stage(table), *(column(one.name, one.type) for one in table.columns))
    told = [func.nullif(one, nan) if isinstance(one.type, Float) else one for one in stage.c]
    return _resolved(postgresql.insert(table).from_select(_names(table), select(*told)), table, adding)


def _stage(table: Table) -> str:
    return f"staged_{table.name}"


def _many(connection: Connection, sql: str, columns: Sequence[Column]) -> None:
    """Many rows a statement, for to run one costs as much as three rows; and not all of them as Python's numbers at once."""
    width, count = len(columns), len(columns[0])
    one_row = f"({', '.join('?' * width)})"
    many = sql.replace(one_row, ", ".join([one_row] * ROWS_A_STATEMENT), 1)
    for first in range(0, count, ROWS_AT_ONCE):
        rows = min(ROWS_AT_ONCE, count - first)
        flat: list[Any] = [None] * (rows * width)
        for number, one in enumerate(columns):
            flat[number::width] = one[first : first + rows].tolist()
        whole = rows // ROWS_A_STATEMENT * ROWS_A_STATEMENT
        if whole:
            connection.exec_driver_sql(many, _slices(flat, 0, whole * width, ROWS_A_STATEMENT * width))
        if whole < rows:
            connection.exec_driver_sql(sql, _slices(flat, whole * width, rows * width, width))


def _slices(flat: list[Any], begin: int, end: int, size: int) -> list[tuple[Any, ...]]:
    return [tuple(flat[first : first + size]) for first in range(begin, end, size)]


def _copy(connection: Connection, table: Table, columns: Sequence[Column], adding: tuple[str, ...]) -> None:
    """COPY into a table of this session's own, then one insert from there."""
    stage = _stage(table)
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    driver = connection.connection.cursor()
    with driver.copy(f"COPY {stage} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_binary(table, columns))
    driver.close()
    connection.execute(_from_stage(table, adding))
    connection.exec_driver_sql(f"TRUNCATE {stage}")


def _binary(table: Table, columns: Sequence[Column]) -> bytes:
    """The rows as COPY reads them: a count of fields, then each field's length and value, in network order."""
    names = _names(table)
    types = [
        ">f8" if isinstance(one.type, Float) else ">i8" if isinstance(one.type, BigInteger) else ">i4"
        for one in table.columns
    ]
    fields = [(part, kind) for name, type_ in zip(names, types, strict=True)
              for part, kind in ((f"{name} length", ">i4"), (name, type_))]  # fmt: skip
    rows = np.zeros(len(columns[0]), np.dtype([("fields", ">i2"), *fields]))
    rows["fields"] = len(columns)
    for name, type_, one in zip(names, types, columns, strict=True):
        rows[f"{name} length"], rows[name] = int(type_[2]), one
    return COPY_HEADER + rows.tobytes() + COPY_END
