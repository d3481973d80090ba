"""Connections to PostgreSQL that do not wait for ever: a server, or what lies before it, may take a question and never answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout
from sqlalchemy import Connection, Engine, event

CONNECT = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
}  # seconds; milliseconds until an unacknowledged byte counts as lost
SILENT_SECONDS = 20.0  # for one answer
SESSION = "SET idle_in_transaction_session_timeout = 30000; SET lock_timeout = 15000"  # so that what was cut off holds nothing for long


class Answering(psycopg.Connection[Any]):
    """Gives up a question that is not answered in time; the connection is not used again."""

    unhurried = False  # it waits as long as it takes

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, within the time. Raises OperationalError."""
        if timeout is None and not self.unhurried:
            timeout = SILENT_SECONDS
        try:
            return super().wait(gen, interval, timeout)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {timeout:g} s") from None


def answering(engine: Engine) -> None:
    """Let an engine on PostgreSQL make such connections."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _prepare)


@contextmanager
def unhurried(engine: Engine) -> Iterator[Connection]:
    """A transaction whose answers may take as long as they need: tables are changed."""
    with engine.begin() as connection:
        found = connection.connection.dbapi_connection
        if not isinstance(found, Answering):
            yield connection
            return
        found.unhurried = True
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        try:
            yield connection
        finally:
            found.unhurried = False


def _connect(dialect: object, record: object, args: tuple[Any, ...], given: dict[str, Any]) -> Answering:
    return Answering.connect(*args, **given)


def _prepare(connection: Answering, record: object) -> None:
    connection.execute(SESSION)
    connection.commit()
