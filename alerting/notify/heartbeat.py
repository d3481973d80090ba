"""Tells a receiver outside, again and again, that overheard is alive; the receiver raises the alarm when that stops.

Any dead man's switch with an address to post to will do: Dead Man's Snitch, healthchecks, an Alertmanager elsewhere behind a webhook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import structlog
from pydantic import Field

from alerting.notify.base import HttpSettings, Refused, Unsent
from alerting.notify.http import Poster, SecretAddress

log = structlog.get_logger(__name__)


class HeartbeatSettings(HttpSettings):
    """`[heartbeat]`; the address by OVERHEARD_HEARTBEAT_URL or `url_file`. The receiver should raise the alarm after three times `every_seconds`."""

    kind: str = "heartbeat"
    url: SecretAddress
    secret_fields: ClassVar = {"url": "the address to post to, which is a key"}
    every_seconds: float = Field(default=10.0, ge=0.2, le=600)


class Heartbeat:
    """`alive` says why not, None while all is well."""

    def __init__(self, settings: HeartbeatSettings, alive: Callable[[], str | None]) -> None:
        self._url = settings.url.get_secret_value()
        self._every, self._alive = settings.every_seconds, alive
        self._poster = Poster.of(settings)
        self.silent: str | None = None  # why nothing is told

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._beat()
                await asyncio.sleep(self._every)
        finally:
            await self._poster.close()

    async def _beat(self) -> None:
        reason = self._alive()
        if reason is None:
            try:
                await self._poster.post(self._url, content=b"")
            except (Unsent, Refused) as error:
                reason = f"the receiver of heartbeats: {error.reason}"
        if reason != self.silent:
            if reason is None:
                log.info("heartbeats again")
            else:
                log.error("no heartbeat", reason=reason)
        self.silent = reason
