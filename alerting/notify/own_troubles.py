"""Trouble of overheard's own that its channels show: one that takes nothing or refuses, and an instance of one that does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alerting.message import Trouble
from alerting.messages import plain
from alerting.notify.base import Channel
from alerting.outbox import Lane

UNHEARD_AFTER = 120.0  # an instance that fails for so long is told of
ADVICE = "Look at its address, its key and its receiver; `overheard notify test {name}` tries it."
INSTANCE_ADVICE = (
    "See whether it runs and can be reached. As long as another instance answers, people are told through that one."
)


def channel_troubles(
    lanes: Mapping[str, Lane], channels: Mapping[str, Channel], now: float
) -> tuple[list[Trouble], frozenset[str]]:
    """What is to be told by now; and keys of what fails, but not for long enough: told before the last start, it is not over."""
    found, doubtful = [], set()
    for name, lane in lanes.items():
        for trouble, long in (*_of_lane(name, lane, now), *_of_instances(name, channels[name], now)):
            if long:
                found.append(trouble)
            else:
                doubtful.add(trouble.key)
    return found, frozenset(doubtful)


def _of_lane(name: str, lane: Lane, now: float) -> list[tuple[Trouble, bool]]:
    trouble = lane.trouble(now)
    if trouble is None:
        return []
    what, since = trouble
    line = f"overheard's channel {name} {what}"
    return [(Trouble(key=f"channel:{name}", line=line, advice=ADVICE.format(name=name), since=since), True)]


def _of_instances(name: str, channel: Channel, now: float) -> Iterator[tuple[Trouble, bool]]:
    silent: Mapping[str, tuple[float, str]] = getattr(channel, "silent_since", {})
    for address, (since, reason) in silent.items():
        line = plain(f"overheard's channel {name} cannot tell {address}: {reason}")[:500]
        key = f"instance:{name}:{address}"[:255]
        yield Trouble(key=key, line=line, advice=INSTANCE_ADVICE, since=since), now - since >= UNHEARD_AFTER
