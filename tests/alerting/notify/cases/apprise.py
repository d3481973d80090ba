"""Apprise's generic JSON service, posted to a receiver on loopback: what any of its services is given."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.alerting.notify.cases.base import OBEYED, Case
from tests.alerting.notify.receiver import Answer, Receiver

LIVE = re.compile(r"@(?=\w)|<[@!#]")


class AppriseCase(Case):
    kind = "apprise"

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        return Receiver(lambda request: Answer())

    def settings(self, receiver: Receiver) -> dict[str, Any]:
        return {"kind": "apprise", "allow_hosts": ("127.0.0.1",), "urls": f"json://127.0.0.1:{receiver.port}/hook"}

    def assert_harmless(self, receiver: Receiver, payload: str) -> None:
        (request,) = receiver.requests
        told = request.json()
        for text in (told["title"], told["message"].replace("\n", " ")):
            assert not OBEYED.search(text), ascii(text[:300])
            assert not LIVE.search(text), ascii(text[:300])
        assert told["type"] == "failure"

    def assert_within_limits(self, receiver: Receiver) -> None:
        (request,) = receiver.requests
        assert len(request.json()["title"]) <= 200
        assert len(request.json()["message"]) <= 8000
