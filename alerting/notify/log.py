"""The log as a channel: one line a message. It is there where no other channel is configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog

from alerting.message import Message, facts
from alerting.notify.base import ChannelSettings, Sent

log = structlog.get_logger(__name__)


class LogSettings(ChannelSettings):
    """`[channels.NAME]` with `kind = "log"`."""

    kind: Literal["log"] = "log"

    def make(self, name: str) -> LogChannel:
        return LogChannel()


class LogChannel:
    """Writes and forgets."""

    every_seconds = 0.0
    digests = False
    keyed = False

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        for one in messages:
            told = facts(one, now)
            state = one.incident.state if one.incident is not None else "trouble"
            log.warning(
                "incident", id=one.key, revision=one.sequence, action=one.action, state=state, line=told.headline
            )
        return Sent()

    async def close(self) -> None:
        """Nothing is open."""
