"""What every channel is: a validated configuration that makes an object with one method, `send`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from alerting.message import Message


class Unsent(Exception):
    """A message was not taken, and may be later. `after`: the receiver asked for so many seconds of rest."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


class Refused(Exception):
    """The receiver will not take messages as we are configured: a wrong key, an address that is gone, a body it cannot read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sent(msgspec.Struct, frozen=True):
    """What the receiver gave back; `thread` comes with later messages of the same key."""

    thread: str | None = None


class Channel(Protocol):
    """A way to people. One message at a time; made anew for each start, so it may keep connections but no state that matters."""

    every_seconds: float  # at least so long from one send to the next
    digests: bool  # whether many waiting messages may become one
    keyed: bool  # whether the receiver knows repeats of a dedup key by itself

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        """Send one message or, where `digests`, several as one. Raises Unsent, Refused."""

    async def close(self) -> None:
        """Let connections go."""


class StandingChannel(Channel, Protocol):
    """A receiver that forgets: it is told again, every so often, all that is open."""

    repeat_seconds: float
    silent_since: Mapping[str, tuple[float, str]]  # instances that did not take the newest post: since when, and why

    async def repeat(self, standing: Sequence[Message], now: float) -> None:
        """Tell what is open, each incident's newest message, and what ended lately. Raises Unsent, Refused."""


class ChannelSettings(BaseModel):
    """A channel's section of the configuration, by its name: `[channels.NAME]` with `kind = "…"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: str
    secret_fields: ClassVar[Mapping[str, str]] = {}  # field: what it is; given by environment or by FIELD_file only

    def make(self, name: str) -> Channel:
        """The channel. Raises ValueError when the settings cannot be used."""
        raise NotImplementedError


class HttpSettings(ChannelSettings):
    """Of channels that post to an address of their own."""

    allow_hosts: tuple[str, ...] = ()  # private addresses and plain http are refused but for these
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
