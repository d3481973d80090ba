"""`overheard demo`: learns simulated weeks, then lives a simulated day with disruptions at a pace one can watch, page open."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import msgspec
import orjson
from fastapi import FastAPI
from nicegui import app as nicegui_app
from rich.progress import BarColumn, Progress, TimeElapsedColumn

from dashboards import service_page
from streams.complaint import Record, Tick
from streams.evaluation import evaluate
from streams.labels import read_labels
from streams.pack import SHIPPED
from streams.pipeline import Pipeline
from streams.runtime.embedded import Service, pipeline_config
from streams.runtime.entries import RECORD, TICK, Entry
from streams.runtime.kafka.foreign_logs import quieten
from streams.runtime.kafka.memory_service import MemoryService
from streams.runtime.logs import configure
from streams.runtime.serving import bind, run, serve
from streams.runtime.settings import ServiceSettings, Settings
from streams.runtime.simulate import simulator
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.scenarios import AIRLINE_DAY

BATCH = 1_000
WINDOW_SECONDS = 300
STEP_SECONDS = 0.25  # of real time between two deliveries
TICK_SECONDS = 60.0  # of simulated time


class Clock:
    """Simulated time: `start` at first, then `speed` times as fast as the real one."""

    def __init__(self, start: float, speed: float) -> None:
        self.start, self.speed = start, speed
        self.began: float | None = None

    def __call__(self) -> float:
        """Simulated Unix seconds."""
        return self.start if self.began is None else self.start + (time.monotonic() - self.began) * self.speed


def run_demo(*, port: int, speed: float, seed: int, seconds: float | None, browser: bool, memory: bool = False) -> None:
    """Learn, serve, live the day; ends by Ctrl-C or after `seconds`, with an evaluation on standard output.

    `memory`: the Faust app on its in-memory transport counts, in place of the embedded service.
    """
    configure(quiet=True)
    bound = bind("127.0.0.1", port, next_free=True)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    with tempfile.TemporaryDirectory(prefix="overheard-demo-") as name:
        folder = Path(name)
        made = simulator(AIRLINE_DAY, seed)
        records = made.records()
        settings = Settings(
            service=ServiceSettings(
                data=folder / "data", idle_tick_seconds=0, timezone="America/New_York", min_free_megabytes=0
            ),
            pack=str(_pack(folder)),
            baselines=folder / "baselines",
        )
        held = _learn(settings, records, made.scored_from)
        service = MemoryService(settings) if memory else Service(settings)
        clock = Clock(made.scored_from, speed)
        click.echo(f"\nThe day begins: {address}  ({speed:g} simulated seconds a second; Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)

        def mount(app: FastAPI, service: Service | MemoryService) -> None:
            service_page.put_on(app, service, now=clock)
            feed = Feed(service, clock, held, records, seconds)
            nicegui_app.on_startup(feed.start)

        if isinstance(service, MemoryService):
            quieten()
            app = FastAPI(title="overheard", openapi_url=None)
            mount(app, service)
            asyncio.run(serve(app, service, bound))
        else:
            run(service, bound, mount)
        _tell(settings, made.labels(), clock())


class Feed:
    """Delivers what has been said by the clock's time, as if posted."""

    def __init__(
        self,
        service: Service | MemoryService,
        clock: Clock,
        held: list[tuple[float, bytes]],
        records: Iterator[tuple[float, bytes]],
        seconds: float | None,
    ) -> None:
        self.service, self.clock, self.records, self.seconds = service, clock, records, seconds
        self.waiting = held
        self.ticked = clock.start

    async def start(self) -> None:
        """Begin with the app."""
        self.clock.began = time.monotonic()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self.seconds is None or time.monotonic() - (self.clock.began or 0.0) < self.seconds:
            now = self.clock()
            ready = [one for one in self.waiting if one[0] <= now]
            self.waiting = self.waiting[len(ready) :]
            while not self.waiting:
                following = next(self.records, None)
                if following is None:
                    break
                if following[0] <= now:
                    ready.append(following)
                else:
                    self.waiting = [following]
            entries = [Entry(RECORD, value, arrival) for arrival, value in ready]
            if now - self.ticked >= TICK_SECONDS:
                self.ticked = now
                entries.append(Entry(TICK, msgspec.msgpack.encode((now, False)), now))
            if entries:
                await self.service.append(entries)
            await asyncio.sleep(STEP_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)


def _pack(folder: Path) -> Path:
    """The airline pack with longer windows: a month is learnt in seconds, and a few complaints an hour need no finer ones."""
    text = (SHIPPED / f"{AIRLINE_DAY.pack}.toml").read_text(encoding="utf-8")
    path = folder / "airline-demo.toml"
    path.write_text(
        re.sub(r"^window_seconds = \d+$", f"window_seconds = {WINDOW_SECONDS}", text, flags=re.M), encoding="utf-8"
    )
    return path


def _learn(settings: Settings, records: Iterator[tuple[float, bytes]], until: float) -> list[tuple[float, bytes]]:
    """Prime `baselines` with the records before `until`; gives back those already drawn after it."""
    pipeline = Pipeline(pipeline_config(settings.model_copy(update={"baselines": None})))
    pipeline.only_learn()
    first = AIRLINE_DAY.start
    columns = (
        "[progress.description]{task.description}",
        BarColumn(),
        "{task.percentage:>3.0f} %",
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("learning 28 simulated days", total=until - first)
        position = 0
        while batch := list(islice(records, BATCH)):
            before = [one for one in batch if one[0] < until]
            entries = [Record(position + i, value, arrival) for i, (arrival, value) in enumerate(before)]
            pipeline.process(0, entries)
            position += len(entries)
            if before:
                progress.update(task, completed=before[-1][0] - first)
            if len(before) < len(batch):
                break
        pipeline.process(0, [Tick(position, until + settings.service.lateness_seconds)])
        progress.update(task, completed=until - first)
    assert settings.baselines is not None
    settings.baselines.write_bytes(pipeline.baselines())
    return batch[len(before) :]


def _tell(settings: Settings, labels: list[dict[str, object]], now: float) -> None:
    """The evaluation so far."""
    reader = Reader(open_store(settings.service.store_url))
    incidents = [one for found in reader.incidents() for one in reader.incident(found.id)]
    over = [one for one in read_labels(orjson.dumps(labels)) if one.begins <= now]
    told = evaluate(over, incidents, (now - AIRLINE_DAY.start) / (7 * 86400))
    click.echo(
        f"\n{told.answered} of {told.labels} disruptions found so far, {told.unanswered} incidents that answer none:"
    )
    for label in told.rows:
        found = (
            f"found after {label.delay_hours * 60:.0f} min"
            if label.delay_hours is not None
            else f"not found: {label.why}"
        )
        click.echo(f"  {label.what:45} {label.where[:40]:40} {found}")
    sys.stdout.flush()
