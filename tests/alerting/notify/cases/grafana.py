"""Grafana's annotations as its server keeps them: by number, found by tags, refused without a text."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.alerting.notify.cases.base import HttpCase
from tests.alerting.notify.receiver import Answer, Receiver, Request

TOKEN = "glsa_of_the_tests_0123456789"
KNOWN = {"dashboardUID", "panelId", "time", "timeEnd", "tags", "text"}
LINK = re.compile(r'<a href="https://[^"<>]+">[A-Za-z]+</a>')


class Grafana(Receiver):
    """`annotations` by number."""

    def __init__(self) -> None:
        super().__init__(self.take)
        self.annotations: dict[int, dict[str, Any]] = {}

    def take(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, b'{"message": "Invalid API key"}')
        at = urlsplit(request.path)
        if request.method == "GET" and at.path == "/api/annotations":
            wanted = set(parse_qs(at.query)["tags"])
            found = [{"id": number, **one} for number, one in self.annotations.items() if wanted <= set(one["tags"])]
            return Answer(200, orjson.dumps(found))
        number = int(at.path.rpartition("/")[2]) if request.method != "POST" else max(self.annotations, default=0) + 1
        if request.method == "DELETE":
            del self.annotations[number]
            return Answer(200, b'{"message": "Annotation deleted"}')
        body = request.json()
        if not body.keys() <= KNOWN or not body["text"] or any(len(tag) > 100 for tag in body["tags"]):
            return Answer(400, b'{"message": "bad request data"}')
        self.annotations[number] = {**self.annotations.get(number, {}), **body}
        return Answer(200, orjson.dumps({"id": number, "message": "Annotation added"}))


class GrafanaCase(HttpCase):
    kind = "grafana"
    secrets: ClassVar = {"token": TOKEN}
    garbage_is_sent: ClassVar = False

    def receiver(self) -> AbstractAsyncContextManager[Grafana]:
        return Grafana()

    def address(self, receiver: Receiver) -> str:
        return receiver.url

    def answer(self, request: Request) -> Answer:
        return Answer(200, b"[]" if request.method == "GET" else b'{"id": 1}')

    def shown(self, receiver: Any, first: int) -> str:
        found = [
            {"method": one.method, "path": one.path, **({"body": one.json()} if one.body else {})}
            for one in receiver.requests[first:]
        ]
        return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()

    def assert_harmless(self, receiver: Any, payload: str) -> None:
        (one,) = receiver.annotations.values()  # its text is HTML: nothing in it is markup but our own links
        headline, *links = one["text"].split("\n")
        assert "<" not in headline
        assert all(LINK.fullmatch(link) for link in links)
        assert one["tags"][1] == "overheard"

    def assert_within_limits(self, receiver: Any) -> None:
        (one,) = receiver.annotations.values()
        assert len(one["text"]) < 4000
