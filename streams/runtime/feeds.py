"""What brings records into the journal besides HTTP: standard input and followed files, and the ticks that say nothing comes."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import BinaryIO

import msgspec
import structlog

from streams.runtime.entries import ADVANCE, MAX_PAYLOAD_BYTES, RECORD, TICK, Entry
from streams.runtime.followed import Followed
from streams.runtime.journal import JournalFullError

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.3
RETRY_SECONDS = 1.0
LINES = 1000

Append = Callable[[Sequence[Entry]], Awaitable[int]]
Busy = Callable[[], bool]


def tick(now: float, partition: int) -> Entry:
    """Nothing before `now` - lateness is awaited in the partition."""
    return Entry(TICK, msgspec.msgpack.encode((now, False)), now, partition)


async def follow(file: Followed, append: Append, busy: Busy, idle_tick_seconds: float) -> None:
    """Note in the journal how far the file may be read, and its ticks; until cancelled."""
    moved_at = time.monotonic()
    trouble: str | None = None
    while True:
        now = time.time()
        advance = None if busy() else await asyncio.to_thread(file.poll)
        for notice in file.notices:
            log.warning("followed file", source=file.source.name, notice=notice)
        file.notices.clear()
        if file.trouble != trouble and file.trouble:
            log.error("followed file", source=file.source.name, trouble=file.trouble)
        trouble = file.trouble
        try:
            if advance is not None:
                await append([Entry(ADVANCE, msgspec.msgpack.encode(advance), now, file.partition)])
                file.took(advance)
                moved_at = time.monotonic()
                continue
            if file.caught_up and idle_tick_seconds and time.monotonic() - moved_at >= idle_tick_seconds:
                await append([tick(now, file.partition)])
                moved_at = time.monotonic()
        except JournalFullError as error:
            log.error("the journal takes nothing", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(POLL_SECONDS)


def read_lines(
    append: Append, busy: Busy, loop: asyncio.AbstractEventLoop, stream: BinaryIO | None = None
) -> threading.Thread:
    """Bring the lines of standard input into the journal, in a thread that ends with the input."""
    source = stream or sys.stdin.buffer

    def keep(entries: list[Entry]) -> None:
        while True:
            try:
                asyncio.run_coroutine_threadsafe(_appended(append, entries), loop).result()
                return
            except JournalFullError as error:
                log.error("the journal takes nothing; standard input waits", reason=str(error))
                time.sleep(RETRY_SECONDS)

    def run() -> None:
        count = 0
        while lines := source.readlines(64 * 1024):
            now = time.time()
            kept = [line.rstrip(b"\r\n")[:MAX_PAYLOAD_BYTES] for line in lines]
            entries = [Entry(RECORD, line, now) for line in kept if line.strip()]
            while busy():
                time.sleep(POLL_SECONDS)
            for first in range(0, len(entries), LINES):
                keep(entries[first : first + LINES])
            count += len(entries)
        log.info("standard input ended", records=count)

    thread = threading.Thread(target=run, name="standard input", daemon=True)
    thread.start()
    return thread


async def _appended(append: Append, entries: Sequence[Entry]) -> int:
    return await append(entries)
