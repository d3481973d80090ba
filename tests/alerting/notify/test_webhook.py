"""The signed webhook: a receiver with the standard's own library can trust it, and knows a repeat."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerting.message import Message
from alerting.notify.base import Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases.webhook import SECRET, WebhookCase
from tests.alerting.notify.hostile import hostile_trouble, message
from tests.alerting.notify.receiver import Answer, Request

CASE = WebhookCase()


def received(*messages: Message, script: tuple[Answer, ...] = ()) -> list[Request]:
    async def go() -> list[Request]:
        async with CASE.receiver() as receiver:
            receiver.script = list(script)
            channel = CASE.channel(receiver)
            for one in messages:
                try:
                    await channel.send([one], time.time())
                except Unsent:
                    await channel.send([one], time.time())
            await channel.close()
            return receiver.requests

    return asyncio.run(go())


def read(request: Request) -> Any:
    return Webhook(SECRET).verify(request.body, request.headers)


def test_the_body_holds_the_incident_the_words_and_the_links() -> None:
    (request,) = received(message())
    body = read(request)
    assert (body["type"], body["version"], body["timestamp"]) == ("incident.open", 1, "2024-01-01T07:43:00Z")
    data = body["data"]
    assert (data["key"], data["sequence"], data["action"], data["severity"]) == ("a1", 3, "open", "page")
    assert data["incident"]["confirmed_at"] == "2024-01-01T07:43:00Z"
    assert data["facts"]["headline"].startswith("CONFIRMED baggage at JFK: 41 people")
    assert {"label": "Ask first", "text": "Is the belt running?"} in data["facts"]["rows"]
    assert {"label": "Incident", "url": "https://overheard.example/incident/a1"} in data["links"]


def test_trouble_of_our_own_has_a_type_of_its_own() -> None:
    (request,) = received(hostile_trouble("overheard is BLIND for notes"))
    body = read(request)
    assert body["type"] == "trouble.open"
    assert body["data"]["trouble"]["since"] == "2024-01-01T07:03:00Z"
    assert "incident" not in body["data"]


def test_a_repeat_has_the_same_id_and_another_revision_another() -> None:
    later = msgspec.structs.replace(message(), sequence=4, action="update")
    requests = received(message(), later, script=(Answer(503),))
    assert [one.headers["webhook-id"] for one in requests] == ["a1:3:ops", "a1:3:ops", "a1:4:ops"]


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_what_was_changed_on_the_way_is_not_believed(changed: str) -> None:
    (request,) = received(message())
    body, headers = request.body, dict(request.headers)
    if changed == "body":
        body = body.replace(b"41", b"42")
    elif changed == "webhook-id":
        headers[changed] += "x"
    else:
        headers[changed] = str(int(headers[changed]) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_" + "QUJD" * 30])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    settings = {"kind": "webhook", "url": "https://hooks.example/x", "secret": secret}
    with pytest.raises(ValidationError) as refused:
        KINDS["webhook"].model_validate(settings)
    assert refused.value.errors()[0]["loc"] == ("secret",)
    assert not secret or len(secret) < 10 or secret not in str(refused.value)
