"""Any receiver of JSON, signed as Standard Webhooks says (standardwebhooks.com): who has the secret can tell that it is ours and whole."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec
import orjson
from pydantic import SecretStr, field_validator

from alerting.message import Facts, Message, facts
from alerting.messages import plain
from alerting.model import iso
from alerting.notify.base import HttpSettings, Sent
from alerting.notify.http import Address, Poster

VERSION = 1  # of the body; a field may be added without a new one
PREFIX = "whsec_"
FEWEST_KEY_BYTES, MOST_KEY_BYTES = 24, 64  # as Standard Webhooks wants them


class WebhookSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "webhook"`."""

    kind: Literal["webhook"] = "webhook"
    url: Address
    secret: SecretStr  # "whsec_" and 24 to 64 bytes in base64
    secret_fields: ClassVar = {"secret": "the key bodies are signed with, whsec_ and base64"}

    @field_validator("secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr) -> SecretStr:
        key_of(secret.get_secret_value())
        return secret

    def make(self, name: str) -> WebhookChannel:
        poster = Poster.of(self)
        return WebhookChannel(self.url, key_of(self.secret.get_secret_value()), poster)


class WebhookChannel:
    """Posts each message by itself; a repeat has the same `webhook-id`."""

    every_seconds = 0.0
    digests = False
    keyed = True

    def __init__(self, url: str, key: bytes, poster: Poster) -> None:
        self._url, self._key, self._poster = url, key, poster

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        for one in messages:
            content = orjson.dumps(body(one, now))
            headers = {"content-type": "application/json", **signed(one.id, now, content, self._key)}
            await self._poster.post(self._url, content=content, headers=headers)
        return Sent()

    async def close(self) -> None:
        await self._poster.close()


def key_of(secret: str) -> bytes:
    """The key's bytes. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a secret is {PREFIX} and base64") from None
    if not FEWEST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES:
        raise ValueError(f"a secret holds {FEWEST_KEY_BYTES} to {MOST_KEY_BYTES} bytes, not {len(key)}")
    return key


def signed(identity: str, now: float, content: bytes, key: bytes) -> dict[str, str]:
    """The headers by which a receiver knows a body: HMAC-SHA256 over "id.seconds.body"."""
    stamp = str(int(now))
    mac = hmac.new(key, b".".join((identity.encode(), stamp.encode(), content)), hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": signature}


def body(message: Message, now: float) -> dict[str, Any]:
    """What is posted; `docs/webhook.md` describes it field by field."""
    about = "trouble" if message.incident is None else "incident"
    told = facts(message, now)
    data: dict[str, Any] = {
        "key": message.key,
        "sequence": message.sequence,
        "action": message.action,
        "severity": told.severity,
        "facts": _in_words(told),
        "links": [{"label": label, "url": address} for label, address in told.links],
    }
    if message.incident is not None:
        data["incident"] = _plain(message.incident.to_json())
    if message.trouble is not None:
        trouble = {**msgspec.to_builtins(message.trouble), "since": iso(message.trouble.since)}
        data["trouble"] = _plain(trouble)
    return {
        "type": f"{about}.{message.action}",
        "version": VERSION,
        "timestamp": iso(message.created_at),
        "data": data,
    }


def _in_words(told: Facts) -> dict[str, Any]:
    rows = [{"label": label, "text": text} for label, text in told.rows]
    return {"headline": told.headline, "rows": rows, "quotes": list(told.quotes), "why": list(told.why)}


def _plain(value: Any) -> Any:
    """Nested data with every text on one line."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
