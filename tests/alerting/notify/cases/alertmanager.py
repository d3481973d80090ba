"""A receiver of API v2: what is posted has the published form, and texts that Alertmanager would pass on unescaped are tame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import orjson

from tests.alerting.notify.cases.base import HttpCase, assert_one_line, texts
from tests.alerting.notify.receiver import Answer, Receiver, Request

API = orjson.loads((Path(__file__).parent.parent / "alertmanager_api.json").read_bytes())
MOST_LETTERS = 1024


def check(form: str, value: Any) -> None:
    """Raises jsonschema.ValidationError when the value has not the published form."""
    schema = {"$ref": f"#/definitions/{form}", "definitions": API["definitions"]}
    jsonschema.Draft4Validator(schema).validate(value)


class AlertmanagerCase(HttpCase):
    kind = "alertmanager"
    address_field = "urls"

    def answer(self, request: Request) -> Answer:
        return Answer(200, b"")

    def address(self, receiver: Receiver) -> Any:
        return (receiver.url,)

    def assert_harmless(self, receiver: Receiver, payload: str) -> None:
        (request,) = receiver.requests
        (alert,) = request.json()
        check("postableAlerts", [alert])
        assert_one_line(texts(alert))
        assert alert["labels"]["alertname"] in ("ServiceDisruption", "OverheardTrouble")
        assert alert["labels"]["severity"] in ("critical", "error")
        assert not any("<" in text or ">" in text for text in texts(alert))
        assert not any(payload.strip() in value for value in alert["labels"].values())

    def assert_within_limits(self, receiver: Receiver) -> None:
        (request,) = receiver.requests
        assert all(len(text) <= MOST_LETTERS for text in texts(request.json()))
        assert len(request.body) < 64 * 1024
