"""A running service takes up its pack's file when that changes: counts go on, a bad file is refused and said so, a restart counts nothing anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from streams.runtime.embedded import Service
from streams.runtime.entries import RECORD, Entry
from streams.runtime.settings import Settings
from tests.streams.runtime.living import hear, live, until

MINUTE = 1_704_672_000
BEFORE = '[pack]\nname = "little"\ntitle = "Little"\nlanguage = "en"\n[[keywords]]\nid = "outage"\nname = "outage"\nphrases = ["no power"]\n'
AFTER = BEFORE + '[[keywords]]\nid = "cold"\nname = "no heating"\nphrases = ["freezing inside"]\n'


def service(folder: Path) -> Service:
    settings = {"data": folder / "var", "idle_tick_seconds": 0, "min_free_megabytes": 0}
    return Service(Settings.model_validate({"pack": str(folder / "little.toml"), "service": settings}))


def running(folder: Path, test: Callable[[Service], Awaitable[None]]) -> None:
    live(service(folder), test)


async def say(built: Service, first: int, at: float) -> None:
    """One complaint of either kind, and one an hour later that closes their window."""
    texts = ("no power here", "freezing inside")
    said = [*((at, text) for text in texts), (at + 3600, "no power")]
    bodies = [
        {
            "id": f"n{first + n}",
            "source": "x",
            "author": f"a{first + n}",
            "created_at": when,
            "text": text,
            "location": "Houston, TX",
        }
        for n, (when, text) in enumerate(said)
    ]
    await hear(built, [Entry(RECORD, json.dumps(body).encode(), at + 3600) for body in bodies])


def heard(built: Service, keyword: str) -> int:
    return sum(cell.voices for cell in built.reader.series("everywhere", keyword, MINUTE, MINUTE + 6 * 3600))


def test_a_changed_file_counts_from_there_on_and_a_restart_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "little.toml"
    file.write_text(BEFORE)

    async def first(built: Service) -> None:
        await say(built, 0, MINUTE)
        file.write_text(BEFORE.replace('name = "outage"', "name = 7"))
        await until(lambda: built.reader.status(0.0).pack_refused is not None)
        assert "name" in (built.reader.status(0.0).pack_refused or "")
        assert built.pipeline.pack.keywords[0].name == "outage"
        file.write_text(AFTER)
        await until(lambda: any(one.id == "cold" for one in built.pipeline.pack.keywords))
        assert built.reader.status(0.0).pack_refused is None
        await say(built, 10, MINUTE + 7200)
        assert (heard(built, "outage"), heard(built, "cold")) == (3, 1)

    async def second(built: Service) -> None:
        assert built.pipeline.keywords.index("cold")
        await say(built, 20, MINUTE + 3 * 3600)
        assert heard(built, "outage") >= 4
        assert heard(built, "cold") == 2
        (source,) = built.reader.sources(0.0)
        assert source.records == 9  # none counted anew
        await asyncio.sleep(1.2)
        assert [act.kind for act in built.reader.controls()] == ["pack"]  # the file is the pack in use

    running(tmp_path, first)
    running(tmp_path, second)


def test_a_file_changed_while_the_service_was_down_is_taken_up_at_its_start(tmp_path: Path) -> None:
    file = tmp_path / "little.toml"
    file.write_text(BEFORE)

    async def first(built: Service) -> None:
        await say(built, 0, MINUTE)

    async def second(built: Service) -> None:
        await until(lambda: any(one.id == "cold" for one in built.pipeline.pack.keywords))
        await say(built, 10, MINUTE + 7200)
        assert (heard(built, "outage"), heard(built, "cold")) == (3, 1)

    running(tmp_path, first)
    file.write_text(AFTER)
    running(tmp_path, second)
