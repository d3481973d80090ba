"""The state all viewers share: read from the store once a change, by one task, however many look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any, TypeVar

from alerting.model import Control, Incident, KeywordTree, shared_keyword
from dashboards.acts import Acts, overlaid
from dashboards.catalogue import Catalogue
from dashboards.words import local, zone_of
from streams.runtime.store.reader import Cell, Reader, SourceStatus, Status

log = logging.getLogger(__name__)
HOUR = 3600.0
SPARK_SECONDS = 3 * 3600
SPARKS = 12  # rows that get a small curve; beyond that nobody compares shapes
T = TypeVar("T")


@dataclass(frozen=True)
class Board:
    """Everything the first page shows, as of `now`."""

    version: int
    now: float
    status: Status
    sources: tuple[SourceStatus, ...]
    open: tuple[Incident, ...]
    resolved: tuple[Incident, ...]
    cells: tuple[Cell, ...]  # the last hour, per place and keyword
    sparks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # (window start, people) by incident
    trouble: str | None = None  # why this may be out of date
    past: bool = False  # as it looked at `now`, not as it looks

    @property
    def until(self) -> float:
        """The end of what is counted in it."""
        return self.now if not self.past or self.status.last_close is None else self.status.last_close


def midnight(at: float, zone: str) -> float:
    """When the day of `at` began there."""
    return datetime.combine(local(at, zone).date(), time(), zone_of(zone)).timestamp()


def spark(reader: Reader, incident: Incident, now: float, until: float) -> list[tuple[int, int]]:
    """(window start, people) of the hours before `now`, as far as windows had closed."""
    cells = reader.series(incident.scope.place, shared_keyword(incident.keywords), now - SPARK_SECONDS, until)
    return [(cell.start, cell.voices) for cell in cells]


class Live:
    """Polls the store's status, rebuilds the board when something moved, and tells the pages."""

    def __init__(self, reader: Reader, acts: Acts, now: Callable[[], float], zone: str, poll_seconds: float) -> None:
        self.reader = reader
        self.acts = acts
        self.now = now
        self._zone = zone
        self._poll_seconds = poll_seconds
        self.board: Board | None = None
        self.catalogue: Catalogue | None = None  # the names on the pages
        self._seen: Hashable = None
        self._shared: dict[Hashable, asyncio.Future[Any]] = {}
        self._listeners: list[Callable[[], Any]] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poked = asyncio.Event()
        self._reading = asyncio.Lock()

    def listen(self, listener: Callable[[], Any]) -> Callable[[], None]:
        """Have `listener` called after every rebuild; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="live board")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hear(self, keywords: KeywordTree) -> None:
        """Look now, by these keywords, for a changed pack may bring others."""
        if self.catalogue is not None:
            self.catalogue.hear(keywords)
        self.poke()

    def poke(self) -> None:
        """Look now, not at the next poll: a window closed or someone acted. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._poked.set)

    async def _run(self) -> None:
        while True:
            self._poked.clear()
            await self.refresh()
            try:
                await asyncio.wait_for(self._poked.wait(), self._poll_seconds)
            except TimeoutError:
                continue

    async def refresh(self) -> Board:
        """Rebuild if a window closed, someone acted, the state turned, or a minute went by; returns the board."""
        async with self._reading:
            return await self._refresh()

    async def _refresh(self) -> Board:
        now = self.now()
        try:
            status = await asyncio.to_thread(self.reader.status, now)
            seen = (status.last_close, status.red, status.disk_full, self.acts.version, int(now // 60))
            if self.board is None or seen != self._seen or self.board.trouble:
                board = await asyncio.to_thread(self._read, now, status)
                self._seen = seen
                self._publish(board)
        except Exception as error:  # the page must stay up and say so, whatever the store does
            log.warning("the store cannot be read", exc_info=True)
            trouble = f"The store cannot be read ({type(error).__name__}). What you see is as of the last success."
            if self.board is None or self.board.trouble is None:
                self._publish(self._troubled(now, trouble))
        assert self.board is not None
        return self.board

    def _troubled(self, now: float, trouble: str) -> Board:
        if self.board is not None:
            return replace(self.board, version=self.board.version + 1, trouble=trouble)
        return Board(1, now, Status(), (), (), (), (), trouble=trouble)

    def _read(self, now: float, status: Status) -> Board:
        """One consistent look at the store; runs in a thread."""
        controls = self.controls(since=now - 7 * 86400)
        begin = midnight(now, self._zone)
        open_ = self.reader.incidents(states=["signal", "suspected", "confirmed"])
        resolved = self.reader.incidents(states=["resolved"], since=begin)
        ended = [i for i in resolved if (i.resolved_at or 0) >= begin]
        watched = [i for i in open_ if i.state != "signal"][:SPARKS]
        return Board(
            version=(self.board.version if self.board else 0) + 1,
            now=now,
            status=status,
            sources=tuple(self.reader.sources(now)),
            open=tuple(overlaid(i, controls) for i in open_),
            resolved=tuple(overlaid(i, controls) for i in ended),
            cells=tuple(self.reader.matrix(now - HOUR, now)),
            sparks={i.id: spark(self.reader, i, now, now) for i in watched},
        )

    def controls(self, incident: str | None = None, since: float | None = None) -> list[Control]:
        """Stored and just recorded acts, oldest first."""
        return [
            c
            for c in self.acts.with_recent(self.reader.controls(incident, since))
            if incident is None or c.incident == incident
        ]

    def _publish(self, board: Board) -> None:
        self.board = board
        self._shared.clear()
        for listener in list(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a page could not be refreshed")

    async def shared(self, key: Hashable, load: Callable[[], T]) -> T:
        """`load()` in a thread, once for all viewers of `key` until the next rebuild."""
        found = self._shared.get(key)
        if found is None:
            found = asyncio.ensure_future(asyncio.to_thread(load))
            self._shared[key] = found
        result: T = await asyncio.shield(found)
        return result
