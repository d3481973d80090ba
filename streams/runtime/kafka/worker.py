"""One worker on Kafka: builds kit, stages and app, serves its figures, and ends in order within 15 s or says why it could not go on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from faust.types import TP
from sqlalchemy import Engine

from streams.channels import CHANNELS
from streams.pipeline import ChannelOf, PipelineConfig
from streams.runtime.exporter import Totals
from streams.runtime.garbage import collect_rarely
from streams.runtime.kafka import figures, first_pack, topics
from streams.runtime.kafka.app import Sender, build
from streams.runtime.kafka.cluster import Cluster
from streams.runtime.kafka.counted import Surroundings
from streams.runtime.kafka.deliver_agent import DeliverStage
from streams.runtime.kafka.desk import Desk, Desks, Vocabulary
from streams.runtime.kafka.detect_agent import DetectEngine, DetectStage
from streams.runtime.kafka.intake_agent import IntakeEngine, IntakeStage
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.stages import Stage, Stages
from streams.runtime.kafka.watchdog import Watchdog
from streams.runtime.serving import Server, bind
from streams.runtime.settings import Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.planner import Planner
from streams.runtime.store.reader import Health
from streams.runtime.store.writer import Writer

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.2
MEASURE_SECONDS = 2.0
MEASURE_TIMEOUT_SECONDS = 5.0
NO_ANSWER = "The brokers do not answer: nothing is taken or counted until they do."
BROKERS_SECONDS = 20.0  # that do not answer for so long are said to, and no heartbeat goes out
STAGES_END_SECONDS = 6.0
APP_END_SECONDS = 5.0
EXIT_FAILED = 1


class Worker:
    """Build it in a running loop; `run` returns the exit code."""

    def __init__(
        self, settings: Settings, config: PipelineConfig, kit: Kit, cluster: Cluster, *, memory: str | None = None
    ) -> None:
        assert settings.kafka is not None
        self.settings, self.config, self.kit, self.cluster = settings, config, kit, cluster
        self.kafka: KafkaSettings = settings.kafka
        self.health, self.totals = Health(), Totals()
        self.desks = Desks(self._desk)
        self.on_close: Callable[[], object] = lambda: None
        self.store: Engine | None = None
        self.stages = Stages(self._stage)
        self.send = Sender(self.kafka.prefix)
        self.app = self.send.app = build(self.kafka, self.stages, Path(settings.service.data), memory=memory)
        self.watchdog = Watchdog(self.stages, self.kafka.watchdog_seconds)
        self.stages.epoch = lambda: int(self.app.consumer.epoch)  # type: ignore[attr-defined]
        self.stages.rewind = lambda: self.app.consumer.perform_seek()
        self._end = asyncio.Event()
        self._answered_at = time.monotonic()  # the brokers, when they were asked what waits

    # -- life ----------------------------------------------------------------------------------------------------

    async def run(self, *, port: int | None = None) -> int:
        """Until `end`, a signal or a failure. `port`: of the figures, the first free one from there on; None: not shown."""
        tasks: list[asyncio.Task[None]] = []
        collect_rarely()
        try:
            await self.cluster.begin()
            self.kit = self.kit.begun_with(
                await first_pack.read(self.cluster, topics.SNAPSHOTS.full(self.kafka.prefix))
            )
            await self.app.start()
            self.watchdog.start()
            tasks = [asyncio.create_task(one) for one in (self.stages.tend(), self._measure())]
            if port is not None:
                tasks.append(asyncio.create_task(self._serve(port)))
            return await self._until_end()
        finally:
            await self._stop(tasks)

    def end(self) -> None:
        """Ask it to end in order."""
        self._end.set()

    def catch_signals(self) -> None:
        """SIGINT and SIGTERM end it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.end)

    async def _until_end(self) -> int:
        while not self._end.is_set():
            if self.stages.failed.done():
                return EXIT_FAILED
            if self.app.crashed or self.app.should_stop:
                log.error("the app stopped", reason=repr(self.app.crash_reason))
                return EXIT_FAILED
            silent = time.monotonic() - self._answered_at >= BROKERS_SECONDS  # looked at here: asking itself may hang
            self.health.brokers = NO_ANSWER if silent else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), LOOK_SECONDS)
        return 0

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        """Take no more, make durable what was taken, let go; what is not done in time is done again by the next worker."""
        self.watchdog.stop()
        self.stages.stop()
        if self.app.started and not self.stages.failed.done() and not self.app.crashed:
            self.app.consumer.stop_flow()
            try:
                await asyncio.wait_for(self.stages.end(), STAGES_END_SECONDS)
            except Exception as error:
                log.warning("ended without a last snapshot", reason=f"{type(error).__name__}: {error}")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait_for(self.app.stop(), APP_END_SECONDS)
        except TimeoutError:
            log.warning("the app did not end in time")
        await self.cluster.end()
        if self.store is not None:
            self.store.dispose()

    # -- stages --------------------------------------------------------------------------------------------------

    def _stage(self, tp: TP) -> Stage:
        """The stage of a partition."""
        names = {topic.full(self.kafka.prefix): topic for topic in topics.TOPICS}
        topic = names[tp.topic]
        if topic is topics.COMPLAINTS:
            engine = IntakeEngine(self.kit, tp.partition, tp.topic)
            return IntakeStage(engine, tp, self._around(), self.settings.service.idle_tick_seconds)
        if topic is topics.PARTS:
            complaints = topics.COMPLAINTS.full(self.kafka.prefix)
            return DetectStage(DetectEngine(self.kit), tp, self._around(), complaints)
        return DeliverStage(tp, self.desks)

    def _around(self) -> Surroundings:
        return Surroundings(
            send=self.send,
            log=self.cluster,
            topic=topics.SNAPSHOTS.full(self.kafka.prefix),
            partitions=lambda topic: self.cluster.counts[topic],
            generation=lambda: int(self.app.consumer_generation_id),
            stages=lambda: len(self.stages.owned),
            digest=self.kit.base,
            snapshot_seconds=self.settings.service.snapshot_seconds,
            highwater=self._highwater,
        )

    def _desk(self) -> Desk:
        """In a thread: opening the store may take a while."""
        service = self.settings.service
        if self.store is None:
            self.store = open_store(service.store_url)
        channel, words = ChannelOf(self.config.sources), Vocabulary()
        notify = self.settings.notify
        writer = Writer(
            self.store, self.kit.places, words, lambda source: CHANNELS[channel[source]], service.cell_days,
            Planner(self.store, notify.routes),
        )  # fmt: skip
        desk = Desk(
            self.kit.places, words, self.store, writer, self.health, self.totals, notify, self.kit.window_seconds
        )
        desk.closed = lambda: self.on_close()
        return desk

    # -- watching ------------------------------------------------------------------------------------------------

    async def _highwater(self, tp: TP) -> int:
        return int((await self.cluster.bounds(tp.topic, tp.partition))[1])

    async def _measure(self) -> None:
        """Ask the brokers what waits, and how many partitions there are."""
        told = False
        while True:
            try:
                async with asyncio.timeout(MEASURE_TIMEOUT_SECONDS):
                    await self.cluster.count()
                    owned = list(self.stages.owned.items())
                    ends = await asyncio.gather(*(self._highwater(tp) for tp, _ in owned))
                waiting = {tp: max(0, end - stage.next_offset) for (tp, stage), end in zip(owned, ends, strict=True)}
                self.watchdog.measured(waiting)
                if told:
                    log.info("the brokers answer again", lag=self.watchdog.lag)
                told, self._answered_at = False, time.monotonic()
            except Exception as error:
                self.watchdog.measured(None)
                if not told:
                    log.warning("the brokers do not answer", reason=f"{type(error).__name__}: {error}")
                told = True
            await asyncio.sleep(MEASURE_SECONDS)

    async def _serve(self, port: int) -> None:
        app = FastAPI(title="overheard worker", openapi_url=None)
        app.include_router(figures.router(self))
        host = self.kafka.figures_host
        bound = bind(host, port, next_free=True)
        log.info("figures", address=f"http://{host}:{bound.getsockname()[1]}", instance=self.kafka.instance)
        await Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")).serve(sockets=[bound])
