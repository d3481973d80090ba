"""One look at the store serves all viewers, and a store that fails is told, not hidden."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import event

from dashboards.dom import text_of
from dashboards.frame import View, banners
from tests.dashboards.made_up import Log, calm, site


def test_the_store_is_read_once_however_many_look(tmp_path: Path) -> None:
    reader = calm().store(tmp_path / "store.sqlite")
    desk = site(reader, Log())
    asked: list[str] = []
    event.listen(reader.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    async def look() -> None:
        await asyncio.gather(*(desk.live.shared(("x",), lambda: reader.incidents()) for _ in range(50)))

    asyncio.run(desk.live.refresh())
    first = len(asked)
    asyncio.run(look())
    assert len(asked) == first + 1


def test_nothing_is_rebuilt_while_nothing_moves(tmp_path: Path) -> None:
    desk = site(calm().store(tmp_path / "store.sqlite"), Log())

    async def look() -> list[int]:
        return [(await desk.live.refresh()).version for _ in range(3)]

    assert asyncio.run(look()) == [1, 1, 1]


def test_listeners_hear_of_an_act_and_stop_when_they_leave(tmp_path: Path) -> None:
    desk = site(calm().store(tmp_path / "store.sqlite"), Log())
    heard: list[int] = []
    leave = desk.live.listen(lambda: heard.append(1))

    async def play() -> None:
        await desk.live.refresh()
        await desk.acts.ack(desk.reader.incident("c0ffee01")[-1], "anna")
        await desk.live.refresh()
        leave()
        await desk.acts.ack(desk.reader.incident("c0ffee01")[-1], "anna")
        await desk.live.refresh()

    asyncio.run(play())
    assert len(heard) == 2


def test_a_store_that_cannot_be_read_leaves_the_last_sight_and_says_so(tmp_path: Path) -> None:
    reader = calm().store(tmp_path / "store.sqlite")
    desk = site(reader, Log())
    before = asyncio.run(desk.live.refresh())
    reader.engine.dispose()
    (tmp_path / "store.sqlite").rename(tmp_path / "gone.sqlite")
    for left in tmp_path.glob("store.sqlite-*"):
        left.unlink()
    after = asyncio.run(desk.live.refresh())
    assert after.resolved == before.resolved
    assert "Out of date." in " ".join(text_of(n) for n in banners(after, View("UTC", "anna")))
    (tmp_path / "store.sqlite").unlink(missing_ok=True)
    (tmp_path / "gone.sqlite").rename(tmp_path / "store.sqlite")
    reader.engine.dispose()
    assert asyncio.run(desk.live.refresh()).trouble is None
