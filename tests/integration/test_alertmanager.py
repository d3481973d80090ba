"""The channel before real Alertmanagers: clustered, killed, cut off from each other, silenced, and fed what they refuse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from deliver_process import NoNames, PostSettings

from alerting.message import Message
from alerting.notify import alertmanager as channel_module
from alerting.notify.alerts import fault
from alerting.notify.registry import KINDS
from alerting.routing import Route
from streams.runtime.deliver import sending
from streams.runtime.notify_settings import NotifySettings
from streams.runtime.store.lease import Lease
from streams.runtime.store.migrations import open_store
from streams.runtime.store.planner import Planner
from streams.runtime.store.writer import Work, Writer
from tests.alerting.notify.cases.alertmanager import check
from tests.alerting.notify.hostile import PAYLOADS, hostile, huge, message
from tests.alerting.notify.receiver import Answer, Receiver
from tests.alerting.test_message import BAGGAGE
from tests.alertmanager import HOST, Alertmanager, Wire, free_port

pytestmark = [pytest.mark.alertmanager, pytest.mark.usefixtures("alertmanager_programs")]
SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None, revision=2)
REPEAT_SECONDS = 1.0  # in place of 20
QUIET_SECONDS = 2.5  # by then the second of two would have notified: it waits a second for the first


class Site:
    """Instances, the receiver they notify, and the channel that posts to all of them."""

    def __init__(self, stack: AsyncExitStack, sink: Receiver) -> None:
        self._stack, self._sink = stack, sink
        self.instances: list[Alertmanager] = []

    async def add(self, **options: Any) -> Alertmanager:
        """Start one; its notifications come to a path of its own."""
        made = Alertmanager(f"{self._sink.url}/{len(self.instances)}", **options)
        self._stack.callback(made.end)
        self.instances.append(made)
        return await asyncio.to_thread(made.start)

    def channel(self) -> Any:
        settings = {"kind": "alertmanager", "allow_hosts": ["127.0.0.1"], "urls": [one.url for one in self.instances]}
        made = KINDS["alertmanager"].model_validate(settings).make("am")
        self._stack.push_async_callback(made.close)
        return made

    def notified(self, status: str = "firing") -> list[tuple[int, list[str]]]:
        """Which instance told of which incidents, in order."""
        return [
            (int(request.path.removeprefix("/")), [alert["labels"]["incident"] for alert in body["alerts"]])
            for request in self._sink.requests
            if (body := request.json())["status"] == status
        ]

    def last_status(self) -> str:
        """Of the newest notification."""
        return str(self._sink.requests[-1].json()["status"])

    async def until(self, holds: Callable[[], bool], seconds: float, what: str) -> float:
        """The seconds it took."""
        began = time.monotonic()
        while not await asyncio.to_thread(holds):
            assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s; told: {self.notified()}"
            await asyncio.sleep(0.05)
        return time.monotonic() - began


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        yield Site(stack, await stack.enter_async_context(Receiver(lambda _: Answer())))


@asynccontextmanager
async def repeating(channel: Any, *standing: Message) -> AsyncIterator[None]:
    """Tells what stands again while the block runs."""

    async def go() -> None:
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            await channel.repeat(standing, time.time())

    task = asyncio.create_task(go())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def cluster(place: Site, group_wait: str = "2s") -> None:
    """Two instances that know each other."""
    first, second = free_port(), free_port()
    await place.add(gossip=(first, first), group_wait=group_wait)
    await place.add(gossip=(second, second), peers=[first], group_wait=group_wait)
    await joined(place)


async def joined(place: Site) -> None:
    def are() -> bool:
        told = [one.get("status")["cluster"] for one in place.instances]
        return all(one["status"] == "ready" and len(one["peers"]) == 2 for one in told)

    await place.until(are, 20, "one cluster")


def run(story: Callable[[Site], Awaitable[None]]) -> None:
    async def go() -> None:
        async with site() as place:
            await story(place)

    asyncio.run(go())


def beginning(one: Any) -> Any:
    """The same with its onset now: for one that began more than group_wait ago Alertmanager does not wait."""
    return msgspec.structs.replace(one, onset=time.time())


def doing(action: str, one: Any = BAGGAGE, thread: str | None = None) -> Message:
    return msgspec.structs.replace(message(one), action=action, thread=thread)


def active(one: Alertmanager) -> list[str]:
    return sorted(alert["labels"]["severity"] for alert in one.get("alerts") if alert["status"]["state"] == "active")


def test_one_of_two_is_killed_before_it_notified_and_people_hear_of_it_once() -> None:
    async def story(place: Site) -> None:
        await cluster(place)
        first, _ = place.instances
        channel = place.channel()
        new = beginning(BAGGAGE)
        await channel.send([doing("open", new)], time.time())
        assert [active(one) for one in place.instances] == [["critical"], ["critical"]]
        await asyncio.to_thread(first.kill)  # after its 200, inside group_wait: it told nobody
        assert place.notified() == []
        async with repeating(channel, doing("open", new)):
            await place.until(lambda: place.notified() == [(1, ["a1"])], 20, "the other one notifies")
            began = time.monotonic()
            await asyncio.to_thread(first.start)
            await place.until(lambda: active(first) == ["critical"], 60, "shown again")
            print(f"killed inside group_wait: shown again {time.monotonic() - began:.1f} s after its start")
            await joined(place)
            await asyncio.sleep(QUIET_SECONDS)
            assert place.notified() == [(1, ["a1"])]
        over = msgspec.structs.replace(new, state="resolved", resolved_at=time.time())
        await channel.send([doing("resolve", over)], time.time())
        await channel.repeat([doing("resolve", over)], time.time())
        await place.until(lambda: place.notified("resolved") != [], 20, "the end")
        await asyncio.sleep(QUIET_SECONDS)
        sides = [instance for instance, _ in place.notified("resolved")]
        assert len(sides) == len(set(sides))  # one was waiting for the other when the end came: it may tell both again
        assert place.last_status() == "resolved"
        assert [active(one) for one in place.instances] == [[], []]

    run(story)


def test_two_cut_off_from_each_other_notify_once_each() -> None:
    async def story(place: Site) -> None:
        ports = free_port(), free_port()
        async with Wire(ports[0]) as first, Wire(ports[1]) as second:
            await place.add(gossip=(ports[0], first.port))
            await place.add(gossip=(ports[1], second.port), peers=[first.port])
            await joined(place)
            channel = place.channel()
            await channel.send([doing("open", msgspec.structs.replace(BAGGAGE, id="together"))], time.time())
            await place.until(lambda: len(place.notified()) == 1, 20, "one notifies")
            await asyncio.sleep(QUIET_SECONDS)  # the other has heard of it
            first.cut()
            second.cut()
            apart = doing("open", msgspec.structs.replace(BAGGAGE, id="apart", scope=other_region()))
            await channel.send([apart], time.time())
            async with repeating(channel, apart):
                await place.until(lambda: len(told(place, "apart")) == 2, 20, "both notify")
                await asyncio.sleep(QUIET_SECONDS)
            assert sorted(told(place, "apart")) == [0, 1]
            assert len(told(place, "together")) == 1

    run(story)


def other_region() -> Any:
    return msgspec.structs.replace(BAGGAGE.scope, place="airport:BOS", name="BOS")


def told(place: Site, incident: str) -> list[int]:
    """The instances that told of an incident."""
    return [instance for instance, incidents in place.notified() if incident in incidents]


def test_one_that_is_alone_and_forgets_is_told_again_and_an_end_comes_by_itself(monkeypatch: Any) -> None:
    monkeypatch.setattr(channel_module, "LASTS_SECONDS", 2.0)

    async def story(place: Site) -> None:
        only = await place.add()
        channel = place.channel()
        new = beginning(BAGGAGE)
        await channel.send([doing("open", new)], time.time())
        await asyncio.to_thread(only.kill)
        await asyncio.to_thread(only.start)
        assert only.get("alerts") == []  # nothing of what it had answered 200 to
        async with repeating(channel, doing("open", new)):
            await place.until(lambda: place.notified() == [(0, ["a1"])], 10, "told again")
            await asyncio.sleep(3)
            assert active(only) == ["critical"]  # longer than an alert lasts
        await place.until(lambda: len(place.notified("resolved")) == 1, 10, "nobody repeats it")

    run(story)


def test_a_promotion_ends_what_was_suspected_and_the_end_reaches_the_receiver() -> None:
    async def story(place: Site) -> None:
        only = await place.add()
        channel = place.channel()
        first = await channel.send([doing("open", SUSPECTED)], time.time())
        assert active(only) == ["warning"]
        second = await channel.send([doing("update", BAGGAGE, first.thread)], time.time())
        await place.until(lambda: active(only) == ["critical"], 5, "promoted")
        await place.until(lambda: len(place.notified()) >= 1, 5, "told")
        await channel.send([doing("resolve", BAGGAGE, second.thread)], time.time())
        await place.until(lambda: len(place.notified("resolved")) == 1, 10, "the end")
        assert active(only) == []

    run(story)


def test_what_is_silenced_there_stays_quiet_and_is_still_shown() -> None:
    async def story(place: Site) -> None:
        only = await place.add()
        channel = place.channel()
        now = datetime.now(UTC)
        silence = {
            "matchers": [{"name": "incident", "value": "a1", "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "operator",
            "comment": "known",
        }
        assert only.post("silences", silence).status_code == 200
        loud = doing("open", msgspec.structs.replace(BAGGAGE, id="a2"))
        async with repeating(channel, doing("open"), loud):
            await place.until(lambda: len(place.notified()) == 1, 10, "the other one")
            await asyncio.sleep(2)
        assert place.notified() == [(0, ["a2"])]
        states = {alert["labels"]["incident"]: alert["status"]["state"] for alert in only.get("alerts")}
        assert states == {"a1": "suppressed", "a2": "active"}

    run(story)


def test_all_that_is_posted_is_taken_and_what_comes_back_has_the_published_form() -> None:
    async def story(place: Site) -> None:
        only = await place.add()
        standing = [message(), huge(), *(hostile(payload) for payload in PAYLOADS)]
        standing = [
            msgspec.structs.replace(one, incident=msgspec.structs.replace(one.incident, id=f"a{number}"))
            for number, one in enumerate(standing)
        ]
        await place.channel().repeat(standing, time.time())
        alerts = only.get("alerts")
        check("gettableAlerts", alerts)
        assert len(alerts) == len(standing)

    run(story)


def test_a_faulty_alert_is_found_before_alertmanager_finds_it_and_costs_the_others_nothing(monkeypatch: Any) -> None:
    usual = channel_module.labels_of
    good = {
        "labels": {"alertname": "A"},
        "annotations": {},
        "startsAt": "2024-01-01T00:00:00Z",
        "endsAt": "2024-01-01T00:01:00Z",
    }
    bad: list[dict[str, Any]] = [
        {**good, "labels": {}},
        {**good, "labels": {"alertname": ""}},
        {**good, "labels": {"alertname": "A", "not-a-name": "x"}},
        {**good, "labels": {"alertname": "A", "ü": "x"}},
        {**good, "annotations": {"0": "x"}},
        {**good, "endsAt": "2023-12-31T23:59:59Z"},
    ]

    def labels_of(one: Message) -> dict[str, str]:
        return {**usual(one), "not-a-name": "x"} if one.key == "bad" else usual(one)

    async def story(place: Site) -> None:
        only = await place.add()
        assert fault(good) is None
        for one in bad:
            assert fault(one) is not None
            assert only.post("alerts", [one]).status_code == 400, one
        monkeypatch.setattr(channel_module, "labels_of", labels_of)
        faulty = doing("open", msgspec.structs.replace(BAGGAGE, id="bad"))
        await place.channel().repeat([faulty, doing("open")], time.time())
        await place.until(lambda: place.notified() == [(0, ["a1"])], 10, "the good one")

    run(story)


class Desk:
    """DELIVER's sending half over a store of its own: two real instances, and another channel that hears of trouble."""

    def __init__(self, place: Site, store: str, ops: Receiver) -> None:
        urls = tuple(one.url for one in place.instances)
        settings = {"urls": urls, "allow_hosts": [HOST], "timeout_seconds": 0.5}
        channels = {"am": KINDS["alertmanager"].model_validate(settings), "ops": PostSettings(url=f"{ops.url}/ops")}
        routes = (Route(channels=("am",)),)
        notify = NotifySettings(channels=channels, routes=routes, trouble_channels=("am", "ops"))
        engine = open_store(store)
        self.lease = Lease(engine)
        self.writer = Writer(engine, NoNames(), NoNames(), str, planner=Planner(engine, routes))  # type: ignore[arg-type]
        self.sending = sending(self.writer, self.lease, notify)

    async def write(self, one: Any) -> None:
        await asyncio.to_thread(self.writer.commit, Work(incidents=[one]), None, self.lease.check)
        self.sending.wake()


def test_an_instance_that_fails_for_long_is_told_of_by_another_channel_and_so_is_its_return(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(channel_module.AlertmanagerChannel, "repeat_seconds", 0.3)
    monkeypatch.setattr("alerting.notify.own_troubles.UNHEARD_AFTER", 2.0)
    monkeypatch.setattr("alerting.notify.sending.TROUBLE_SECONDS", 0.5)
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"

    async def story(place: Site) -> None:
        await cluster(place, group_wait="1s")
        first, second = place.instances
        gone = f"instance:am:{first.url}"
        async with Receiver(lambda _: Answer()) as ops:

            def heard() -> list[tuple[str, str]]:
                return [(one["key"], one["action"]) for request in ops.requests for one in request.json()]

            desk = Desk(place, store, ops)
            desk.sending.start()
            await asyncio.sleep(1.5)
            assert heard() == []
            await asyncio.to_thread(first.kill)  # nothing is open: it is noticed all the same
            killed = time.monotonic()
            await place.until(lambda: heard() == [(gone, "open")], 20, "told of by the other channel")
            print(f"an instance killed, told of {time.monotonic() - killed:.1f} s later where 2 s are asked for")
            assert not desk.sending.unheard  # the channel itself still tells people
            await desk.write(beginning(BAGGAGE))
            await place.until(lambda: place.notified() == [(1, ["a1"])], 20, "the other instance notifies")
            await desk.sending.stop()
            again = Desk(place, store, ops)  # started anew while it is away: neither over nor told once more
            again.sending.start()
            await asyncio.sleep(4.0)
            assert heard() == [(gone, "open")]
            await asyncio.to_thread(first.start)
            await place.until(lambda: heard() == [(gone, "open"), (gone, "resolve")], 20, "its return")
            await asyncio.to_thread(first.kill)
            await asyncio.to_thread(second.kill)
            await place.until(lambda: "am" in again.sending.unheard, 10, "the heart is to stop")
            await place.until(lambda: len(heard()) == 4, 20, "both are told of")
            assert {key for key, action in heard()[2:] if action == "open"} == {gone, f"instance:am:{second.url}"}
            await again.sending.stop()

    run(story)
