"""INSERT … ON CONFLICT for the databases we write to: the same rows written again leave the same table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, islice
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


def write_columns(connection: Connection, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
    """The same for very many rows, as tuples in the order of the table's columns."""
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect)
    if not compiled.positional:
        names = [column.name for column in statement.table.columns]
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
        return
    sql = str(compiled)
    whole = len(rows) // ROWS_A_STATEMENT * ROWS_A_STATEMENT
    if whole:  # to run a statement costs as much as three rows
        one = f"({', '.join('?' * len(rows[0]))})"
        many = sql.replace(one, ", ".join([one] * ROWS_A_STATEMENT), 1)
        flat = chain.from_iterable(rows)
        size = ROWS_A_STATEMENT * len(rows[0])
        connection.exec_driver_sql(many, [tuple(islice(flat, size)) for _ in range(whole // ROWS_A_STATEMENT)])
    if whole < len(rows):
        connection.exec_driver_sql(sql, list(rows[whole:]))
