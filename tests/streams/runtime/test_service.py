"""The embedded service in this process: what HTTP answers, what sources bring, what happens when the store or the disk fails."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text

from alerting.model import Control, Incident, Scope
from streams.runtime.embedded import Service
from streams.runtime.entries import CONTROL, Entry
from streams.runtime.feeds import read_lines
from streams.runtime.http_intake import MAX_BODY_BYTES, Allowance, router
from streams.runtime.journal import Journal
from streams.runtime.lock import LockedError
from streams.runtime.settings import Settings
from streams.runtime.store.writer import Work

Test = Callable[[Service, httpx.AsyncClient], Awaitable[None]]
MINUTE = 1_704_585_600


def complaint(number: int, **fields: Any) -> dict[str, Any]:
    plain = {
        "id": str(number),
        "source": "web:test",
        "text": "no power in Houston",
        "created_at": MINUTE + number,
        "author": f"a{number}",
    }
    return {**plain, **fields}


def run(folder: Path, test: Test, sources: list[dict[str, Any]] | None = None, **settings: Any) -> None:
    """Run `test` against a service in `folder`."""
    service = {"data": folder / "var", "idle_tick_seconds": 0, "min_free_megabytes": 0, **settings}
    built = Service(Settings.model_validate({"pack": "power", "service": service, "sources": sources or []}))
    app = FastAPI()
    app.include_router(router(built))

    async def inside() -> None:
        built.start()
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                await test(built, client)
        finally:
            await built.stop()

    asyncio.run(inside())


async def settled(service: Service) -> None:
    for _ in range(400):
        await asyncio.sleep(0.02)
        if service.runner.backlog == 0 and service.runner.written >= service.journal.next_seq - 1:
            return
    raise TimeoutError(service.health)


async def complaints(client: httpx.AsyncClient, body: bytes | str, kind: str = "application/json") -> httpx.Response:
    return await client.post("/complaints", content=body, headers={"content-type": kind})


def counted(service: Service) -> int:
    return sum(source.records for source in service.reader.sources(0.0))


def test_one_an_array_and_lines_are_taken_and_bad_ones_told(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        answer = await complaints(client, json.dumps(complaint(1)))
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
        answer = await complaints(client, json.dumps([complaint(2), {"id": "x"}, complaint(3)]))
        told = answer.json()
        assert (told["accepted"], told["dead_letters"]) == (2, 1)
        assert (told["rejected"][0]["line"], told["rejected"][0]["reason"]) == (2, "bad_field")
        body = b"\n".join([json.dumps(complaint(4)).encode(), b"", b"\xff\xfe", json.dumps(complaint(5)).encode()])
        told = (await complaints(client, body, "application/x-ndjson")).json()
        assert (told["accepted"], [one["line"] for one in told["rejected"]]) == (2, [3])
        await complaints(client, json.dumps(complaint(9, created_at=MINUTE + 3600)))
        await settled(service)
        assert counted(service) == 6
        assert sum(one.count for one in service.reader.dead_letters(0.0)) == 2

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"no json", "application/json", "line 1"),
        (b'[{"id": 1}, {', "application/json", "array"),
        (b"", "application/json", "line 1"),
        (b"\n \n", "application/x-ndjson", "no record"),
    ],
)
def test_an_unreadable_body_is_refused_and_leaves_nothing(tmp_path: Path, body: bytes, kind: str, said: str) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        answer = await complaints(client, body, kind)
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert service.journal.next_seq == 0

    run(tmp_path, test)


def test_a_body_too_large_is_413_declared_or_not(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        async def stream() -> Any:
            for _ in range(MAX_BODY_BYTES // 1000 + 1):
                yield b" " * 1000

        assert (await client.post("/complaints", content=b" " * (MAX_BODY_BYTES + 1))).status_code == 413
        assert (await client.post("/complaints", content=stream())).status_code == 413
        large = json.dumps(complaint(1, text="x" * 300_000))
        assert (await complaints(client, large)).json()["rejected"][0]["reason"] == "too_large"

    run(tmp_path, test)


def test_a_token_is_asked_for_where_there_is_one_and_other_sites_may_not_post(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        body = json.dumps(complaint(1))
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
            answer = await client.post("/complaints", content=body, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert (await client.get("/metrics", headers=headers)).status_code == 401
        right = {"authorization": "Bearer 0123456789abcdef"}
        assert (await client.post("/complaints", content=body, headers=right)).status_code == 202
        foreign = {**right, "origin": "https://elsewhere.example"}
        assert (await client.post("/complaints", content=body, headers=foreign)).status_code == 403

    run(tmp_path, test, token="0123456789abcdef")


def test_a_client_that_sends_too_much_is_asked_to_wait(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        body = json.dumps([complaint(number) for number in range(20)])
        answers = [await complaints(client, body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 429, 429]
        assert int(answers[1].headers["retry-after"]) >= 1

    run(tmp_path, test, records_per_second=10)


def test_an_allowance_refills_and_never_refuses_for_ever() -> None:
    allowance = Allowance(10.0)
    assert allowance.take("a", 20, 0.0) == 0
    assert allowance.take("a", 5, 0.0) == pytest.approx(0.5)
    assert allowance.take("a", 5, 0.5) == 0
    assert allowance.take("b", 500, 0.5) == 0, "larger than the bucket passes when the bucket is full"
    assert allowance.take("b", 1, 1.0) > 0


def test_an_act_takes_effect_at_the_next_close_and_is_kept(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        answer = await client.post("/controls", json={"kind": "note", "author": "me", "incident": "i", "value": "seen"})
        assert answer.status_code == 202
        await settled(service)
        (control,) = service.reader.controls("i")
        assert (control.author, control.value, control.id) == ("me", "seen", answer.json()["id"])
        assert (await client.post("/controls", json={"kind": "dance", "author": "me"})).status_code == 400

    run(tmp_path, test)


def test_an_undo_that_the_store_cannot_be_asked_about_is_to_be_sent_again(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        with service.store.begin() as connection:
            connection.execute(text("ALTER TABLE controls RENAME TO gone"))
        answer = await client.post("/controls", json={"kind": "undo", "author": "me", "value": "some"})
        assert (answer.status_code, bool(answer.headers["retry-after"])) == (503, True)
        assert "the store does not answer" in answer.json()["detail"]
        assert service.journal.next_seq == 0

    run(tmp_path, test)


def test_a_store_that_is_away_delays_no_client_until_the_journal_holds_as_much_as_it_may_and_nothing_is_lost_or_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "streams.runtime.runner.COMMIT_ROWS", 40
    )  # with so much at hand counting waits for the store too
    monkeypatch.setattr("streams.runtime.runner.RETRY_SECONDS", 0.1)
    monkeypatch.setattr("streams.runtime.commits.RETRY_SECONDS", 0.1)

    async def test(service: Service, client: httpx.AsyncClient) -> None:
        service.journal.segment_bytes = 20_000
        other = create_engine(service.store.url)
        sent, longest, stood_still = 0, 0.0, False

        async def post() -> httpx.Response:
            nonlocal sent, longest
            began = time.monotonic()
            body = [complaint(number, created_at=MINUTE + 100.0 * number) for number in range(sent, sent + 20)]
            answer = await complaints(client, json.dumps(body))
            longest = max(longest, time.monotonic() - began)
            sent += 20 if answer.status_code == 202 else 0
            return answer

        with other.connect() as blocking:
            blocking.execute(text("BEGIN IMMEDIATE"))
            began = time.monotonic()
            while (answer := await post()).status_code == 202:
                stood_still = stood_still or service.runner.backlog > 100
                await asyncio.sleep(0.25)  # the store is known to be away after five seconds
                assert time.monotonic() - began < 60, "it is bounded"
            assert (answer.status_code, bool(answer.headers["retry-after"])) == (503, True)
            assert "journal holds as much as it may" in answer.text
            assert (await client.get("/-/healthy")).status_code == 503
            assert "locked" in (service.reader.status(time.time()).red or "")
            assert 100_000 < service.journal.bytes_from(0) < 200_000
            assert stood_still, "counting waited for the store, clients did not"
            assert longest < 2
            blocking.rollback()
        await settled(service)
        assert service.health.red is None
        assert (await post()).status_code == 202
        await complaints(client, json.dumps(complaint(9, id="last", created_at=MINUTE + 100.0 * sent + 3600)))
        await settled(service)
        assert counted(service) == sent + 1
        assert (
            sum(cell.voices for cell in service.reader.series("everywhere", "*", MINUTE - 60, MINUTE + 100.0 * sent))
            == sent
        )

    run(tmp_path, test, backlog_megabytes=0.1)


def test_a_blind_source_stays_blind_while_others_talk_and_no_window_closes(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        async def say(*said: tuple[str, float]) -> None:
            body = [complaint(0, id=f"{name}{minute}", author=None, source=name, created_at=MINUTE + 60 * minute)
                    for name, minute in said]  # fmt: skip
            assert (await complaints(client, json.dumps(body))).status_code == 202
            await settled(service)

        def blind() -> list[tuple[str, float | None]]:
            return [(one.source, one.blind_since) for one in service.reader.sources(0.0)]

        both = [(name, minute) for minute in range(0, 1800, 5) for name in ("web:quiet", "web:talking")]
        await say(*both, *(("web:talking", minute) for minute in range(1800, 1920, 5)))
        (_, since), talking = blind()
        assert since is not None
        assert talking == ("web:talking", None)
        until = service.pipeline.detect.closed_until
        before = service.reader.blind_then(until)
        await say(("web:talking", 1915.5))  # closes nothing
        await client.post("/controls", json={"kind": "note", "author": "me", "incident": "i", "value": "seen"})
        await settled(service)
        assert service.pipeline.detect.closed_until == until
        assert blind() == [("web:quiet", since), talking]
        assert service.reader.blind_then(until) == before
        assert [one.source for one in service.reader.sources_then(until) if one.blind_since] == ["web:quiet"]

    run(tmp_path, test)


def test_files_and_standard_input_are_partitions_of_one_log(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text(
        "".join(json.dumps(complaint(number, source="feed")) + "\n" for number in range(50)) + '{"id": "half'
    )

    async def test(service: Service, client: httpx.AsyncClient) -> None:
        lines = b"".join(json.dumps(complaint(number, source="piped")).encode() + b"\n" for number in range(30))
        thread = read_lines(service.append, lambda: False, asyncio.get_running_loop(), BytesIO(lines))
        await asyncio.to_thread(thread.join, 10)
        with feed.open("a") as file:
            file.write('way"}\n' + json.dumps(complaint(60, source="feed", created_at=MINUTE + 7200)) + "\n")
        await complaints(client, json.dumps(complaint(61, source="piped", created_at=MINUTE + 7200)))
        for _ in range(200):
            await asyncio.sleep(0.05)
            if counted(service) == 51 + 31:
                break
        assert {one.source: one.records for one in service.reader.sources(0.0)} == {"feed": 51, "piped": 31}
        (dead,) = service.reader.dead_letters(0.0)
        assert (dead.reason, dead.where, dead.count) == ("bad_field", "feed.jsonl", 1)

    run(tmp_path, test, [{"kind": "file", "name": "feed", "path": feed}])


def test_a_restart_goes_on_without_a_snapshot_too(tmp_path: Path) -> None:
    async def first(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps([complaint(number) for number in range(100)]))
        await settled(service)

    async def second(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps([complaint(number) for number in range(90, 110)]))
        await complaints(client, json.dumps(complaint(999, created_at=MINUTE + 3600)))
        await settled(service)
        (source,) = service.reader.sources(0.0)
        assert (source.records, service.reader.matrix(MINUTE, MINUTE + 600)[0].voices) == (111, 110)

    run(tmp_path, first, snapshot_seconds=3600)
    engine = create_engine(f"sqlite:///{tmp_path / 'var' / 'store.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("delete from snapshots"))
    run(tmp_path, second)


def test_a_changed_configuration_counts_the_journal_anew_and_nothing_twice(tmp_path: Path) -> None:
    async def first(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps([complaint(number) for number in range(100)]))
        await complaints(client, json.dumps(complaint(998, created_at=MINUTE + 3600)))
        await settled(service)
        scope = Scope("city:4699066", "Houston", "city", ("Houston",))
        gone = Incident(
            id="gone", revision=4, state="confirmed", onset=MINUTE, opened_at=MINUTE, updated_at=MINUTE, scope=scope, keywords=("*",),
            title="t", people=9, messages=9, expected=1.0, factor=9.0, p_value=0.0,
        )  # fmt: skip
        service.runner.writer.commit(Work(incidents=[gone]))

    async def second(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps([complaint(number) for number in range(50, 100)]))
        await complaints(
            client, json.dumps([complaint(120, created_at=MINUTE + 3601), complaint(999, created_at=MINUTE + 7200)])
        )
        await settled(service)
        assert service.reader.matrix(MINUTE, MINUTE + 600)[0].voices == 100
        assert service.reader.matrix(MINUTE + 3600, MINUTE + 3660)[0].voices == 2
        (source,) = service.reader.sources(0.0)
        assert source.records == 103
        ended = service.reader.incident("gone")[-1]
        assert (ended.revision, ended.state, ended.reason) == (5, "resolved", "configuration changed")

    run(tmp_path, first)
    run(tmp_path, second, budget_per_week=7.0)


def test_a_tick_closes_windows_when_nothing_comes(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps(complaint(1, created_at=time.time() - 420)))  # its window has ended
        for _ in range(400):
            await asyncio.sleep(0.05)
            if service.reader.matrix(time.time() - 900, time.time()):
                return
        raise TimeoutError

    run(tmp_path, test, idle_tick_seconds=0.2)


def test_a_second_service_on_one_folder_is_refused_naming_the_first(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        with pytest.raises(LockedError, match=str(os.getpid())):
            Service(service.settings)

    run(tmp_path, test)


def test_metrics_tell_what_was_counted(tmp_path: Path) -> None:
    async def test(service: Service, client: httpx.AsyncClient) -> None:
        await complaints(client, json.dumps([complaint(1), complaint(2), {"id": "bad"}]))
        await complaints(client, json.dumps(complaint(9, created_at=MINUTE + 3600)))
        await settled(service)
        told = (await client.get("/metrics")).text
        assert 'overheard_records_total{source="web:test"} 3.0' in told
        assert 'overheard_dead_letters_total{reason="bad_field"} 1.0' in told
        assert "overheard_healthy 1.0" in told
        assert 'overheard_open_incidents{state="confirmed"} 0.0' in told
        assert 'overheard_series_people{place="everywhere",keyword="*"} 2.0' in told
        assert 'overheard_series_expected{place="__other__",keyword="__other__"} 0.0' in told
        assert 'overheard_source_blind{source="web:test"} 0.0' in told
        assert "overheard_commit_age_seconds 0.0" in told
        assert 'overheard_broken{part="store"} 0.0' in told

    run(tmp_path, test)


def test_controls_written_while_the_service_is_down_are_taken_when_it_runs(tmp_path: Path) -> None:
    control = Control(id="c", kind="ack", at=5.0, author="me", incident="i")
    journal = Journal(tmp_path / "var" / "journal")
    journal.write([Entry(CONTROL, msgspec.json.encode(control), 5.0)])
    journal.close()

    async def test(service: Service, client: httpx.AsyncClient) -> None:
        assert service.reader.controls() == [control]

    run(tmp_path, test)
