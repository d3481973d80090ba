"""Brings outputs to the store; what it refuses is held and tried again, and people are told of pages without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.model import Incident
from streams.runtime.exporter import Totals
from streams.runtime.store.lease import Lease
from streams.runtime.store.reader import Health
from streams.runtime.store.snapshots import Snapshot
from streams.runtime.store.writer import Work, Writer, WrittenError, read_meta

log = structlog.get_logger(__name__)
RETRY_SECONDS = 1.0
PAGE_SECONDS = 10.0  # without the store


class Commits:
    """`applied`: outputs up to this entry are in the store. `page` is called with the incidents of what is refused for long."""

    def __init__(self, writer: Writer, health: Health, lease: Lease | None) -> None:
        self.writer, self.health, self._lease = writer, health, lease
        self.totals = Totals()
        with writer.engine.connect() as connection:
            self.applied = int(read_meta(connection).get("applied", -1))
        self.page: Callable[[Sequence[Incident]], object] = lambda incidents: None
        self.held: tuple[Work, Snapshot | None] | None = None
        self._refused_since = self._tried_at = 0.0

    def write(self, work: Work, made: Snapshot | None) -> bool:
        """Whether it is written. Raises FencedError."""
        began = time.monotonic()
        try:
            self.writer.commit(work, made, partial(self._check, work))
        except WrittenError:
            log.info("written before", applied=work.applied)
        except SQLAlchemyError as error:
            self._tell_trouble(error)
            self._refused_since = self._refused_since if self.held else began
            self.held, self._tried_at = (work, made), time.monotonic()
            return False
        if self.health.store:
            log.info("the store takes writes again")
            self.health.store = None
            self.health.disk_full = False
        self.totals.add_work(work)
        self.applied, self.held = work.applied, None
        return True

    @property
    def due(self) -> bool:
        """Whether to try again what is held."""
        return time.monotonic() - self._tried_at >= RETRY_SECONDS

    @property
    def refused_seconds(self) -> float:
        """For how long the store has refused what is held; 0 while it takes everything."""
        return 0.0 if self.held is None else time.monotonic() - self._refused_since

    def page_without(self, later: Sequence[Incident]) -> None:
        """Tell pages among what is held, and what came `later`, once the store has refused for long."""
        if self.held is not None and self.refused_seconds >= PAGE_SECONDS:
            self.page([*self.held[0].incidents, *later])

    def _check(self, work: Work, connection: Connection) -> None:
        """Raises FencedError, WrittenError."""
        if self._lease is not None:
            self._lease.check(connection)
        if self.held and work.applied > self.applied and read_meta(connection).get("applied") == work.applied:
            raise WrittenError

    def _tell_trouble(self, error: SQLAlchemyError) -> None:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        if self.health.store is None:
            log.error("the store refuses writes", reason=reason)
        self.health.disk_full = self.health.disk_full or "full" in reason
        self.health.store = f"The store cannot be written ({reason}): what comes in waits."
