"""What brings records into the journal besides HTTP: standard input and followed files, and the ticks that say nothing comes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from streams.runtime.entries import ADVANCE, MAX_PAYLOAD_BYTES, RECORD, TICK, Entry
from streams.runtime.followed import Followed
from streams.runtime.journal import JournalFullError

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.3
RETRY_SECONDS = 1.0
LINES = 1000
CHUNK_BYTES = 64 * 1024

Append = Callable[[Sequence[Entry]], Awaitable[int]]
Busy = Callable[[], bool]


class Readable(Protocol):
    """A stream that gives what is there, without waiting for more."""

    def read1(self, size: int, /) -> bytes: ...


def tick(now: float, partition: int) -> Entry:
    """Nothing before `now` - lateness is awaited in the partition."""
    return Entry(TICK, msgspec.msgpack.encode((now, False)), now, partition)


async def follow(file: Followed, append: Append, busy: Busy, idle_tick_seconds: float) -> None:
    """Note in the journal how far the file may be read, and its ticks; until cancelled."""
    moved_at = time.monotonic()
    trouble: str | None = None
    while True:
        now, waits = time.time(), busy()
        advance = None if waits else await asyncio.to_thread(file.poll)
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
            if not waits and file.caught_up and idle_tick_seconds and time.monotonic() - moved_at >= idle_tick_seconds:
                await append([tick(now, file.partition)])
                moved_at = time.monotonic()
        except JournalFullError as error:
            log.error("the journal takes nothing", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(POLL_SECONDS)


def read_lines(
    append: Append, busy: Busy, loop: asyncio.AbstractEventLoop, stream: Readable | None = None
) -> threading.Thread:
    """Bring the lines of standard input into the journal, in a thread that ends with the input."""
    source: Readable = stream or open(0, "rb", closefd=False)  # noqa: SIM115 - it lives as long as the process

    def keep(entries: list[Entry]) -> None:
        while True:
            try:
                asyncio.run_coroutine_threadsafe(_appended(append, entries), loop).result()
                return
            except JournalFullError as error:
                log.error("the journal takes nothing; standard input waits", reason=str(error))
                time.sleep(RETRY_SECONDS)

    def run() -> None:
        count, rest = 0, b""
        while chunk := source.read1(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            count += take(lines)
            rest = rest[:MAX_PAYLOAD_BYTES]  # what a longer line has beyond this is refused anyway
        count += take([rest])
        log.info("standard input ended", records=count)

    def take(lines: list[bytes]) -> int:
        now = time.time()
        entries = [Entry(RECORD, line.rstrip(b"\r")[:MAX_PAYLOAD_BYTES], now) for line in lines if line.strip()]
        while entries and busy():
            time.sleep(POLL_SECONDS)
        for first in range(0, len(entries), LINES):
            keep(entries[first : first + LINES])
        return len(entries)

    thread = threading.Thread(target=run, name="standard input", daemon=True)
    thread.start()
    return thread


async def _appended(append: Append, entries: Sequence[Entry]) -> int:
    return await append(entries)
