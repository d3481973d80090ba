"""Posts to addresses out of the configuration, and to nothing else: https, public addresses, no redirects, small answers."""

from __future__ import annotations

import asyncio
import email.utils
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, SecretStr, ValidationInfo

from alerting.messages import plain
from alerting.notify.base import HttpSettings, Refused, Unsent

MOST_ANSWER_BYTES = 64 * 1024
AGAIN = frozenset({408, 425, 429})  # these and 5xx are tried again
LONGEST_AFTER_SECONDS = 6 * 3600.0
NAT64 = "64:ff9b::"


class AddressError(ValueError):
    """An address that must not be posted to; the message says why."""


def checked(url: str, allow_hosts: tuple[str, ...] = ()) -> httpx.URL:
    """An address as configuration may give it. Raises AddressError."""
    if any(ord(letter) <= 32 or letter == "\\" for letter in url):
        raise AddressError("the address holds spaces, control characters or backslashes")
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressError(f"not an address: {error}") from None
    if found.scheme not in ("https", "http") or not found.host:
        raise AddressError(f"an https address is needed, not {found.scheme or 'one without scheme'}")
    if found.userinfo:
        raise AddressError("the address holds a user or password")
    named = found.host in allow_hosts
    if found.scheme == "http" and not named:
        raise AddressError(f"http is not encrypted: use https, or name {found.host} in allow_hosts")
    literal = _literal(found.host)
    if literal is not None and not named and not is_public(literal):
        raise AddressError(f"{found.host} is not a public address: name it in allow_hosts if it is meant")
    return found


def _may_be_posted_to(url: str, info: ValidationInfo) -> str:
    checked(url, info.data.get("allow_hosts", ()))
    return url


def _may_be_posted_to_in_secret(url: SecretStr, info: ValidationInfo) -> SecretStr:
    checked(url.get_secret_value(), info.data.get("allow_hosts", ()))
    return url


Address = Annotated[str, AfterValidator(_may_be_posted_to)]  # a field of HttpSettings
SecretAddress = Annotated[SecretStr, AfterValidator(_may_be_posted_to_in_secret)]  # one that is itself a key


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open internet, also behind the ways IPv6 has of writing IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and str(address).startswith(NAT64):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host's name already is, in any notation the system would take: 2130706433, 0x7f.1, 127.1."""
    try:
        return ip_address(host)
    except ValueError:
        return _old_notation(host)


def _old_notation(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


async def address_of(host: str, port: int, allow_hosts: tuple[str, ...]) -> str:
    """One of the host's addresses that may be connected to. Raises AddressError, OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    allowed = [one for one in addresses if host in allow_hosts or is_public(ip_address(one))]
    if not allowed:
        raise AddressError(f"{host} leads to {addresses[0]}, which is not public: name it in allow_hosts")
    return allowed[0]


class Poster:
    """Posts for one channel. The host's address is looked up, checked, and then the very one that is connected to."""

    def __init__(
        self, *, allow_hosts: tuple[str, ...] = (), timeout_seconds: float = 10.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.allow_hosts, self.timeout_seconds = allow_hosts, timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds, follow_redirects=False, trust_env=False, verify=tls or _public_trust()
        )

    @classmethod
    def of(cls, settings: HttpSettings) -> Poster:
        """As a channel is configured."""
        return cls(allow_hosts=settings.allow_hosts, timeout_seconds=settings.timeout_seconds)

    async def post(
        self, url: str, *, json: Any = None, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post something. As `ask`."""
        return await self.ask("POST", url, json=json, content=content, headers=headers)

    async def ask(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, which is a 2xx. Raises Unsent for what may pass, Refused for what will not."""
        try:
            target = checked(url, self.allow_hosts)
            async with asyncio.timeout(self.timeout_seconds):
                port = target.port or (443 if target.scheme == "https" else 80)
                address = await address_of(target.host, port, self.allow_hosts)
                answer = await self._send(method, target, address, json=json, content=content, headers=headers)
        except AddressError as error:
            raise Refused(str(error)) from None
        except TimeoutError:
            raise Unsent(f"no answer within {self.timeout_seconds:g} s") from None
        except (httpx.TransportError, OSError) as error:
            raise Unsent(f"{type(error).__name__}: {error}") from None
        if answer.is_success:
            return answer
        reason = f"answered {answer.status_code}: {plain(answer.text[:200])}"
        if answer.status_code in AGAIN or answer.status_code >= 500:
            raise Unsent(reason, retry_after(answer))
        raise Refused(reason)

    async def _send(
        self,
        method: str,
        target: httpx.URL,
        address: str,
        *,
        json: Any,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        request = self._client.build_request(
            method,
            target.copy_with(host=address),
            json=json,
            content=content,
            headers={**(headers or {}), "host": target.netloc.decode()},
            extensions={"sni_hostname": target.host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MOST_ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=body[:MOST_ANSWER_BYTES])

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Headers of a body that has been decoded already."""
    return [(name, value) for name, value in headers.items() if name not in ("content-encoding", "content-length")]


@cache
def _public_trust() -> ssl.SSLContext:
    """The system's certificates, read once: that takes longer than a post."""
    return ssl.create_default_context()


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds the receiver asked to be left alone for: a number or, against its own clock, a date."""
    told = answer.headers.get("retry-after", "").strip()
    if not told:
        return None
    try:
        seconds = float(told)
    except ValueError:
        until, now = _date(told), _date(answer.headers.get("date", ""))
        if until is None or now is None:
            return None
        seconds = until - now
    return min(max(seconds, 0.0), LONGEST_AFTER_SECONDS) if seconds == seconds else None


def _date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
