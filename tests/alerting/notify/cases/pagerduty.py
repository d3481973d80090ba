"""A receiver that keeps what PagerDuty documents of its Events API v2: what an event must hold, its limits, and what becomes of keys."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, ClassVar

import orjson

from tests.alerting.notify.cases.base import HttpCase, assert_one_line, texts
from tests.alerting.notify.receiver import Answer, Receiver, Request

ROUTING_KEY = "0123456789abcdefABCDEF0123456789"
MOST_BYTES = 512_000


class Opened:
    """What a person would have been called for."""

    def __init__(self, key: str, payload: dict[str, Any]) -> None:
        self.key, self.state, self.log = key, "triggered", [payload]


class PagerDuty(Receiver):
    """`opened`: each is one page, in the order they came."""

    def __init__(self) -> None:
        super().__init__(self.take)
        self.opened: list[Opened] = []

    def take(self, request: Request) -> Answer:
        wrong = _wrong(request)
        if wrong:
            told = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            return Answer(400, orjson.dumps(told))
        event = request.json()
        key = event["dedup_key"]
        current = next((one for one in self.opened if one.key == key and one.state != "resolved"), None)
        if event["event_action"] == "trigger":
            if current is None:
                self.opened.append(Opened(key, event["payload"]))
            else:
                current.log.append(event["payload"])
        elif current is not None:
            current.state = {"acknowledge": "acknowledged", "resolve": "resolved"}[event["event_action"]]
        return Answer(202, orjson.dumps({"status": "success", "message": "Event processed", "dedup_key": key}))


def _wrong(request: Request) -> list[str]:
    event = request.json()
    wrong = []
    if len(request.body) > MOST_BYTES:
        wrong.append("event is too large")
    if len(event.get("routing_key", "")) != 32:
        wrong.append("'routing_key' is invalid")
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        wrong.append("'event_action' is invalid")
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        wrong.append("'dedup_key' is missing or too long")
    if event.get("event_action") == "trigger":
        payload = event.get("payload", {})
        if not 0 < len(payload.get("summary", "")) <= 1024:
            wrong.append("'payload.summary' is missing or too long")
        if not payload.get("source"):
            wrong.append("'payload.source' is missing")
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            wrong.append("'payload.severity' is invalid")
        if any(not link["href"].startswith(("https://", "http://")) for link in event.get("links", [])):
            wrong.append("'links' hold no address")
        datetime.fromisoformat(payload["timestamp"])
    return wrong


class PagerDutyCase(HttpCase):
    kind = "pagerduty"
    secrets: ClassVar = {"routing_key": ROUTING_KEY}

    def receiver(self) -> AbstractAsyncContextManager[PagerDuty]:
        return PagerDuty()

    def answer(self, request: Request) -> Answer:
        return Answer(202)

    def assert_harmless(self, receiver: PagerDuty, payload: str) -> None:
        (one,) = receiver.opened  # one event, of the form that was meant
        assert_one_line(texts(receiver.requests[0].json()))
        assert one.log[0]["severity"] in ("critical", "error")
        assert {link["text"] for link in receiver.requests[0].json()["links"]} <= {"Incident", "Grafana", "Runbook"}

    def assert_within_limits(self, receiver: PagerDuty) -> None:
        (one,) = receiver.opened
        assert one.log[0]["custom_details"]["Places"].endswith("and 994 more")
