"""Alertmanager: all instances are told, the label set is who an incident is, and what stands is told again."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerting.message import Message
from alerting.model import Scope
from alerting.notify.base import Refused, Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases.alertmanager import check
from tests.alerting.notify.hostile import hostile_trouble, message
from tests.alerting.notify.receiver import Answer, Receiver
from tests.alerting.test_message import BAGGAGE

NOW = BAGGAGE.updated_at + 5
SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None, revision=2)
SAMPLE = Path(__file__).parents[3] / "docs" / "alertmanager.yml"
DOWN = Answer(how="garbage")


@asynccontextmanager
async def instances(number: int = 2) -> AsyncIterator[tuple[list[Receiver], Any]]:
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(Receiver(lambda _: Answer(200, b""))) for _ in range(number)]
        settings = {"kind": "alertmanager", "urls": [one.url for one in found], "allow_hosts": ["127.0.0.1"]}
        channel = KINDS["alertmanager"].model_validate({**settings, "timeout_seconds": 0.5}).make("am")
        stack.push_async_callback(channel.close)
        yield found, channel


def alerts(receiver: Receiver) -> list[Any]:
    """Of the newest post."""
    body = receiver.requests[-1].json()
    check("postableAlerts", body)
    return body


def doing(action: str, one: Any = BAGGAGE, thread: str | None = None) -> Message:
    return msgspec.structs.replace(message(one), action=action, thread=thread)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def _one(sent: Message) -> Any:
    async with instances(1) as ((receiver,), channel):
        await channel.send([sent], NOW)
        (alert,) = alerts(receiver)
        return alert


def test_who_it_is_stands_in_labels_and_all_that_varies_in_annotations() -> None:
    alert = asyncio.run(_one(doing("open")))
    assert alert["labels"] == {
        "alertname": "ServiceDisruption",
        "incident": "a1",
        "place": "airport:JFK",
        "region": "airport:JFK",
        "keyword": "baggage",
        "team": "ramp",
        "severity": "critical",
    }
    told = alert["annotations"]
    assert told["summary"] == "CONFIRMED baggage at JFK: 41 people in 40 min (usually 0–4), rising"
    assert "Ask first: Is the belt running?" in told["description"]
    assert told["evidence"] == "41 people, 5 needed"
    assert told["runbook_url"] == "https://runbooks.example/belt"
    assert told["dashboard_url"].startswith("https://grafana.example/d/")
    assert told["sample_1"] == "[user] stuck 50 min at the belt"
    assert alert["generatorURL"] == "https://overheard.example/incident/a1"
    assert (at(alert["startsAt"]), at(alert["endsAt"])) == (BAGGAGE.onset, NOW + 180)


def test_figures_do_not_change_who_it_is() -> None:
    grown = msgspec.structs.replace(BAGGAGE, people=400, factor=99.0, revision=9, terms=(), examples=())
    labels = [asyncio.run(_one(doing(action, one)))["labels"] for action, one in (("open", BAGGAGE), ("update", grown))]
    assert labels[0] == labels[1]


def test_trouble_is_an_alert_of_its_own_and_a_drill_says_so() -> None:
    trouble = asyncio.run(_one(hostile_trouble("overheard is BLIND for notes")))["labels"]
    assert trouble == {"alertname": "OverheardTrouble", "trouble": "blind:notes", "severity": "error"}
    drill = asyncio.run(_one(doing("open", msgspec.structs.replace(BAGGAGE, drill=True))))
    assert drill["labels"]["drill"] == "true"


def test_an_end_is_the_time_it_ended_and_never_in_the_future() -> None:
    end = BAGGAGE.updated_at
    over = msgspec.structs.replace(BAGGAGE, state="resolved", resolved_at=end)
    assert at(asyncio.run(_one(doing("resolve", over)))["endsAt"]) == end
    ahead = msgspec.structs.replace(over, resolved_at=NOW + 600)
    assert at(asyncio.run(_one(doing("resolve", ahead)))["endsAt"]) == NOW
    marked = msgspec.structs.replace(BAGGAGE, state="signal")  # taken back: found to be one hand's entries
    assert at(asyncio.run(_one(doing("resolve", marked)))["endsAt"]) == end


@pytest.mark.parametrize(
    "after",
    [BAGGAGE, msgspec.structs.replace(SUSPECTED, scope=Scope("spot:t4", "Terminal 4", "spot", ()))],
    ids=["promoted", "narrowed"],
)
def test_changed_labels_end_the_alert_they_were(after: Any) -> None:
    async def go() -> None:
        async with instances(1) as ((receiver,), channel):
            first = await channel.send([doing("open", SUSPECTED)], NOW)
            (before,) = alerts(receiver)
            second = await channel.send([doing("update", after, first.thread)], NOW + 60)
            now, ended = alerts(receiver)
            assert ended["labels"] == before["labels"] != now["labels"]
            assert (at(ended["endsAt"]), at(now["endsAt"])) == (NOW + 60, NOW + 240)
            await channel.send([doing("update", after, second.thread)], NOW + 120)
            assert [one["labels"] for one in alerts(receiver)] == [now["labels"]]

    asyncio.run(go())


def test_every_instance_is_told_and_told_again() -> None:
    async def go() -> None:
        async with instances() as (found, channel):
            await channel.send([doing("open")], NOW)
            assert [len(one.requests) for one in found] == [1, 1]
            await channel.repeat([doing("open"), hostile_trouble("blind")], NOW + 20)
            for one in found:
                assert [at(alert["endsAt"]) for alert in alerts(one)] == [NOW + 200, NOW + 200]

    asyncio.run(go())


@pytest.mark.parametrize(
    "answer", [DOWN, Answer(how="never"), Answer(500), Answer(404)], ids=["down", "hung", "500", "404"]
)
def test_one_instance_is_enough_and_the_other_is_spared_until_the_repeat(answer: Answer) -> None:
    async def go() -> None:
        async with instances() as ((first, second), channel):
            first.script = [answer] * 2
            await channel.send([doing("open")], NOW)
            await channel.send([doing("update")], NOW + 1)
            assert [len(first.requests), len(second.requests)] == [1, 2]
            await channel.repeat([doing("update")], NOW + 20)
            assert [len(first.requests), len(second.requests)] == [2, 3]
            await channel.send([doing("update")], NOW + 41)
            assert [len(first.requests), len(second.requests)] == [3, 4]

    asyncio.run(go())


def test_where_none_takes_it_a_refusal_counts_only_if_all_refuse() -> None:
    async def go(*answers: Answer) -> None:
        async with instances() as (found, channel):
            for one, answer in zip(found, answers, strict=True):
                one.script = [answer]
            await channel.send([doing("open")], NOW)

    with pytest.raises(Refused):
        asyncio.run(go(Answer(400), Answer(404)))
    for other in (DOWN, Answer(503)):
        with pytest.raises(Unsent):
            asyncio.run(go(Answer(400), other))
    with pytest.raises(Unsent) as unsent:
        asyncio.run(go(Answer(429, headers=(("Retry-After", "7"),)), Answer(503, headers=(("Retry-After", "9"),))))
    assert unsent.value.after == 9


def test_thousands_are_told_in_posts_of_five_hundred() -> None:
    standing = [doing("open", msgspec.structs.replace(BAGGAGE, id=f"a{number}")) for number in range(1100)]

    async def go() -> list[int]:
        async with instances(1) as ((receiver,), channel):
            await channel.repeat(standing, NOW)
            return [len(request.json()) for request in receiver.requests]

    assert asyncio.run(go()) == [500, 500, 100]


def test_no_instance_at_all_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="urls"):
        KINDS["alertmanager"].model_validate({"kind": "alertmanager", "urls": []})


@pytest.mark.alertmanager
def test_the_sample_configuration_pages_for_what_is_confirmed(alertmanager_programs: None) -> None:
    def asked(*arguments: str) -> str:
        return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    assert "SUCCESS" in asked("check-config", str(SAMPLE))
    for labels, receiver in (
        (asyncio.run(_one(doing("open")))["labels"], "on-call"),
        (asyncio.run(_one(doing("open", SUSPECTED)))["labels"], "chat"),
        (asyncio.run(_one(hostile_trouble("blind")))["labels"], "operators"),
    ):
        told = [f"{name}={value}" for name, value in labels.items()]
        assert asked("config", "routes", "test", f"--config.file={SAMPLE}", *told) == receiver
