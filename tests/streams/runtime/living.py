"""A service of a test's own: started, lived with, stopped; waited for until all it was told is counted and written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from streams.runtime.embedded import Service
from streams.runtime.entries import Entry


def live(built: Service, test: Callable[[Service], Awaitable[None]]) -> None:
    """Start it, do the test, stop it."""

    async def inside() -> None:
        built.start()
        try:
            await test(built)
        finally:
            await built.stop()

    asyncio.run(inside())


async def hear(built: Service, entries: Sequence[Entry]) -> None:
    """Give it entries, and wait until they are written."""
    await built.append(entries)
    await until(lambda: built.runner.backlog == 0 and built.runner.written >= built.journal.next_seq - 1)


async def until(true: Callable[[], object]) -> None:
    """Wait 15 seconds for it at most. Raises TimeoutError."""
    for _ in range(750):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError
