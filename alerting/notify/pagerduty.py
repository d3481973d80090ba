"""PagerDuty's Events API v2: trigger, acknowledge, resolve under the incident's key, so that repeats are one page.

What PagerDuty does with them (its developer documentation, "Send an alert event"): a trigger for an open key is a line in its log, an acknowledged
one notifies no more, and a trigger for a resolved key opens a new one. So a reopened incident pages again there, and so does one that grows after
someone resolved it by hand while it went on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal

import orjson
from pydantic import SecretStr, field_validator

from alerting.message import Action, Facts, Message, facts, grade_of
from alerting.messages import plain, shortened
from alerting.model import iso, shared_keyword
from alerting.notify.base import HttpSettings, Sent
from alerting.notify.http import Address, Poster

KEY_LETTERS = 32
MOST_SUMMARY, MOST_KEY = 1024, 255  # characters, PagerDuty's
MOST_DETAIL, MOST_DETAILS = 1000, 40  # ours: under 500 kB with every letter of four bytes, where PagerDuty takes 512 kB
SECONDS_APART = 0.5  # about what PagerDuty takes of one integration
ACTIONS: Final[dict[Action, str]] = {
    "open": "trigger",
    "update": "trigger",
    "reopen": "trigger",
    "ack": "acknowledge",
    "resolve": "resolve",
}


class PagerDutySettings(HttpSettings):
    """`[channels.NAME]` with `kind = "pagerduty"`."""

    kind: Literal["pagerduty"] = "pagerduty"
    url: Address = "https://events.pagerduty.com/v2/enqueue"  # or the one in the EU
    routing_key: SecretStr
    secret_fields: ClassVar = {"routing_key": "the integration key of a service, 32 characters"}

    @field_validator("routing_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        letters = key.get_secret_value()
        if len(letters) != KEY_LETTERS or not (letters.isascii() and letters.isalnum()):
            raise ValueError(f"an integration key is {KEY_LETTERS} letters and digits")
        return key

    def make(self, name: str) -> PagerDutyChannel:
        poster = Poster.of(self)
        return PagerDutyChannel(self.url, self.routing_key.get_secret_value(), poster)


class PagerDutyChannel:
    """One event a message."""

    every_seconds = SECONDS_APART
    digests = False
    keyed = True

    def __init__(self, url: str, routing_key: str, poster: Poster) -> None:
        self._url, self._routing_key, self._poster = url, routing_key, poster

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        for one in messages:
            content = orjson.dumps(event(one, self._routing_key, now))
            await self._poster.post(self._url, content=content, headers={"content-type": "application/json"})
        return Sent()

    async def close(self) -> None:
        await self._poster.close()


def event(message: Message, routing_key: str, now: float) -> dict[str, Any]:
    """The body. Only a trigger says anything."""
    action = ACTIONS[message.action]
    made: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(message.key),
        "client": "overheard",
    }
    if message.links.page is not None:
        made["client_url"] = message.links.page
    if action == "trigger":
        told = facts(message, now)
        made["payload"] = _payload(message, told)
        made["links"] = [{"href": address, "text": label} for label, address in told.links]
    return made


def dedup_key(key: str) -> str:
    """The key, or where it is longer than PagerDuty takes its digest behind its beginning."""
    if len(key) <= MOST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: MOST_KEY - len(digest) - 1]}:{digest}"


def _payload(message: Message, told: Facts) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": shortened(told.headline, MOST_SUMMARY),
        "severity": grade_of(message),
        "source": "overheard",
        "class": "trouble",
        "custom_details": _details(told),
    }
    if message.trouble is not None:
        made["timestamp"] = iso(message.trouble.since)
    if (one := message.incident) is not None:
        made |= {
            "source": shortened(plain(one.scope.name), MOST_SUMMARY),
            "component": shared_keyword(one.keywords),
            "group": one.scope.region,
            "class": "disruption",
            "timestamp": iso(one.onset),
        }
    return made


def _details(told: Facts) -> dict[str, Any]:
    details: dict[str, Any] = {label: shortened(text, MOST_DETAIL) for label, text in told.rows[:MOST_DETAILS]}
    if told.quotes:
        details["In their words"] = [shortened(quote, MOST_DETAIL) for quote in told.quotes[:MOST_DETAILS]]
    if told.why:
        details["Why"] = [shortened(gate, MOST_DETAIL) for gate in told.why[:MOST_DETAILS]]
    return details
