"""INSERT … ON CONFLICT for the databases we write to: the same rows written again leave the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SqliteInsert

Insert = PostgresInsert | SqliteInsert
ROWS_A_STATEMENT = 200


def insert(connection: Connection, table: Table) -> Insert:
    """The dialect's own insert, which knows conflicts."""
    name = connection.dialect.name
    if name == "sqlite":
        return sqlite.insert(table)
    if name == "postgresql":
        return postgresql.insert(table)
    raise NotImplementedError(f"no store on {name}: SQLite and PostgreSQL are known")


def replacing(connection: Connection, table: Table) -> Insert:
    """An insert that replaces the row of the same key."""
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    update = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=update)


def keeping(connection: Connection, table: Table) -> Insert:
    """An insert that leaves the row of the same key as it is."""
    return insert(connection, table).on_conflict_do_nothing()


def write(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the insert for all rows, if any."""
    if rows:
        connection.execute(statement, list(rows))


def write_columns(connection: Connection, statement: Insert, columns: Sequence[Sequence[Any]]) -> None:
    """The same for very many rows, given as the table's columns in their order, all of one length."""
    count = len(columns[0])
    if not count:
        return
    compiled = statement.compile(dialect=connection.dialect)
    if not compiled.positional:
        names = [column.name for column in statement.table.columns]
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
        return
    sql, width = str(compiled), len(columns)
    flat: list[Any] = [None] * (count * width)
    for number, column in enumerate(columns):
        flat[number::width] = column
    whole = count // ROWS_A_STATEMENT * ROWS_A_STATEMENT
    if whole:  # to run a statement costs as much as three rows
        one = f"({', '.join('?' * width)})"
        many = sql.replace(one, ", ".join([one] * ROWS_A_STATEMENT), 1)
        connection.exec_driver_sql(many, _slices(flat, 0, whole * width, ROWS_A_STATEMENT * width))
    if whole < count:
        connection.exec_driver_sql(sql, _slices(flat, whole * width, count * width, width))


def _slices(flat: list[Any], begin: int, end: int, size: int) -> list[tuple[Any, ...]]:
    return [tuple(flat[first : first + size]) for first in range(begin, end, size)]
