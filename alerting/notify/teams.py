"""Microsoft Teams: an Adaptive Card 1.4 to the webhook of a workflow ("When a Teams webhook request is received").

Texts are runs of a RichTextBlock, of which the card's schema says that they know no Markdown; what a text block would make of words (mentions,
dates in double braces) is broken up besides. A workflow answers before it has posted: a card that Teams then refuses is seen only in its run history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import orjson

from alerting.digest import Digest, digest
from alerting.message import Facts, Message, facts
from alerting.messages import shortened
from alerting.notify.base import HttpSettings, Sent
from alerting.notify.http import Poster, SecretAddress

SECONDS_APART = 1.0
MOST_BYTES = 27_000  # of the whole body; Teams takes 28 kB
MOST_TEXT, MOST_LABEL, MOST_LINE, MOST_URL = 1500, 60, 200, 2000
MOST_BUTTONS = 6  # more are hidden behind one
BROKEN_UP = {"{{": "{\u2060{", "<at": "<\u2060at", "${": "$\u2060{"}

Element = dict[str, Any]


class TeamsSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "teams"`."""

    kind: Literal["teams"] = "teams"
    webhook: SecretAddress
    secret_fields: ClassVar = {"webhook": "the address of the workflow, which is a key"}

    def make(self, name: str) -> TeamsChannel:
        poster = Poster.of(self)
        return TeamsChannel(self.webhook.get_secret_value(), poster)


class TeamsChannel:
    """Posts each change; a workflow gives nothing back by which a card could be changed later."""

    every_seconds = SECONDS_APART
    digests = True
    keyed = False

    def __init__(self, url: str, poster: Poster) -> None:
        self._url, self._poster = url, poster

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        headers = {"content-type": "application/json"}
        await self._poster.post(self._url, content=orjson.dumps(envelope(messages, now)), headers=headers)
        return Sent()

    async def close(self) -> None:
        await self._poster.close()


def envelope(messages: Sequence[Message], now: float) -> dict[str, Any]:
    """What a workflow takes: one card, below Teams' limit."""
    if len(messages) > 1:
        many = digest(messages, now)
        shown = len(many.lines)
        while len(orjson.dumps(made := _wrapped(_digest_card(many.first(shown))))) > MOST_BYTES:
            shown -= 1
        return made
    said = facts(messages[0], now)
    body, left = _body(said), 0
    while len(orjson.dumps(made := _wrapped(_card(said.headline, body, said.links, left)))) > MOST_BYTES:
        body, left = body[:-1], left + 1
    return made


def _wrapped(card: Element) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _card(headline: str, body: Sequence[Element], links: Sequence[tuple[str, str]], left: int = 0) -> Element:
    more = [_texts(_run(f"{left} more facts on the incident's page", isSubtle=True))] if left else []
    card: Element = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": _words(headline),
        "msteams": {"width": "Full"},
        "body": [*body, *more],
    }
    actions = [
        {"type": "Action.OpenUrl", "title": _words(label, MOST_LABEL), "url": url}
        for label, url in links
        if len(url) <= MOST_URL
    ]
    return {**card, "actions": actions[:MOST_BUTTONS]} if actions else card


def _body(said: Facts) -> list[Element]:
    colour = "good" if said.over else "attention" if said.severity == "page" else "warning"
    head = _texts(_run(said.headline, size="large", weight="bolder", color=colour))
    rows = [_texts(_run(f"{label}  ", MOST_LABEL, weight="bolder"), _run(text)) for label, text in said.rows]
    for row in rows:
        row["spacing"] = "small"
    quotes = [_texts(_run(f"“{_words(quote)}”", italic=True)) for quote in said.quotes]
    gates = "" if said.over else " · ".join(said.why)
    why = [_texts(_run(f"How sure: {gates}", size="small", isSubtle=True))] if gates else []
    return [head, *rows, *quotes, *why]


def _digest_card(many: Digest) -> Element:
    head = _texts(_run(many.headline, size="large", weight="bolder"))
    lines = []
    for line, url in many.lines:
        run = _run(f"• {_words(line, MOST_LINE)}")
        if url is not None and len(url) <= MOST_URL:
            run["selectAction"] = {"type": "Action.OpenUrl", "url": url}
        lines.append({**_texts(run), "spacing": "small"})
    rest = [_texts(_run(told, isSubtle=True))] if (told := many.rest()) else []
    links = [("Board", many.board)] if many.board is not None else []
    return _card(many.headline, [head, *lines, *rest], links)


def _texts(*runs: Element) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, most: int = MOST_TEXT, **style: Any) -> Element:
    return {"type": "TextRun", "text": _words(text, most), **style}


def _words(text: str, most: int = MOST_TEXT) -> str:
    for found, instead in BROKEN_UP.items():
        text = text.replace(found, instead)
    return shortened(text, most)
