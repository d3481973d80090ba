"""What nothing here speaks, by the library apprise, an extra: some hundred services, told each change, with no ends, threads or waits of their own.

The library opens its connections itself: that addresses are public is checked before it does, not, as everywhere else, of the very connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from alerting.digest import digest
from alerting.message import Message, facts
from alerting.messages import shortened
from alerting.notify.base import HttpSettings, Refused, Sent, Unsent
from alerting.notify.http import AddressError, address_of, checked

MOST_TITLE, MOST_BODY = 200, 8000  # each service cuts further as it must
NAMES = re.compile(r"@(?=\w)|<(?=[@!#])")  # what chats tell people by
TYPES = {"page": "failure", "chat": "warning"}


class AppriseSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "apprise"`."""

    kind: Literal["apprise"] = "apprise"
    timeout_seconds: float = Field(default=20.0, gt=0, le=60)
    urls: SecretStr
    secret_fields: ClassVar = {"urls": "apprise's addresses of services, one a line"}

    def make(self, name: str) -> AppriseChannel:
        try:
            import apprise
        except ImportError:
            raise ValueError(
                "apprise is not installed: it is the extra overheard[apprise], or pip install 'apprise>=2.3'"
            ) from None
        services = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False, app_id="overheard"))
        urls = self.urls.get_secret_value().split()
        if not urls:
            raise ValueError("urls: none is given")
        for number, url in enumerate(urls, 1):
            if not services.add(url):
                raise ValueError(f"urls: apprise cannot use number {number}")
        hosts = [_host(service, number, self.allow_hosts) for number, service in enumerate(services, 1)]
        return AppriseChannel(services, [host for host in hosts if host is not None], self)


class AppriseChannel:
    """All its services are told at once: when one did not take it, all are told again."""

    every_seconds = 1.0
    digests = True
    keyed = False

    def __init__(self, services: Any, hosts: Sequence[tuple[str, int]], settings: AppriseSettings) -> None:
        self._services, self._hosts, self._settings = services, hosts, settings

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        title, body, kind = _content(messages, now)
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                for host, port in self._hosts:
                    await address_of(host, port, self._settings.allow_hosts)
                taken = await self._services.async_notify(
                    title=title, body=body, notify_type=kind, body_format="text", timeout=seconds
                )
        except AddressError as error:
            raise Refused(str(error)) from None
        except TimeoutError:
            raise Unsent(f"no answer within {seconds:g} s") from None
        except OSError as error:
            raise Unsent(f"{type(error).__name__}: {error}") from None
        if not taken:
            raise Unsent("apprise could not tell all of its services; its log says which")
        return Sent()

    async def close(self) -> None:
        """The library keeps nothing open."""


def _host(service: Any, number: int, allow_hosts: tuple[str, ...]) -> tuple[str, int] | None:
    """Where a service that is anyone's own is; None of one that has its own place. Raises ValueError."""
    if "host" not in service.template_tokens or not service.host:
        return None
    host = str(service.host)
    try:
        checked(f"https://{host}", allow_hosts)
    except AddressError as error:
        raise ValueError(f"urls: number {number}: {error}") from None
    if not service.secure and host not in allow_hosts:
        raise ValueError(
            f"urls: number {number} is not encrypted: use its secure form, or name its host in allow_hosts"
        )
    return host, service.port or 443


def _content(messages: Sequence[Message], now: float) -> tuple[str, str, str]:
    """Title, body, type."""
    if len(messages) > 1:
        many = digest(messages, now)
        title, lines, kind = many.headline, many.text(), "warning"
    else:
        said = facts(messages[0], now)
        title, lines, kind = said.headline, said.text(), "success" if said.over else TYPES[said.severity]
    _, _, body = lines.partition("\n")
    return _words(title, MOST_TITLE), _words(body or title, MOST_BODY), kind


def _words(text: str, most: int) -> str:
    """In which nobody is called by name."""
    return shortened(NAMES.sub(lambda found: f"{found[0]}\u2060", text), most)
