"""The desk of DELIVER: what its topics bring, put together and written to the store in one transaction with their offsets."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from alerting.notify.heartbeat import Heartbeat
from alerting.vital import Life, Vital
from streams.closed import Cells, Revision
from streams.last_hour import LastHour
from streams.places import Places
from streams.runtime.deliver import sending
from streams.runtime.exporter import Totals
from streams.runtime.kafka import wire
from streams.runtime.kafka.parts import source_count
from streams.runtime.kafka.records import CellsRecord, LateRecord, StepRecord
from streams.runtime.store.lease import FencedError, Lease
from streams.runtime.store.network import Keeper
from streams.runtime.store.reader import Health
from streams.runtime.store.writer import Work, Writer, WrittenError, read_meta, source_of
from streams.window import MAX_KEYWORDS

if TYPE_CHECKING:
    from streams.runtime.notify_settings import NotifySettings

log = structlog.get_logger(__name__)
COMMIT_SECONDS = 0.5
MOST_ROWS = 50_000
PAGE_SECONDS = 10.0  # without the store
FENCED_SECONDS = 30.0
OFFSETS, POSITION = "kafka_offsets", "kafka_position"


class Vocabulary:
    """The keywords met so far, of whatever pack, numbered as they come; what the writer asks of a keyword tree."""

    def __init__(self) -> None:
        self.parent = np.full(MAX_KEYWORDS, -1, np.int64)
        self._ids: list[str] = []
        self._numbers: dict[str, int] = {}

    def id(self, keyword: int) -> str:
        """The id of a number."""
        return self._ids[keyword]

    def name(self, keyword: int) -> str:
        """The last word of its id, as people write it."""
        return self._ids[keyword].rpartition("/")[2].replace("-", " ")

    def index(self, id: str) -> int:
        """The number of an id."""
        found = self._numbers.get(id)
        if found is None:
            found = self._numbers[id] = len(self._ids)
            self._ids.append(id)
        return found


class Desk:
    """The one writer of the store: what all topics of DELIVER bring goes into one transaction, with their offsets."""

    def __init__(
        self,
        places: Places,
        words: Vocabulary,
        store: Engine,
        writer: Writer,
        health: Health,
        totals: Totals,
        notify: NotifySettings,
        window_seconds: int,
    ) -> None:
        """Takes the lease. Raises SQLAlchemyError."""
        self.places, self.words = places, words
        self.store, self.writer, self.health, self.totals = store, writer, health, totals
        self.lease = Lease(store)
        self.sending = sending(writer, self.lease, notify)
        self.hour = LastHour()
        self._begun = False
        self._network = Keeper(store, self.lease)
        self._heartbeat = Heartbeat(notify.heartbeat, self._alive) if notify.heartbeat is not None else None
        self._beside: list[asyncio.Task[None]] = []
        with store.connect() as connection:
            meta = read_meta(connection)
        self.offsets: dict[str, int] = meta.get(OFFSETS, {})  # as of `work`
        self.durable = dict(self.offsets)
        self.position: int = meta.get(POSITION, -1)  # of `parts`: what it gave is in `work` or written
        self.work = Work()
        self.closed: Callable[[], object] = lambda: None
        self._step: list[CellsRecord | LateRecord] = []  # of the position after, as far as it has come
        self._written_at = time.monotonic()
        self._closed_until = float(meta.get("last_close", 0.0))
        self._life = Life(float(window_seconds))
        self.fenced: FencedError | None = None  # another has taken over
        self._fenced_at = 0.0
        self._lock = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Send what waits, from now on."""
        if not self._begun:
            self._begun = True
            self.sending.start()
            loop = asyncio.get_running_loop()
            self._beside = [loop.create_task(self._network.run())]
            if self._heartbeat is not None:
                self._beside.append(loop.create_task(self._heartbeat.run()))

    def _alive(self) -> str | None:
        sending, broken = self.sending, self.health.red
        vital = Vital(self.position, 0, self._closed_until, sending.oldest_seconds(), sending.unheard, broken)
        return self._life.look(time.time(), vital)

    def leave(self) -> None:
        """Another sends from now on; what is on its way may arrive."""
        for task in self._beside:
            task.cancel()
        if self._begun:
            self._ending = asyncio.get_running_loop().create_task(self.sending.stop())

    async def keep_pace(self, *, patiently: bool) -> None:
        """Let what waits be written meanwhile, when it is time; `patiently`: wait for that where too much is gathered. Raises FencedError."""
        if self._writing is not None and self._writing.done():
            done, self._writing = self._writing, None
            done.result()
        if self._writing is None and self.due:
            self._writing = asyncio.create_task(self.write())
        if patiently and self._writing is not None and self.work.rows > MOST_ROWS:
            await asyncio.shield(self._writing)

    async def write(self) -> None:
        """Commit what waits. While the store refuses, what comes in is gathered.

        A worker that was paused may find that another writes now: it waits to be told by its group. Raises FencedError when it is not.
        """
        if self.fenced is not None:
            if time.monotonic() - self._fenced_at > FENCED_SECONDS:
                raise self.fenced
            return
        async with self._lock:
            if self.offsets == self.durable:
                return
            work, self.work = self.work, Work()
            offsets = dict(self.offsets)
            work.meta |= {OFFSETS: offsets, POSITION: self.position}
            try:
                await self._commit(work, offsets)
            except FencedError as error:
                log.warning("another worker writes to the store now", reason=str(error))
                self.fenced, self._fenced_at = error, time.monotonic()
                return
            self.durable = offsets
            self._written_at = time.monotonic()
            self.totals.add_work(work)
            self.closed()
        self.sending.wake()

    async def _commit(self, work: Work, offsets: dict[str, int]) -> None:
        """Until the store has it."""

        def check(connection: Connection) -> None:
            self.lease.check(connection)
            if read_meta(connection).get(OFFSETS) == offsets:
                raise WrittenError  # the last try went through, and only its answer was lost

        began = time.monotonic()
        while True:
            writing = asyncio.create_task(asyncio.to_thread(self.writer.commit, work, None, check))
            while not (await asyncio.wait({writing}, timeout=COMMIT_SECONDS))[0]:
                self._page_without(work, began, "no answer yet")
            try:
                writing.result()
                break
            except WrittenError:
                break
            except SQLAlchemyError as error:
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                self._say(reason)
            self._page_without(work, began, reason)
            await asyncio.sleep(COMMIT_SECONDS)
        if self.health.store:
            log.info("the store takes writes again")
            self.health.store = None

    def _page_without(self, work: Work, began: float, reason: str) -> None:
        """Tell pages, once the store has not had for long what they stand in."""
        if time.monotonic() - began >= PAGE_SECONDS:
            self._say(reason)
            self.sending.straight([*work.incidents, *self.work.incidents])

    @property
    def commit_age(self) -> float:
        """Seconds since the store took something; 0 while nothing waits for it."""
        return 0.0 if self.offsets == self.durable else time.monotonic() - self._written_at

    @property
    def due(self) -> bool:
        """Whether to write now."""
        return self.work.rows > MOST_ROWS or time.monotonic() - self._written_at >= COMMIT_SECONDS

    def _say(self, reason: str) -> None:
        if self.health.store is None:
            log.error("the store refuses writes", reason=reason)
        self.health.store = f"The store cannot be written ({reason}): what comes in waits."

    # -- records -------------------------------------------------------------------------------------------------

    def take_cells(self, value: bytes) -> bool:
        """Gather the entries of a position; whether this one ended it. What came before is passed over."""
        entry = wire.read_cells_entry(value)
        if entry.position <= self.position:
            return True
        if entry.index == 0:
            self._step = []
        if entry.index != len(self._step) or (self._step and entry.position != self._step[0].position):
            return False  # sent again in part; the whole of it follows
        if isinstance(entry, StepRecord):
            self._end_step(entry, self._step)
            self._step = []
            return True
        self._step.append(entry)
        return False

    def _end_step(self, step: StepRecord, entries: Sequence[CellsRecord | LateRecord]) -> None:
        work = self.work
        cells = [self._cells(one) for one in entries if isinstance(one, CellsRecord)]
        work.cells += cells
        self.hour.take(cells, step.closed_until or 0.0)
        work.revisions += [self._late(one) for one in entries if isinstance(one, LateRecord)]
        for record in step.sources:
            count = source_count(record)
            if record.name in work.sources:
                work.sources[record.name].add(count)
            else:
                work.sources[record.name] = count
        work.blind = tuple(step.blind)
        work.usual_per_hour = step.usual_per_hour
        work.controls += step.controls
        work.meta |= step.board
        work.arrival = step.arrival
        self._closed_until = step.board.get("last_close", self._closed_until)
        self.position = step.position

    def _cells(self, one: CellsRecord) -> Cells:
        place, keyword = self._numbers(one)
        ints = np.array(one.voices, np.int64), np.array(one.messages, np.int64)
        floats = np.array(one.expected), np.array(one.upper), np.array(one.p_value)
        held = np.array(one.held, np.bool_)
        return Cells(one.start, one.seconds, place, keyword, *ints, *floats, held, one.cut, one.learning)

    def _late(self, one: LateRecord) -> Revision:
        return Revision(
            one.start, *self._numbers(one), np.array(one.voices, np.int64), np.array(one.messages, np.int64)
        )

    def _numbers(self, one: CellsRecord | LateRecord) -> tuple[Any, Any]:
        place, keyword = self.places.index, self.words.index
        return np.array(list(map(place, one.place)), np.int64), np.array(list(map(keyword, one.keyword)), np.int64)

    def take_letter(self, value: bytes, arrived_at: float) -> None:
        """A dead letter."""
        letter = wire.read_dead_letter(value)
        self.work.dead_letters.append((letter, arrived_at, source_of(base64.b64decode(letter.raw))))


class Desks:
    """The desk of this worker while it is the owner; another one each time it becomes so."""

    def __init__(self, make: Callable[[], Desk]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.desk: Desk | None = None

    def take(self) -> Desk:
        """The desk, made with a lease of its own if there is none."""
        with self._lock:
            if self.desk is None:
                self.desk = self._make()
            return self.desk

    def leave(self) -> None:
        """Another worker is the owner now."""
        desk, self.desk = self.desk, None
        if desk is not None:
            desk.leave()
