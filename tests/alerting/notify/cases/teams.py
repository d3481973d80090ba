"""A workflow that takes what Teams would post: a card of the documented form and size, without a word that Teams would obey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from tests.alerting.notify.cases.base import HttpCase, assert_one_line, texts
from tests.alerting.notify.receiver import Answer, Receiver, Request

MOST_BYTES = 28 * 1024
COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
OF_RUN = {"type", "text", "weight", "size", "color", "isSubtle", "italic", "selectAction"}


class Teams(Receiver):
    """`cards`: what was posted."""

    def __init__(self) -> None:
        super().__init__(self.take)
        self.cards: list[dict[str, Any]] = []

    def take(self, request: Request) -> Answer:
        body = request.json()
        if len(request.body) > MOST_BYTES:
            return Answer(413, b"Request Entity Too Large")
        if wrong := next(_wrong(body), None):
            return Answer(400, wrong.encode())
        self.cards.append(body["attachments"][0]["content"])
        return Answer(202, b"")


def runs(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [run for block in card["body"] for run in block["inlines"]]


def _wrong(body: dict[str, Any]) -> Iterator[str]:
    (attachment,) = body["attachments"]
    card = attachment["content"]
    if body["type"] != "message" or attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        yield "envelope"
    if (card["type"], card["version"]) != ("AdaptiveCard", "1.4") or "entities" in card["msteams"]:
        yield "card"
    if not card["body"] or any(block["type"] != "RichTextBlock" for block in card["body"]):
        yield "block"
    for run in runs(card):
        if (
            run["type"] != "TextRun"
            or not run["text"]
            or run.keys() - OF_RUN
            or run.get("color", "dark") not in COLOURS
        ):
            yield f"run: {run}"
    for action in card.get("actions", []):
        if action["type"] != "Action.OpenUrl" or not action["url"].startswith("https://") or not action["title"]:
            yield f"action: {action}"


class TeamsCase(HttpCase):
    kind = "teams"
    address_field = "webhook"
    secrets: ClassVar = {}

    def receiver(self) -> AbstractAsyncContextManager[Teams]:
        return Teams()

    def answer(self, request: Request) -> Answer:
        return Answer(202, b"")

    def assert_harmless(self, receiver: Teams, payload: str) -> None:
        (card,) = receiver.cards
        assert_one_line(texts(card))
        assert not any("{{" in text or "<at" in text or "${" in text for text in texts(card))
        assert {one["title"] for one in card.get("actions", [])} <= {"Incident", "Grafana", "Runbook"}

    def assert_within_limits(self, receiver: Teams) -> None:
        (card,) = receiver.cards
        assert any("and 994 more" in run["text"] for run in runs(card))
