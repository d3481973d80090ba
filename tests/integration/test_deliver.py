"""Every incident reaches every channel, whatever channels answer and whenever the sending process is killed; and soon, when all is well."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from deliver_process import HOST, NoNames, incident, notify
from faults import SOAK
from service import Running, lines, made
from sqlalchemy import create_engine, func, select, text

from alerting.model import Incident
from streams.runtime.deliver import sending
from streams.runtime.store import tables
from streams.runtime.store.lease import Lease
from streams.runtime.store.migrations import open_store
from streams.runtime.store.planner import Planner
from streams.runtime.store.writer import Work, Writer
from tests.alerting.notify.receiver import Answer, Receiver, Request
from tests.fresh_seed import FRESH_SEED

INCIDENTS, KILLS, PER_SECOND = (1000, 10, 12.0) if SOAK else (200, 4, 25.0)
RESTS = (1.0, 2.0)  # what a 429 may ask for
BAD = 0.04  # of the requests
UNSURE_SECONDS = 0.5  # a kill this soon after an answer: the process may not have lived to keep it


class Taken(NamedTuple):
    """A request and what it was answered."""

    at: float
    path: str
    ids: tuple[str, ...]
    answer: str


class Judge:
    """Answers by a seeded script and keeps what it truly took."""

    def __init__(self, seed: int, bad: float = BAD) -> None:
        self.rng, self.bad = random.Random(seed), bad
        self.taken: list[Taken] = []
        self.actions: dict[str, str] = {}
        self.down = False

    def answer(self, request: Request) -> Answer:
        """What the script has for the next request."""
        told = request.json()
        ids = tuple(one["id"] for one in told)
        self.actions |= {one["id"]: one["action"] for one in told}
        kind = self._kind()
        self.taken.append(Taken(time.time(), request.path, ids, kind))
        if kind.startswith("429 "):
            return Answer(429, b"slow down", (("retry-after", kind[4:]),))
        return {
            "200": Answer(),
            "200 garbage": Answer(200, b"\x00\xff{<"),
            "500": Answer(500, b"broken"),
            "429": Answer(429, b"slow down"),
            "reset": Answer(500, b"half of", how="reset"),
            "never": Answer(how="never"),
            "no http": Answer(how="garbage"),
        }[kind]

    def _kind(self) -> str:
        if self.down:
            return "500"
        if self.rng.random() >= self.bad:
            return self.rng.choice(["200", "200", "200", "200 garbage"])
        rest = f"429 {self.rng.choice(RESTS):g}"
        return self.rng.choice(["500", "429", rest, rest, "reset", "never", "no http"])

    def accepted(self, path: str) -> list[str]:
        """Ids in the order taken, repeats too."""
        return [id for one in self.taken if one.path == path and one.answer.startswith("200") for id in one.ids]

    def repeated_sends(self, path: str) -> int:
        """Sends that brought something again; a digest that comes again is one."""
        seen: set[str] = set()
        again = 0
        for one in self.taken:
            if one.path == path and one.answer.startswith("200"):
                again += not seen.isdisjoint(one.ids)
                seen.update(one.ids)
        return again

    def too_early(self, kills: list[float]) -> tuple[int, int]:
        """Requests before the rest that was asked for was over; and those after a kill that may have cost the answer."""
        early = unsure = 0
        for path in ("/hook", "/chat", "/pager"):
            found = [one for one in self.taken if one.path == path]
            for one, after in pairwise(found):
                if one.answer.startswith("429 ") and after.at - one.at < float(one.answer[4:]) - 0.02:
                    lost = any(one.at <= kill <= one.at + UNSURE_SECONDS for kill in kills)
                    early, unsure = early + (not lost), unsure + lost
        return early, unsure


def states(store: str) -> Counter[str]:
    engine = create_engine(store)
    try:
        with engine.connect() as connection:
            table = tables.outbox
            return Counter(dict(connection.execute(select(table.c.state, func.count()).group_by(table.c.state)).all()))  # type: ignore[arg-type]
    finally:
        engine.dispose()


def attempts(store: str) -> int:
    engine = create_engine(store)
    try:
        with engine.connect() as connection:
            return int(connection.execute(select(func.sum(tables.outbox.c.attempts))).scalar_one())
    finally:
        engine.dispose()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [FRESH_SEED])
def test_every_incident_reaches_every_channel_through_kills_and_bad_answers(tmp_path: Path, seed: int) -> None:
    store, judge, kills = f"sqlite:///{tmp_path / 'store.sqlite'}", Judge(seed), list[float]()
    rng = random.Random(seed)

    async def lived() -> None:
        async with Receiver(judge.answer) as receiver:
            command = [sys.executable, str(Path(__file__).with_name("deliver_process.py")), store]
            command += [str(receiver.port), str(INCIDENTS), str(PER_SECOND)]
            writing = INCIDENTS / PER_SECOND
            process = subprocess.Popen(command)
            try:
                for _ in range(KILLS):
                    before = len(judge.taken)
                    await until(lambda before=before: len(judge.taken) > before, 60)  # type: ignore[misc]
                    await asyncio.sleep(rng.uniform(0.2, 1.6 * writing / KILLS))
                    process.kill()
                    process.wait()
                    kills.append(time.time())
                    process = subprocess.Popen(command)
                wanted = INCIDENTS * 2  # an open and a resolve each
                await until(lambda: len(set(judge.accepted("/pager"))) >= wanted, 600)
                while {"pending", "sending"} & states(store).keys():
                    await asyncio.sleep(0.2)
            finally:
                process.kill()
                process.wait()

    began = time.time()
    asyncio.run(lived())
    early, unsure = judge.too_early(kills)
    keys = {f"incident-{number}" for number in range(INCIDENTS)}
    told = {path: judge.accepted(path) for path in ("/hook", "/chat", "/pager")}
    repeats = {path: judge.repeated_sends(path) for path in told}
    first = [
        min(one.at for one in judge.taken if one.at > kill and one.answer.startswith("200")) - kill for kill in kills
    ]
    print(
        f"\nseed {seed}: {INCIDENTS} incidents, {len(kills)} kills, {len(judge.taken)} requests for {attempts(store)} attempts in "
        f"{time.time() - began:.0f} s, answers {dict(Counter(one.answer for one in judge.taken))}, repeats {repeats}, "
        f"before a rest was over {early} (and {unsure} that a kill made forget), outbox {dict(states(store))}, "
        f"first delivery after a kill at most {max(first):.1f} s"
    )
    for path, ids in told.items():
        pages = Counter(id.split(":")[0] for id in set(ids) if judge.actions[id] == "open")
        ends = Counter(id.split(":")[0] for id in set(ids) if judge.actions[id] == "resolve")
        assert pages == ends == dict.fromkeys(keys, 1), "each once, when the receiver drops what came twice"
        assert repeats[path] <= len(kills), path
    assert early == 0
    assert max(first) <= 60
    assert set(states(store)) <= {"sent", "superseded"}


async def until(done: Callable[[], object], seconds: float) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s")
        await asyncio.sleep(0.05)


class Sender:
    """The sending half in this process, over a store of its own; incidents are written as if DETECT had decided them now."""

    def __init__(self, folder: Path, port: int, every_seconds: float) -> None:
        self.url = f"sqlite:///{folder / 'store.sqlite'}"
        engine = open_store(self.url)
        self.lease = Lease(engine)
        settings = notify(port, every_seconds)
        self.writer = Writer(engine, NoNames(), NoNames(), str, planner=Planner(engine, settings.routes))  # type: ignore[arg-type]
        self.sending = sending(self.writer, self.lease, settings)
        self.sending.start()

    async def write(self, *incidents: Incident) -> None:
        await asyncio.to_thread(self.writer.commit, Work(incidents=list(incidents)), None, self.lease.check)
        self.sending.wake()


@pytest.mark.timeout(120)
def test_when_all_is_well_the_first_post_is_made_within_a_second_of_the_decision(tmp_path: Path) -> None:
    judge, decided = Judge(1, bad=0.0), dict[str, float]()

    async def lived() -> None:
        async with Receiver(judge.answer) as receiver:
            sender = Sender(tmp_path, receiver.port, 0.01)
            for number in range(100):
                decided[f"incident-{number}"] = time.time()
                await sender.write(incident(number, 1))
                await asyncio.sleep(0.03)
            await until(lambda: len(judge.accepted("/hook")) == 100, 30)
            await sender.sending.stop()

    asyncio.run(lived())
    took = sorted(one.at - decided[one.ids[0].split(":")[0]] for one in judge.taken if one.path == "/hook")
    print(f"\nfrom the decision to the first POST: median {took[50] * 1000:.0f} ms, p99 {took[98] * 1000:.0f} ms")
    assert took[98] <= 1.0


@pytest.mark.timeout(180)
def test_what_piled_up_while_a_channel_was_away_is_sent_at_the_channels_pace(tmp_path: Path) -> None:
    judge, every, count = Judge(1, bad=0.0), 0.05, 200
    judge.down = True
    back = [0.0]

    async def lived() -> None:
        async with Receiver(judge.answer) as receiver:
            sender = Sender(tmp_path, receiver.port, every)
            await sender.write(*(incident(number, 1) for number in range(count)))
            await asyncio.sleep(6)
            judge.down, back[0] = False, time.time()
            await until(lambda: len(judge.accepted("/hook")) == count, 90)
            await until(lambda: len(judge.accepted("/chat")) == count, 90)
            await sender.sending.stop()

    asyncio.run(lived())
    at = [one.at for one in judge.taken if one.path == "/hook" and one.answer.startswith("200")]
    rate = (count - 1) / (at[-1] - at[0])
    digests = [len(one.ids) for one in judge.taken if one.path == "/chat" and one.answer.startswith("200")]
    print(
        f"\nfirst delivery {at[0] - back[0]:.1f} s after it was back, then {rate:.1f} a second of {1 / every:.0f}; digests {digests}"
    )
    assert at[0] - back[0] <= 60
    assert rate >= 0.9 / every
    assert digests == [count]


@pytest.mark.timeout(300)
def test_pages_go_out_while_the_store_is_down_and_not_again_when_it_is_back(
    service: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    records, judge, down_seconds = made(1, days=10.0), Judge(1, bad=0.0), 60.0 if SOAK else 13.0
    monkeypatch.setenv("OVERHEARD_CHANNELS_HOOK_SECRET", f"whsec_{'QUFB' * 10}")
    storm = next(
        number for number, one in enumerate(records) if "person" in one["author"] and _crowded(records, number)
    )

    def answer(request: Request) -> Answer:
        told = request.json()
        judge.taken.append(Taken(time.time(), request.path, (request.headers["webhook-id"],), "200"))
        judge.actions[request.headers["webhook-id"]] = told["data"]["action"]
        return Answer()

    async def lived() -> tuple[float, float]:
        async with Receiver(answer) as receiver:
            one = service("down")
            with one.config.open("a") as config:
                config.write(
                    f'[channels.hook]\nkind = "webhook"\nurl = "{receiver.url}/hook"\nallow_hosts = ["{HOST}"]\n'
                    '[[routes]]\nchannels = ["hook"]\ntier = "confirmed"\n'
                )
            await asyncio.to_thread(one.start)
            await asyncio.to_thread(one.wait)
            for first in range(0, storm, 200):
                assert (
                    await asyncio.to_thread(one.post, lines(records[first : min(storm, first + 200)]))
                ).status_code == 202
            await asyncio.to_thread(one.settle)
            assert not judge.taken
            store = create_engine(f"sqlite:///{one.folder / 'var' / 'store.sqlite'}")
            with store.connect() as locking:
                locking.execute(text("BEGIN EXCLUSIVE"))
                began = time.time()
                accepted = await asyncio.to_thread(one.post, lines(records[storm:]))
                assert accepted.status_code == 202, "kept in the journal"
                await until(lambda: judge.taken, down_seconds + 20)
                paged = time.time() - began
                await asyncio.sleep(max(0.0, down_seconds - paged))
                locking.rollback()
            store.dispose()
            down = time.time() - began
            await asyncio.to_thread(one.settle)
            await until(lambda: not {("pending",), ("sending",)} & set(one.rows("select state from outbox")), 30)
            rows = one.rows("select key, action, state from outbox order by id")
            assert {state for _, _, state in rows} <= {"sent", "superseded"}, rows
            assert await asyncio.to_thread(one.stop) < 5
            return paged, down

    paged, down = asyncio.run(lived())
    ids = [id for one in judge.taken for id in one.ids]
    print(f"\nstore down {down:.0f} s; a page after {paged:.1f} s; told {[(id, judge.actions[id]) for id in ids]}")
    assert len(ids) == len(set(ids)), "nothing doubled"
    assert Counter(judge.actions.values())["open"] == len({id.split(":")[0] for id in ids})


def _crowded(records: list[dict[str, object]], number: int) -> bool:
    """Whether ten of the next dozen are within a few minutes: the storm has begun."""
    span = records[number : number + 12]
    return len(span) == 12 and float(span[-1]["created_at"]) - float(span[0]["created_at"]) < 240  # type: ignore[arg-type]
