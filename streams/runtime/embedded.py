"""The embedded service: journal, pipeline and store in one process. Nothing here decides a result; what is in the log does."""

from __future__ import annotations

import asyncio
import hashlib
import math
import shutil
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any

import msgspec
import structlog

from alerting.model import Control
from alerting.notify.heartbeat import Heartbeat
from alerting.vital import Life, Vital
from streams.channels import CHANNELS
from streams.metrics import MOST_SERIES
from streams.pipeline import ChannelOf, Pipeline, PipelineConfig, SourceConfig, ZoneOf
from streams.runtime.clocks import gap_between, gap_since, read_clocks
from streams.runtime.deliver import sending
from streams.runtime.entries import CONTROL, GAP, Entry
from streams.runtime.exporter import Figures, health_figures, runner_figures, series_figures
from streams.runtime.feeds import follow, read_lines, tick
from streams.runtime.followed import Followed
from streams.runtime.followed_pack import FollowedPack
from streams.runtime.garbage import collect_rarely
from streams.runtime.journal import Journal, JournalFullError
from streams.runtime.kept import note_where
from streams.runtime.lock import Lock
from streams.runtime.own_pack import OwnPack
from streams.runtime.runner import Runner
from streams.runtime.secret import author_secret
from streams.runtime.settings import Settings
from streams.runtime.store.lease import Lease
from streams.runtime.store.migrations import open_store
from streams.runtime.store.network import Keeper
from streams.runtime.store.planner import Planner
from streams.runtime.store.reader import Health, Reader
from streams.runtime.store.writer import Writer

log = structlog.get_logger(__name__)
WATCH_SECONDS = 1.0
FILE_BACKLOG_ENTRIES = 5000  # a followed file's entry may stand for thousands of records


class Service:
    """Everything `run` needs. Build it (locks the data folder, catches up with the journal), `start` in a loop, `stop`."""

    def __init__(self, settings: Settings, *, lock: Lock | None = None, past_damage: bool = False) -> None:
        """Raises LockedError, JournalDamagedError, StoreError, and what a bad pack raises."""
        service = settings.service
        self.settings = settings
        self._lock = lock or Lock(service.data)
        try:
            self.health = Health()
            config = pipeline_config(settings)
            self._zone, self._channel_of = ZoneOf(config.sources, config.timezone), ChannelOf(config.sources)
            self.pipeline = Pipeline(config, author_secret(settings))
            collect_rarely()
            self.journal = Journal(service.data / "journal", past_damage=past_damage)
            if self.journal.torn_bytes:
                log.warning("journal: torn tail cut off", bytes=self.journal.torn_bytes)
            self.store = open_store(service.store_url)
            note_where(self.store, settings)
            self.reader = Reader(self.store, self.health)
            self.files = [Followed(source, number) for number, source in enumerate(settings.files, 1)]
            lease = Lease(self.store)
            writer = Writer(
                self.store, self.pipeline.places, self.pipeline.keywords, self._channel, service.cell_days,
                Planner(self.store, settings.notify.routes),
            )  # fmt: skip
            self.sending = sending(writer, lease, settings.notify)
            self._network = Keeper(self.store, lease)
            self.runner = Runner(
                self.pipeline, self.journal, writer, self.files, self.health,
                snapshot_seconds=service.snapshot_seconds, journal_days=service.journal_days,
                baselines=settings.baselines.read_bytes() if settings.baselines else None, lease=lease,
            )  # fmt: skip
            self.down = gap_since(self.journal.last_arrival, time.time())
            self.runner.catch_up()
        except BaseException:
            self._lock.release()
            raise
        self.pack = FollowedPack(settings.pack, self.pipeline, self.append_control, self.health)
        self.own_pack = OwnPack(settings.pack, lambda: self.reader, self.pipeline.refuses)
        self._life = Life(self.pipeline.window_seconds if service.idle_tick_seconds else math.inf)
        told = settings.notify.heartbeat
        self.heartbeat = Heartbeat(told, self._alive) if told is not None else None
        self.on_close: list[Callable[[], object]] = []  # called in the loop when the board may have changed
        self._tasks: list[asyncio.Task[None]] = []
        self._input_at = time.monotonic()

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen and count, in the running loop."""
        loop = asyncio.get_running_loop()
        self.runner.closed = lambda: _from_thread(loop, self._changed)
        self.runner.committed = lambda: _from_thread(loop, self.sending.wake)
        self.runner.commits.page = lambda incidents: _from_thread(loop, partial(self.sending.straight, incidents))
        self.sending.start()
        self.runner.start()
        idle = self.settings.service.idle_tick_seconds
        work: list[Coroutine[Any, Any, None]] = [self._watch(), self._network.run()]
        work += [follow(file, self.journal.append, self._files_wait, idle) for file in self.files]
        self._tasks = [asyncio.create_task(one) for one in work]
        if self.heartbeat is not None:
            self._tasks.append(asyncio.create_task(self.heartbeat.run()))
        if any(source.kind == "stdin" for source in self.settings.sources):
            read_lines(self.append, self._busy, loop)

    async def stop(self) -> None:
        """Take no more, write what was counted, let go; at most 5 s."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(asyncio.to_thread(self.runner.stop), self.sending.stop())
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The end of `stop`, without a loop."""
        self.runner.stop()
        self.journal.close()
        self.store.dispose()
        self._lock.release()

    # -- what comes in -------------------------------------------------------------------------------------------

    async def append(self, entries: Sequence[Entry]) -> int:
        """Keep records of HTTP or standard input; returns the first one's seq. Raises JournalFullError."""
        try:
            first = await self.journal.append(entries)
        except JournalFullError:
            self.health.disk_full = True
            raise
        self._input_at = time.monotonic()
        self.health.disk_full = False
        return first

    async def append_control(self, control: Control) -> None:
        """Keep a person's act; it takes effect at the next close. Raises JournalFullError, and PromotionError where the
        pack's file cannot be changed as it asks; what has changed is followed like any change of the file.
        """
        async with self.own_pack.changed(control):
            await self.journal.append([Entry(CONTROL, msgspec.json.encode(control), control.at)])

    def zone(self, source: str) -> tzinfo | None:
        """The zone of a source's times without one."""
        return self._zone(source)

    def disk_low(self) -> bool:
        """Whether the data folder's disk is about full; tells the board too."""
        free = shutil.disk_usage(self.settings.service.data).free
        low = free < self.settings.service.min_free_megabytes * 1024 * 1024
        self.health.disk_full = low
        return low

    @property
    def unwritten(self) -> int:
        """Entries of the journal whose outputs are not in the store."""
        return self.journal.next_seq - 1 - self.runner.written

    @property
    def behind(self) -> bool:
        """Whether more waits to be counted and written than clients may add to."""
        most = self.settings.service.backlog_megabytes * 1024 * 1024
        return self.unwritten > 0 and self.journal.bytes_from(self.runner.written + 1) > most

    @property
    def refused(self) -> str | None:
        """Why nothing more is taken. A store that is away is no reason: the journal keeps what comes, as far as it may grow."""
        waits = (
            f"{self.health.store} The journal holds as much as it may." if self.health.store and self.behind else None
        )
        return self.health.halted or waits

    def _busy(self) -> bool:
        return self.behind or self.health.halted is not None

    def _files_wait(self) -> bool:
        return self.runner.backlog > FILE_BACKLOG_ENTRIES or self.health.halted is not None

    # -- watching ------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Ticks of the journal's own partition, clocks, disk; each second."""
        before = read_clocks()
        idle = self.settings.service.idle_tick_seconds
        gaps = [self.down] if self.down else []
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = read_clocks()
            if gap := gap_between(before, now):
                log.warning("clock", kind=gap.kind, seconds=round(gap.seconds, 1))
                gaps.append(gap)
            before = now
            try:
                if gaps:
                    await self.journal.append([Entry(GAP, msgspec.msgpack.encode(gap), now.wall) for gap in gaps])
                    gaps = []
                waits = self.behind or self.health.halted is not None
                if idle and time.monotonic() - self._input_at >= idle and not self.disk_low() and not waits:
                    await self.append([tick(now.wall, 0)])
                await self.pack.look()
            except Exception:
                log.exception("watching")

    def _changed(self) -> None:
        for listener in list(self.on_close):
            listener()

    def _channel(self, source: str) -> str:
        return CHANNELS[self._channel_of[source]]

    def _alive(self) -> str | None:
        vital = Vital(
            self.runner.position, self.runner.backlog, self.pipeline.detect.closed_until,
            self.sending.oldest_seconds(), self.sending.unheard, self.health.red,
        )  # fmt: skip
        return self._life.look(time.time(), vital)

    def figures(self) -> Figures:
        """The metrics of the moment."""
        with self.runner.lock:
            figures = runner_figures(self.runner)
        hour = self.runner.hour.ranked(MOST_SERIES)  # before the keywords are read: another pack's has these and more
        figures |= series_figures(hour, self.pipeline.places, self.pipeline.keywords.id)
        figures |= self.sending.figures() | health_figures(self.health)
        figures["journal_entries_total", ()] = self.journal.next_seq
        figures["disk_free_bytes", ()] = shutil.disk_usage(self.settings.service.data).free
        return figures


def pipeline_config(settings: Settings) -> PipelineConfig:
    """What decides results, out of the settings: the journal is partition 0, followed files come after it."""
    sources = tuple(SourceConfig(one.name, one.channel, one.timezone) for one in settings.sources)
    baselines = settings.baselines
    return PipelineConfig(
        pack=settings.pack,
        lateness_seconds=settings.service.lateness_seconds,
        budget_per_week=settings.service.budget_per_week,
        partitions=1 + len(settings.files),
        detector=settings.service.detector,
        sources=sources,
        spots=settings.spots,
        baselines=hashlib.blake2b(baselines.read_bytes(), digest_size=16).hexdigest() if baselines else None,
    )


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
