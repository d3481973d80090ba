"""What the live page costs while people look: `python -m benchmarks.page [--viewers N] [--browsers N] [--series N] [--closes N] [--json FILE]`.

A process serves page and API over a store, as `overheard serve` does; this one closes a window of a simulated minute every ten seconds
in it, in which each of N series moves, with 20 open incidents that all grow. N viewers look at the board: `--browsers` of them in chromium
(all, unless said otherwise), the others as bare web sockets, which cost the server the same. Time is that from the store's commit to the
frame in which a browser shows it, or to the socket; CPU is that of the serving process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
import socketio
import uvicorn
from fastapi import FastAPI
from nicegui import app as nicegui_app
from playwright.async_api import Page, async_playwright

from alerting.model import Control, Incident, Scope
from dashboards.server import mount
from dashboards.settings import PageSettings
from streams.closed import Cells
from streams.part import SourceCount
from streams.pipeline import Pipeline
from streams.runtime.embedded import pipeline_config
from streams.runtime.kafka.page_service import LOOK_SECONDS
from streams.runtime.settings import ServiceSettings, Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import Work, Writer

SPEED = 6.0
WINDOW = 60
BEGIN = 1_771_848_000.0  # simulated Unix seconds
INCIDENTS = 20
SETTLE_SECONDS = 5.0
PEOPLE = re.compile(r"(1,\d+) people")
WATCH = """() => { window.seen = [];
  const first = () => document.querySelector('.incident .people')?.textContent || '';
  const told = () => { const n = +(/(\\d[\\d,]*) people/.exec(first())?.[1] || '0').replace(/,/g, '');
    if (n && n !== window.last) { window.last = n; requestAnimationFrame(() => window.seen.push([n, Date.now()])); } };
  new MutationObserver(told).observe(document.body, {subtree: true, childList: true, characterData: true}); told(); }"""


class Tree(NamedTuple):
    """Leaf series and, for each, the rows of a window it counts in."""

    pipeline: Pipeline
    place: Any
    keyword: Any
    row_of: Any  # leaf, row: pairs
    rows: Any  # row: place, keyword


def tree(series: int) -> Tree:
    """The airline pack's main problems at as many American airports as are needed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(service=ServiceSettings(data=Path(folder)), pack="airline")
        pipeline = Pipeline(pipeline_config(settings))
    places, keywords = pipeline.places, pipeline.keywords
    problems = [k for k in range(1, len(keywords.parent)) if keywords.parent[k] == 0]
    airports = [
        p for p in range(len(places.parent)) if places.level(p) == "airport" and "United States" in places.path(p)
    ]
    leaves = [(p, k) for p in airports[: -(-series // len(problems))] for k in problems][:series]
    pairs = []
    for leaf, (place, keyword) in enumerate(leaves):
        above = place
        while above >= 0:
            pairs += [(leaf, above, keyword), (leaf, above, 0)]
            above = int(places.parent[above])
    rows, row = np.unique(np.array([one[1:] for one in pairs]), axis=0, return_inverse=True)
    place, keyword = np.array(leaves).T
    return Tree(pipeline, place, keyword, np.stack((np.array([one[0] for one in pairs]), row.ravel())), rows)


def window(found: Tree, number: int) -> Cells:
    """Every leaf series moves: one to four people."""
    voices = np.random.default_rng(number + 1000).integers(1, 5, len(found.place))
    count = np.bincount(found.row_of[1], weights=voices[found.row_of[0]], minlength=len(found.rows)).astype(np.int64)
    mean = np.bincount(found.row_of[1], minlength=len(found.rows)) * 2.4
    place, keyword = found.rows.T
    return Cells(
        int(BEGIN) + number * WINDOW,
        WINDOW,
        place,
        keyword,
        count,
        count,
        mean,
        mean * 1.4 + 2,
        np.full(len(count), 0.3),
        count < 0,
    )


def incidents(found: Tree, number: int) -> list[Incident]:
    """All open ones, a revision on; the first has 1,000 + `number` people."""
    made, places = [], found.pipeline.places
    for n in range(INCIDENTS):
        place, keyword = (
            int(found.place[(n * 17) % len(found.place)]),
            found.pipeline.keywords.id(int(found.keyword[(n * 17) % len(found.place)])),
        )
        scope = Scope(
            places.id(place),
            places.name(place),
            places.level(place),
            tuple(places.path(place)),
            *(places.coordinates(place) or ()),
        )
        people = 1000 + number if n == 0 else 40 + number
        made.append(Incident(
            id=f"bench{n:03}", revision=number + 2, state="confirmed" if n < 10 else "suspected", onset=BEGIN - 3600.0, opened_at=BEGIN - 3500,
            suspected_at=BEGIN - 3400, confirmed_at=BEGIN - 3000 if n < 10 else None, updated_at=BEGIN + (number + 1) * WINDOW, scope=scope,
            keywords=(keyword,), title="", people=people, messages=people, expected=3.0, factor=people / 3, p_value=1e-9, reason="grew",
        ))  # fmt: skip
    return made


def work(found: Tree, number: int) -> Work:
    """What the close of a window writes."""
    end = BEGIN + (number + 1) * WINDOW
    return Work(
        incidents=incidents(found, number), cells=[window(found, number)], sources={"tweets": SourceCount(records=900, newest=end)},
        usual_per_hour={"tweets": 50_000.0}, arrival=end, meta={"last_close": end, "window_seconds": WINDOW},
    )  # fmt: skip


def serve(port: int, store: str, began: float, series: int) -> None:
    """The page alone, in this process."""

    async def refuse(control: Control) -> None:
        raise OSError("nobody acts here")

    pipeline = tree(series).pipeline
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    settings, reader = PageSettings(port=port), Reader(open_store(store))
    now = lambda: BEGIN + WINDOW + (time.time() - began) * SPEED  # noqa: E731
    live = mount(
        app,
        reader,
        refuse,
        settings,
        places=pipeline.places,
        keywords=pipeline.keywords,
        policy=pipeline.alerts.policy,
        now=now,
    )

    async def look() -> None:
        """As the page's service does beside workers: a short query, and a full look where it tells of news."""
        known = None
        while True:
            if known != (known := (await asyncio.to_thread(reader.meta)).get("last_close")):
                live.poke()
            await asyncio.sleep(LOOK_SECONDS)

    looking: list[asyncio.Task[None]] = []
    nicegui_app.on_startup(lambda: looking.append(asyncio.create_task(look())))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


class Socket:
    """A viewer without a screen: takes what a browser takes, and notes when the first incident's people came."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient()
        self.seen: list[tuple[int, float]] = []
        self.client.on("update", self._update)

    async def open(self, url: str) -> None:
        page = (await asyncio.to_thread(urllib.request.urlopen, url)).read().decode()
        id = re.search(r"client_id['\"]?: ?['\"]([0-9a-f-]{36})", page)
        assert id is not None
        query = {
            "client_id": id[1],
            "tab_id": id[1],
            "document_id": id[1],
            "next_message_id": 0,
            "implicit_handshake": "true",
        }
        path = "/_nicegui_ws/socket.io"
        await self.client.connect(f"{url}?{urlencode(query)}", socketio_path=path, transports=["websocket"])

    def _update(self, changed: dict[str, Any]) -> None:
        for one in changed.values():
            found = PEOPLE.fullmatch(one.get("text") or "") if isinstance(one, dict) else None
            if found:
                self.seen.append((int(found[1].replace(",", "")), time.time()))


async def watch(url: str, pid: int, viewers: int, browsers: int, closes: int, commit: Any) -> dict[str, Any]:
    """Open the viewers, close the windows, gather when each was seen."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        pages: list[Page] = []
        for _ in range(browsers):
            page = await (await browser.new_context(viewport={"width": 1440, "height": 900})).new_page()
            await page.goto(url)
            await page.wait_for_selector("h1")
            await page.evaluate(WATCH)
            pages.append(page)
        sockets = [Socket() for _ in range(viewers - browsers)]
        for socket_ in sockets:
            await socket_.open(url)
        await asyncio.sleep(SETTLE_SECONDS)
        began, spent = time.monotonic(), cpu_seconds(pid)
        at: dict[int, float] = {}
        for number in range(1, closes + 1):
            at[1000 + number] = await asyncio.to_thread(commit, number)
            await asyncio.sleep(max(0.0, began + number * WINDOW / SPEED - time.monotonic()))
        spent, took = cpu_seconds(pid) - spent, time.monotonic() - began
        seen = [(n, moment / 1000) for page in pages for n, moment in await page.evaluate("window.seen")]
        heard = [one for socket_ in sockets for one in socket_.seen]
        for socket_ in sockets:
            await socket_.client.disconnect()
        await browser.close()
    told: dict[str, Any] = {
        "viewers": viewers,
        "of them in chromium": browsers,
        "closes": closes,
        "updates awaited": viewers * closes,
    }
    told["updates seen"] = sum(n in at for n, _ in [*seen, *heard])
    for what, moments in (("screen", seen), ("socket", heard)):
        delays = sorted(moment - at[n] for n, moment in moments if n in at)
        if delays:
            told[f"commit to {what}, median s"] = statistics.median(delays)
            told[f"commit to {what}, p95 s"] = delays[math.ceil(0.95 * len(delays)) - 1]
            told[f"commit to {what}, most s"] = delays[-1]
    told["server, % of a core, a close every 10 s"] = 100 * spent / took
    told["server, ms CPU a close"] = 1000 * spent / closes
    return told


def measure(store: str, series: int, viewers: int, browsers: int, closes: int) -> dict[str, Any]:
    """Fill an hour of the store, serve it, watch."""
    found = tree(series)
    writer = Writer(open_store(store), found.pipeline.places, found.pipeline.keywords, lambda source: "tweets")
    for number in range(-60, 1):
        writer.commit(work(found, number))

    def commit(number: int) -> float:
        writer.commit(work(found, number))
        return time.time()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = "-m", "benchmarks.page", "--series", str(series), "--serve", str(port), store, str(time.time())
    server = subprocess.Popen([sys.executable, *words])
    try:
        url = f"http://127.0.0.1:{port}"
        _until_it_answers(url)
        told = {"live series": len(found.place), "cells a close": len(found.rows)}
        return told | asyncio.run(watch(url, server.pid, viewers, browsers, closes, commit))
    finally:
        server.terminate()
        server.wait(10)


def _until_it_answers(url: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(url + "/overheard.css", timeout=2).close()
            return
        except OSError:
            time.sleep(0.25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--browsers", type=int)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--closes", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        port, store, began = asked.serve
        serve(int(port), store, float(began), asked.series)
        return
    browsers = asked.viewers if asked.browsers is None else asked.browsers
    with tempfile.TemporaryDirectory() as folder:
        told = measure(f"sqlite:///{folder}/store.sqlite", asked.series, asked.viewers, browsers, asked.closes)
    print("| | |\n| --- | --- |")
    for name, value in told.items():
        print(f"| {name} | {value:,.2f} |" if isinstance(value, float) else f"| {name} | {value:,} |")
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
