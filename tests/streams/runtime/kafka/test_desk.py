"""The one writer: fenced off when another has taken over, patient while the store refuses, and heard without it when it must be."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from ground import KIT
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from alerting.model import Incident, Scope
from alerting.outbox import UnreachableError
from streams.complaint import DeadLetter, Where
from streams.runtime.exporter import Totals
from streams.runtime.kafka import desk as desks
from streams.runtime.kafka import wire
from streams.runtime.kafka.deliver_agent import DeliverStage
from streams.runtime.kafka.desk import Desk, Desks, Vocabulary
from streams.runtime.kafka.parts import source_count
from streams.runtime.kafka.records import CellsRecord, SourceRecord, StepRecord
from streams.runtime.notify_settings import NotifySettings
from streams.runtime.store import tables
from streams.runtime.store.lease import FencedError
from streams.runtime.store.migrations import open_store
from streams.runtime.store.outbox import StoreOutbox
from streams.runtime.store.reader import Health, Reader
from streams.runtime.store.writer import Work, Writer


class Flaky(Writer):
    """A writer whose store refuses so many times; `lost`: it writes, and the answer does not come."""

    refusals = 0
    lost = False

    def commit(self, work: Work, snapshot: Any = None, guard: Any = None) -> None:
        if self.refusals and not self.lost:
            self.refusals -= 1
            raise OperationalError("commit", {}, Exception("disk full"))
        super().commit(work, snapshot, guard)
        if self.refusals:
            self.refusals -= 1
            raise OperationalError("commit", {}, Exception("connection lost"))


def desk(folder: Path) -> Desk:
    store, words = open_store(f"sqlite:///{folder / 'store.sqlite'}"), Vocabulary()
    writer = Flaky(store, KIT.places, words, lambda source: "social")
    return Desk(KIT.places, words, store, writer, Health(), Totals(), NotifySettings(), KIT.window_seconds)


def incident() -> Incident:
    return Incident(
        id="ab12", revision=3, state="confirmed", onset=0.0, opened_at=60.0, suspected_at=60.0, confirmed_at=120.0, updated_at=120.0,
        scope=Scope("everywhere", "Everywhere", "everywhere", ("Everywhere",)), keywords=("outage",), title="outage", people=9,
        messages=9, expected=1.0, factor=9.0, p_value=1e-9, reason="confirmed",
    )  # fmt: skip


def brought(one: Desk, offset: int = 1) -> None:
    one.work.incidents.append(incident())
    one.offsets["t.incidents:0"] = offset


def told(output: str) -> int:
    """Lines of the log as a channel."""
    return sum("ab12" in line and "CONFIRMED" in line for line in output.splitlines())


def test_one_that_was_replaced_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lived() -> None:
        first = desk(tmp_path)
        second = desk(tmp_path)
        brought(first)
        await first.write()
        assert "number 2 has taken over" in str(first.fenced)
        monkeypatch.setattr(desks, "FENCED_SECONDS", -1.0)
        with pytest.raises(FencedError):
            await first.write()  # and its group has not told it anything else
        brought(second)
        await second.write()

    asyncio.run(lived())
    third = desk(tmp_path)
    assert third.durable == {"t.incidents:0": 1}
    assert len(Reader(third.store).incident("ab12")) == 1


def test_the_page_knows_by_what_a_window_was_judged(tmp_path: Path) -> None:
    cells = CellsRecord(7, 0, 600, 60, ["everywhere"], ["*"], [9], [9], [1.0], [3.0], [1e-9], [True], 2e-6, True)
    one = desk(tmp_path)
    for entry in (cells, StepRecord(7, 1, 700.0, 660.0)):
        one.take_cells(wire.encode(entry))
    one.offsets["t.cells:0"] = 2
    asyncio.run(one.write())
    assert Reader(one.store).cut(600) == (2e-6, True)


def test_what_was_written_without_an_answer_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "COMMIT_SECONDS", 0.01)

    async def lived() -> Desk:
        one = desk(tmp_path)
        brought(one)
        one.work.sources["a:b"] = source_count(SourceRecord("a:b", records=5))
        one.writer.lost, one.writer.refusals = True, 1  # type: ignore[attr-defined]
        await one.write()
        return one

    one = asyncio.run(lived())
    with one.store.connect() as connection:
        assert connection.execute(text("select records from sources")).scalars().all() == [5]


def test_a_confirmed_page_goes_out_without_the_store_and_not_again_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desks, "COMMIT_SECONDS", 0.01)
    monkeypatch.setattr(desks, "PAGE_SECONDS", 0.05)

    async def lived() -> int:
        one = desk(tmp_path)
        one.begin()
        one.writer.refusals = 50  # type: ignore[attr-defined]
        brought(one)
        writing = asyncio.create_task(one.write())
        while one.writer.refusals > 10:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
        assert one.health.store is not None
        assert "disk full" in one.health.store
        brought(one, 2)
        await one.keep_pace(patiently=False)  # does not wait for the store
        early = told("".join(capfd.readouterr()))
        await writing
        assert one.health.store is None
        await settled(one)
        await one.sending.stop()
        return early

    assert asyncio.run(lived()) == 1
    assert told("".join(capfd.readouterr())) == 0


def test_dead_letters_wait_for_the_store_in_the_log_and_incidents_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "COMMIT_SECONDS", 0.01)
    monkeypatch.setattr(desks, "MOST_ROWS", 2000)
    large = "A" * 88_000

    def logged(value: bytes, offset: int) -> Any:
        return SimpleNamespace(value=value, offset=offset, timestamp=60_000)

    def letter(offset: int) -> Any:
        one = DeadLetter("not_json", "", Where("complaints", offset, 0), large, 65_536, "")
        return logged(wire.dead_letter(one).value or b"", offset)

    async def lived() -> tuple[int, int]:
        one = desk(tmp_path)
        owned = Desks(lambda: one)
        letters, incidents = (DeliverStage(TP(f"t.{name}", 0), owned) for name in ("dead-letter", "incidents"))
        await letters.begin()
        await incidents.begin()
        one.writer.refusals = 10**9  # type: ignore[attr-defined]

        async def flood() -> None:
            for offset in range(100):
                await asyncio.wait_for(letters.take([letter(offset)]), 0.3)

        with pytest.raises(TimeoutError):
            await flood()
        gathered = letters.records
        await asyncio.wait_for(incidents.take([logged(wire.incident(incident()).value or b"", 0)]), 0.3)
        one.writer.refusals = 0  # type: ignore[attr-defined]
        await letters.take([letter(offset) for offset in range(gathered, 100)])
        await letters.end()
        with one.store.connect() as connection:
            return gathered, len(connection.execute(select(tables.dead_letters.c.where)).all())

    gathered, written = asyncio.run(lived())
    assert gathered < 6
    assert written == 100


async def settled(one: Desk) -> None:
    """Until nothing waits in the outbox."""
    end = time.monotonic() + 10
    while True:
        with one.store.connect() as connection:
            states = connection.execute(select(tables.outbox.c.state)).scalars().all()
        if states and set(states) == {"sent"}:
            return
        assert time.monotonic() < end, states
        await asyncio.sleep(0.01)


def test_an_outbox_that_cannot_be_read_ends_nothing_and_is_sent_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    locked = [True] * 2

    def claim(outbox: StoreOutbox, rows: Any, ended: Any) -> Any:
        if locked:
            raise UnreachableError(f"database is locked {locked.pop()}")
        return claimed(outbox, rows, ended)

    claimed = StoreOutbox.claim
    monkeypatch.setattr(StoreOutbox, "claim", claim)

    async def lived() -> None:
        one = desk(tmp_path)
        one.begin()
        brought(one, 1)
        await one.write()
        await settled(one)
        await one.sending.stop()

    asyncio.run(lived())
    assert told("".join(capfd.readouterr())) == 1
