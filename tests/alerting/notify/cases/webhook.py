"""A receiver of signed JSON: markup is its own affair, but every text is on one line, and the body is what was signed."""

from __future__ import annotations

from typing import Any, ClassVar

from standardwebhooks import Webhook

from tests.alerting.notify.cases.base import HttpCase, assert_one_line, texts
from tests.alerting.notify.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MOST_BYTES = 512 * 1024


class WebhookCase(HttpCase):
    kind = "webhook"
    secrets: ClassVar = {"secret": SECRET}

    def assert_harmless(self, receiver: Receiver, payload: str) -> None:
        (request,) = receiver.requests
        assert_one_line(texts(_read(request)))
        assert len(request.body) < MOST_BYTES

    def assert_within_limits(self, receiver: Receiver) -> None:
        (request,) = receiver.requests
        assert len(request.body) < MOST_BYTES
        assert len(_read(request)["data"]["incident"]["places"]) == 1000


def _read(request: Any) -> Any:
    return Webhook(SECRET).verify(request.body, request.headers)
