"""Alertmanager's API v2: every instance is told, and told again every 20 seconds, for it keeps alerts in memory only.

Instances of a cluster agree among themselves who notifies; a sender that chose one would lose what that one had not yet passed on. So it is
enough that one took a message: the others get it with the next repeat, and an end that never reached one comes there by `endsAt`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import orjson
import structlog
from pydantic import Field

from alerting.message import Message
from alerting.notify.alerts import Alert, alert_of, ended, fault, labels_of
from alerting.notify.base import HttpSettings, Refused, Sent, Unsent
from alerting.notify.http import Address, Poster

log = structlog.get_logger(__name__)
REPEAT_SECONDS = 20.0
LASTS_SECONDS = 180.0  # what is not repeated for so long ends by itself
MOST_IN_POST = 500
PATH = "/api/v2/alerts"


class AlertmanagerSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "alertmanager"`."""

    kind: Literal["alertmanager"] = "alertmanager"
    timeout_seconds: float = Field(default=3.0, gt=0, le=60)  # short: the others wait for the slowest
    urls: tuple[Address, ...] = Field(min_length=1)  # of every instance, as its own page is reached

    def make(self, name: str) -> AlertmanagerChannel:
        poster = Poster.of(self)
        return AlertmanagerChannel([url.rstrip("/") + PATH for url in self.urls], poster)


class AlertmanagerChannel:
    """Posts to all instances at once. What it gives back as thread is the labels told, so that changed ones can be ended."""

    every_seconds = 0.0
    digests = False
    keyed = True
    repeat_seconds = REPEAT_SECONDS

    def __init__(self, urls: Sequence[str], poster: Poster) -> None:
        self._urls, self._poster = tuple(urls), poster
        self._spared: dict[str, float] = {}  # instances that did not take the newest post, until when
        self.silent_since: dict[str, tuple[float, str]] = {}  # the same, since when, and why

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        labels: dict[str, str] = {}
        for one in messages:
            labels = labels_of(one)
            await self._tell(_alerts(one, labels, now), now)
        return Sent(thread=orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode())

    async def repeat(self, standing: Sequence[Message], now: float) -> None:
        alerts = [alert for one in standing for alert in _alerts(one, labels_of(one), now)]
        self._spared.clear()
        for first in range(0, max(1, len(alerts)), MOST_IN_POST):  # nothing is told too: that shows whether they live
            await self._tell(alerts[first : first + MOST_IN_POST], now)

    async def close(self) -> None:
        await self._poster.close()

    async def _tell(self, alerts: Sequence[Alert], now: float) -> None:
        """Post to every instance but those that were silent just now. Raises Unsent or Refused when none took it."""
        good = [alert for alert in alerts if not _is_faulty(alert)]
        if alerts and not good:
            raise Refused(f"not an alert: {fault(alerts[0])}")
        content = orjson.dumps(good)
        urls = [url for url in self._urls if self._spared.get(url, now) <= now] or self._urls
        outcomes = await asyncio.gather(*(self._post(url, content) for url in urls))
        failed = [(url, outcome) for url, outcome in zip(urls, outcomes, strict=True) if outcome is not None]
        self._note(urls, dict(failed), now)
        if len(failed) == len(urls):
            raise _worst([outcome for _, outcome in failed])
        for url, outcome in failed:
            self._spared[url] = now + REPEAT_SECONDS
            log.warning("one alertmanager was not told", url=url, reason=outcome.reason)

    def _note(self, urls: Sequence[str], failed: Mapping[str, Unsent | Refused], now: float) -> None:
        """Who answered, who did not, and since when."""
        for url in urls:
            self._spared.pop(url, None)
            address = url.removesuffix(PATH)
            if url in failed:
                since, _ = self.silent_since.get(address, (now, ""))
                self.silent_since[address] = since, failed[url].reason
            else:
                self.silent_since.pop(address, None)

    async def _post(self, url: str, content: bytes) -> Unsent | Refused | None:
        try:
            await self._poster.post(url, content=content, headers={"content-type": "application/json"})
        except (Unsent, Refused) as error:
            return error
        return None


def _alerts(message: Message, labels: dict[str, str], now: float) -> list[Alert]:
    """The alert, and the end of the one it was before its labels changed."""
    alerts = [alert_of(message, labels, now, LASTS_SECONDS)]
    before = msgspec.json.decode(message.thread, type=dict[str, str]) if message.thread else labels
    if before != labels:
        alerts.append(ended(alerts[0], before, now))
    return alerts


def _is_faulty(alert: Alert) -> bool:
    """Whether it must not be posted: Alertmanager answers 400 to a batch with one bad alert, and takes the others."""
    found = fault(alert)
    if found is not None:
        log.error("not an alert", incident=alert["labels"].get("incident"), reason=found)
    return found is not None


def _worst(failures: Sequence[Any]) -> Unsent | Refused:
    """What none took may be taken later as long as one instance has not refused it."""
    unsent = [one for one in failures if isinstance(one, Unsent)]
    if not unsent:
        return Refused(failures[0].reason)
    rests = [one.after for one in unsent if one.after is not None]
    return Unsent("; ".join(one.reason for one in failures), max(rests, default=None))
