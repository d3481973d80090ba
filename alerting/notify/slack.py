"""Slack. With a bot's token an incident is one message, edited in place so that it shows the present state, with what changed in its thread; with
an incoming webhook, which can only post, each change is a message of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import httpx
import orjson
from pydantic import SecretStr, field_validator, model_validator

from alerting.message import Message
from alerting.notify.base import HttpSettings, Refused, Sent, Unsent
from alerting.notify.http import Address, Poster, SecretAddress, retry_after
from alerting.notify.slack_blocks import content, reply

SECONDS_APART = 1.0  # as Slack asks for each place posted to
AGAIN = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "accesslimited",
        "team_added_to_org",  # "will be available again"
    }
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})  # the first message is, to us
NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message"})
AS_WRITTEN = {"parse": "none", "link_names": False}
UNFURLED = {"unfurl_links": False, "unfurl_media": False}


class SlackSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "slack"`: a webhook, or a token with the channel to post to."""

    kind: Literal["slack"] = "slack"
    webhook: SecretAddress | None = None
    token: SecretStr | None = None
    channel: str | None = None  # its id, C0123456789, or its name
    url: Address = "https://slack.com/api"
    secret_fields: ClassVar = {
        "webhook": "the address of an incoming webhook",
        "token": "a bot's token, xoxb-…, with the scope chat:write",
    }

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        letters = token.get_secret_value() if token is not None else "xoxb-"
        if not letters.startswith("xox") or not letters.isascii() or not letters.isprintable() or " " in letters:
            raise ValueError("a bot's token begins with xoxb- and has no spaces")
        return token

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.webhook is None) == (self.token is None):
            raise ValueError("needs a webhook or a token, one of both")
        if (self.token is None) != (self.channel is None):
            raise ValueError("a token needs a channel" if self.token else "a webhook has its own channel: leave it out")
        return self

    def make(self, name: str) -> SlackWebhook | SlackBot:
        poster = Poster.of(self)
        if self.webhook is not None:
            return SlackWebhook(self.webhook.get_secret_value(), poster)
        assert self.token is not None
        assert self.channel is not None
        return SlackBot(self.url, self.token.get_secret_value(), self.channel, poster)


class SlackWebhook:
    """Posts, and knows nothing of what it posted."""

    every_seconds = SECONDS_APART
    digests = True
    keyed = False

    def __init__(self, url: str, poster: Poster) -> None:
        self._url, self._poster = url, poster

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        await self._poster.post(self._url, json={**content(messages, now), **UNFURLED})
        return Sent()

    async def close(self) -> None:
        await self._poster.close()


class SlackBot:
    """One message an incident; `thread` is "channel:ts" of it."""

    every_seconds = SECONDS_APART
    digests = True
    keyed = False

    def __init__(self, url: str, token: str, channel: str, poster: Poster) -> None:
        self._url, self._channel, self._poster = url.rstrip("/"), channel, poster
        self._headers = {"authorization": f"Bearer {token}"}

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        told, (one, *others) = content(messages, now), messages
        if not others and one.thread is not None and one.action != "open":
            place, _, ts = one.thread.rpartition(":")
            # the edit first: repeated, it changes nothing
            if await self._call("chat.update", {"channel": place, "ts": ts, **told, **AS_WRITTEN}, unless=GONE):
                await self._in_thread(one, place, ts, now)
                return Sent(thread=one.thread)
        answer = await self._call("chat.postMessage", {"channel": self._channel, **told, **AS_WRITTEN, **UNFURLED})
        return Sent(thread=f"{answer['channel']}:{answer['ts']}" if not others else None)

    async def close(self) -> None:
        await self._poster.close()

    async def _in_thread(self, one: Message, place: str, ts: str, now: float) -> None:
        """What changed; an edit makes no sound, so what someone must get up for is shown in the channel too."""
        reason = one.incident.reason if one.incident is not None else ""
        if one.action == "ack" or (one.action == "update" and reason == "late"):
            return
        loud = one.action == "reopen" or (one.action == "update" and reason in ("confirmed", "unsilenced"))
        said = {"text": reply(one, now), "thread_ts": ts, "reply_broadcast": loud}
        await self._call("chat.postMessage", {"channel": place, **said, **AS_WRITTEN, **UNFURLED}, unless=NO_THREAD)

    async def _call(self, method: str, body: dict[str, Any], unless: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Slack's answer, which is ok; empty where its error is one of `unless`. Raises Unsent, Refused."""
        answer = await self._poster.post(f"{self._url}/{method}", json=body, headers=self._headers)
        told = _told(answer, needed=("channel", "ts"))
        if told.get("ok") is True:
            return told
        error = str(told.get("error", "no reason given"))
        if error in unless:
            return {}
        if error in AGAIN:
            raise Unsent(f"{method}: {error}", retry_after(answer))
        raise Refused(f"{method}: {error[:200]}")


def _told(answer: httpx.Response, needed: Sequence[str]) -> dict[str, Any]:
    """The answer's body. Raises Unsent when it is not one of Slack's."""
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or "ok" not in told:
        raise Unsent(f"answered {answer.status_code} with something that is not Slack's")
    if told["ok"] is True and not all(isinstance(told.get(name), str) for name in needed):
        raise Unsent(f"answered {answer.status_code} without {' and '.join(needed)}")
    return told
