"""What the conformance suite must know of a kind of channel: how to receive from it, and what its texts may not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol

import orjson

from alerting.notify.base import Channel
from alerting.notify.registry import KINDS
from tests.alerting.notify.receiver import Answer, Receiver, Request

OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Received(Protocol):
    """A receiver, with what it got."""

    requests: list[Any]


class Case:
    """One kind, or one way of using it. A new one: a module in this folder and a line in `cases/__init__.py`."""

    kind: ClassVar[str]
    name: ClassVar[str]  # the kind, but of a second way
    secrets: ClassVar[dict[str, str]] = {}  # field of secret_fields: a value that works

    def __init_subclass__(cls) -> None:
        if "name" not in vars(cls):
            cls.name = getattr(cls, "kind", "")

    def receiver(self) -> AbstractAsyncContextManager[Any]:
        """One that takes everything."""
        raise NotImplementedError

    def settings(self, receiver: Any) -> dict[str, Any]:
        """The channel's section, its secrets included, so that it sends to `receiver`."""
        raise NotImplementedError

    def channel(self, receiver: Any) -> Channel:
        return KINDS[self.kind].model_validate(self.settings(receiver)).make("ops")

    suffix: ClassVar[str] = "json"

    def shown(self, receiver: Any, first: int) -> str:
        """What was received from the `first` on, as it is kept to be read."""
        found = [one.json() if isinstance(one, Request) else one for one in receiver.requests[first:]]
        return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()

    def assert_harmless(self, receiver: Any, payload: str) -> None:
        """Nothing of what was received does what the payload wants."""
        raise NotImplementedError

    def assert_within_limits(self, receiver: Any) -> None:
        """What was received is not larger than the real receiver takes."""
        raise NotImplementedError


class HttpCase(Case):
    """A kind that posts over HTTP, to the address in `address_field`."""

    address_field: ClassVar[str] = "url"
    garbage_is_sent: ClassVar[bool] = True  # whether a 2xx with a body that means nothing counts as taken

    def answer(self, request: Request) -> Answer:
        """Of a receiver that takes everything."""
        return Answer()

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        return Receiver(self.answer)

    def address(self, receiver: Receiver) -> Any:
        """The value of `address_field`."""
        return f"{receiver.url}/hook"

    def settings(self, receiver: Receiver) -> dict[str, Any]:
        made: dict[str, Any] = {"kind": self.kind, "allow_hosts": ("127.0.0.1",), **self.secrets}
        return {**made, self.address_field: self.address(receiver)}


def texts(value: Any) -> Iterator[str]:
    """Every text in nested data, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts(name)
            yield from texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from texts(one)


def assert_one_line(found: Iterator[str]) -> None:
    """No text holds a control character or turns around what follows."""
    for text in found:
        assert not OBEYED.search(text), ascii(text[:300])
