"""Who may write: each new writer takes the next number, and one that finds a higher number has been replaced and writes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, update

from streams.runtime.store import tables
from streams.runtime.store.writer import read_meta, write_meta

KEY = "writer_lease"


class FencedError(RuntimeError):
    """Another writer has taken over the store."""


class Lease:
    """Taken when it is made; there is no giving back."""

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:
            write_meta(connection, {KEY: _newest(connection) + 1})
            self.number = _newest(connection)

    def check(self, connection: Connection) -> None:
        """To be called first in every transaction, whose end keeps the number as it is. Raises FencedError."""
        newest = _newest(connection)
        if newest != self.number:
            raise FencedError(f"this writer has number {self.number}; number {newest} has taken over the store")


def _newest(connection: Connection) -> int:
    value = tables.meta.c.value  # written, not only read: it locks in SQLite too
    connection.execute(update(tables.meta).where(tables.meta.c.key == KEY).values(value=value))
    return int(read_meta(connection).get(KEY, 0))
