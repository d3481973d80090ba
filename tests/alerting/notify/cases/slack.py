"""A receiver that keeps what Slack documents: methods and their errors, Block Kit's limits, one message a second where that is asked for."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import orjson

from tests.alerting.notify.cases.base import HttpCase, assert_one_line, texts
from tests.alerting.notify.receiver import Answer, Receiver, Request

TOKEN = "xoxb-1234567890-abcdef"
CHANNEL = "C0123456789"
KINDS = {"header", "section", "context", "actions"}
LIVE = re.compile(r"<(?!https://overheard\.example/[^|<> ]*\|)|@(?=\w)|[*_~`]")  # a control sequence, a name, a mark


class Posted:
    """A message as people see it now."""

    def __init__(self, body: dict[str, Any], ts: str) -> None:
        self.ts, self.edits = ts, 0
        self.text: str = body["text"]
        self.blocks: list[Any] = body.get("blocks", [])
        self.thread: str | None = body.get("thread_ts")
        self.loud: bool = body.get("reply_broadcast", False)

    @property
    def header(self) -> str:
        return str(self.blocks[0]["text"]["text"])


class Slack(Receiver):
    """`posted`: what stands in the channel, replies included. `errors`: what the next calls are answered with."""

    def __init__(self, limited: bool = False) -> None:
        super().__init__(self.take)
        self.posted: list[Posted] = []
        self.errors: list[str | None] = []
        self._limited, self._newest = limited, 0.0

    def take(self, request: Request) -> Answer:
        body, method = request.json(), request.path.rpartition("/")[2]
        if self._limited and method == "chat.postMessage":
            if time.monotonic() - self._newest < 1.0:
                return Answer(429, b'{"ok": false, "error": "ratelimited"}', (("Retry-After", "1"),))
            self._newest = time.monotonic()
        error = (self.errors.pop(0) if self.errors else None) or self._error(request, method, body)
        if error:
            return Answer(200, orjson.dumps({"ok": False, "error": error}))
        ts = body.get("ts") or f"1700000000.{len(self.posted):06}"
        if method == "chat.update":
            one = next(one for one in self.posted if one.ts == ts)
            one.text, one.blocks, one.edits = body["text"], body["blocks"], one.edits + 1
        else:
            self.posted.append(Posted(body, ts))
        return Answer(200, orjson.dumps({"ok": True, "channel": CHANNEL, "ts": ts}))

    def _error(self, request: Request, method: str, body: dict[str, Any]) -> str | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return "invalid_auth"
        if body.get("channel") != CHANNEL:
            return "channel_not_found"
        if method == "chat.update" and body["ts"] not in {one.ts for one in self.posted}:
            return "message_not_found"
        if body.get("thread_ts") and body["thread_ts"] not in {one.ts for one in self.posted}:
            return "thread_not_found"
        return next(wrong(body), None)


class Webhook(Receiver):
    """Answers in text, as incoming webhooks do."""

    def __init__(self) -> None:
        super().__init__(self.take)
        self.posted: list[Posted] = []

    def take(self, request: Request) -> Answer:
        body = request.json()
        if error := next(wrong(body), None):
            return Answer(400, error.encode())
        self.posted.append(Posted(body, ""))
        return Answer(200, b"ok")


def wrong(body: dict[str, Any]) -> Iterator[str]:
    """What Slack would refuse the body for."""
    blocks = body.get("blocks", [])
    if not 0 < len(body["text"]) <= 4000:
        yield "no_text or msg_too_long"
    if len(blocks) > 50 or sum(map(len, texts(blocks))) > 13_200:
        yield "msg_blocks_too_long"
    for block in blocks:
        for fault in _faults(block):
            yield f"invalid_blocks: {fault}: {orjson.dumps(block).decode()[:300]}"


def _faults(block: dict[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind not in KINDS:
        yield "type"
    if kind == "header" and not (block["text"]["type"] == "plain_text" and 0 < len(block["text"]["text"]) <= 150):
        yield "header"
    if kind == "section" and ("text" in block) == ("fields" in block):
        yield "section"
    if kind == "section" and "text" in block and not 0 < len(block["text"]["text"]) <= 3000:
        yield "text"
    fields = block.get("fields", [])
    if len(fields) > 10 or any(not 0 < len(field["text"]) <= 2000 for field in fields):
        yield "fields"
    elements = block.get("elements", [])
    if kind == "context" and not 0 < len(elements) <= 10:
        yield "context"
    if kind == "actions":
        if not 0 < len(elements) <= 25 or len({one["action_id"] for one in elements}) < len(elements):
            yield "actions"
        if any(not one["url"].startswith("https://") or len(one["url"]) > 3000 for one in elements):
            yield "url"
        if any(not 0 < len(one["text"]["text"]) <= 75 for one in elements):
            yield "button"


def assert_tame(body: dict[str, Any]) -> None:
    """Nothing in the body is a control sequence, a name that is told, or a mark, but for ours."""
    assert_one_line(text.replace("\n", " ") for text in texts(body))
    assert LIVE.search(body["text"]) is None
    assert body.get("parse", "none") == "none"
    assert not body.get("link_names")
    for block in body.get("blocks", []):
        for one in (block.get("text"), *block.get("fields", []), *block.get("elements", [])):
            if one is None or one["type"] == "button":
                continue
            assert one["type"] == "plain_text" or one["verbatim"]
            ours = re.sub(r"^(\*[\w ]+\*(?=[\n ])|>)", "", one["text"], flags=re.M)  # labels, quotes
            assert LIVE.search(ours) is None, ascii(ours)
            assert re.search(r"&(?!amp;|lt;|gt;)", ours) is None, ascii(ours)


class SlackCase(HttpCase):
    """With a bot's token."""

    kind = "slack"
    secrets: ClassVar = {"token": TOKEN}
    garbage_is_sent = False

    def receiver(self) -> AbstractAsyncContextManager[Slack]:
        return Slack()

    def answer(self, request: Request) -> Answer:
        return Answer(200, orjson.dumps({"ok": True, "channel": CHANNEL, "ts": "1.2"}))

    def address(self, receiver: Receiver) -> Any:
        return f"{receiver.url}/api"

    def settings(self, receiver: Receiver) -> dict[str, Any]:
        return {**super().settings(receiver), "channel": CHANNEL}

    def assert_harmless(self, receiver: Any, payload: str) -> None:
        (request,) = receiver.requests
        assert receiver.posted
        assert_tame(request.json())

    def assert_within_limits(self, receiver: Any) -> None:
        (one,) = receiver.posted  # else it would have been refused
        assert "and 994 more" in orjson.dumps(one.blocks).decode()


class SlackWebhookCase(SlackCase):
    """With an incoming webhook."""

    name = "slack-webhook"
    secrets: ClassVar = {}
    address_field = "webhook"
    garbage_is_sent = True

    def receiver(self) -> AbstractAsyncContextManager[Any]:
        return Webhook()

    def address(self, receiver: Receiver) -> Any:
        return f"{receiver.url}/services/T0/B0/X"

    def settings(self, receiver: Receiver) -> dict[str, Any]:
        return HttpCase.settings(self, receiver)
