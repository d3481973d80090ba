"""By what each window was judged: why-not asks for it, however long ago that was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, Engine, select

from streams.runtime.store import tables
from streams.runtime.store.upsert import replacing, write

if TYPE_CHECKING:
    from streams.closed import Cells


class Cut(NamedTuple):
    """`cut`: the p-value that incidents were opened at; `learning`: nothing was more than a signal."""

    cut: float
    learning: bool


def write_cuts(connection: Connection, cells: Iterable[Cells]) -> None:
    """One row for each window that was judged."""
    rows = {
        one.start: {"start": one.start, "cut": one.cut, "learning": one.learning}
        for one in cells
        if one.cut is not None
    }
    write(connection, replacing(connection.dialect.name, tables.cuts), list(rows.values()))


def forget_cuts(connection: Connection, before: float) -> None:
    """Let go of what windows from before were judged by."""
    connection.execute(tables.cuts.delete().where(tables.cuts.c.start < before))


def cut_of(engine: Engine, start: int) -> Cut | None:
    """Of the window from `start`."""
    table = tables.cuts
    with engine.connect() as connection:
        row = connection.execute(select(table.c.cut, table.c.learning).where(table.c.start == start)).first()
    return None if row is None else Cut(*row)
