"""The library for the rest: asked only with what it can use, and its silence is no success."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import msgspec
import pytest

from alerting.message import Message
from alerting.notify.base import Refused, Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases.apprise import AppriseCase
from tests.alerting.notify.hostile import message
from tests.alerting.notify.receiver import Answer, Receiver
from tests.alerting.test_message import BAGGAGE

CASE = AppriseCase()


def told(*messages: Message, script: tuple[Answer, ...] = (), **changes: Any) -> Receiver:
    async def go() -> Receiver:
        async with CASE.receiver() as receiver:
            receiver.script = list(script)
            channel = KINDS["apprise"].model_validate({**CASE.settings(receiver), **changes}).make("ops")
            await channel.send(messages, time.time())
            return receiver

    return asyncio.run(go())


def test_a_page_is_a_failure_with_its_facts_below_the_title() -> None:
    (request,) = told(message()).requests
    body = request.json()
    assert body["title"] == "CONFIRMED baggage at JFK: 41 people in 40 min (usually 0–4), rising"
    assert "Heard in: tweets and tickets agree" in body["message"]
    assert body["type"] == "failure"


def test_an_end_is_a_success() -> None:
    over = msgspec.structs.replace(BAGGAGE, state="resolved", resolved_at=BAGGAGE.updated_at)
    assert told(message(over)).requests[0].json()["type"] == "success"


def test_a_storm_is_one_message() -> None:
    many = [message(msgspec.structs.replace(BAGGAGE, id=f"s{n}")) for n in range(60)]
    (request,) = told(*many).requests
    assert "and 10 more, all on the board" in request.json()["message"]


@pytest.mark.parametrize("answer", [Answer(503), Answer(404), Answer(302, b"", (("location", "/there"),))])
def test_what_it_could_not_tell_is_tried_again_and_no_redirect_is_followed(answer: Answer) -> None:
    with pytest.raises(Unsent, match="could not tell"):
        told(message(), script=(answer,))


def test_silence_is_not_waited_for_long() -> None:
    began = time.monotonic()
    with pytest.raises(Unsent):
        told(message(), script=(Answer(how="never"),), timeout_seconds=0.5)
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize(
    ("urls", "word"),
    [
        (" \n ", "none is given"),
        ("nonsense", "number 1"),
        ("json://127.0.0.1/x secret-thing://x", "number 2"),
        ("jsons://10.0.0.1/x", "not a public address"),
        ("json://receiver.example.org/x", "not encrypted"),
    ],
)
def test_services_that_cannot_be_used_are_told_by_number(urls: str, word: str) -> None:
    settings = KINDS["apprise"].model_validate({"kind": "apprise", "allow_hosts": ("127.0.0.1",), "urls": urls})
    with pytest.raises(ValueError, match=word) as refused:
        settings.make("ops")
    assert "secret-thing" not in str(refused.value)


def test_a_name_that_leads_inside_is_refused() -> None:
    async def go() -> None:
        settings = KINDS["apprise"].model_validate({"kind": "apprise", "urls": "jsons://localhost/x"})
        with pytest.raises(Refused, match="not public"):
            await settings.make("ops").send([message()], time.time())

    asyncio.run(go())


def test_where_it_is_not_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python itself marks what cannot be imported
    settings = KINDS["apprise"].model_validate({"kind": "apprise", "urls": "json://localhost"})
    with pytest.raises(ValueError, match=r"overheard\[apprise\]"):
        settings.make("ops")
