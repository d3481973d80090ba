"""E-mail over SMTP, encrypted: one mail a change, threaded under the first. Whoever can be reached by nothing else can be reached by this."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar, Literal, Self

import aiosmtplib
import structlog
from pydantic import Field, SecretStr, field_validator, model_validator

from alerting.message import Message
from alerting.messages import plain
from alerting.notify.base import HttpSettings, Refused, Sent, Unsent
from alerting.notify.email_parts import mail
from alerting.notify.http import AddressError, address_of, checked

log = structlog.get_logger(__name__)
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
FINAL = 500  # answers from here on are


class EmailSettings(HttpSettings):
    """`[channels.NAME]` with `kind = "email"`. A server inside must be named in `allow_hosts`, as one without TLS."""

    kind: Literal["email"] = "email"
    timeout_seconds: float = Field(default=20.0, gt=0, le=60)
    host: str
    port: int | None = Field(default=None, ge=1, le=65_535)  # 587, 465 or 25, as tls is
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca_file: Path | None = None  # of a server's own authority
    sender: str
    to: tuple[str, ...] = Field(min_length=1, max_length=50)
    username: str | None = None
    password: SecretStr | None = None
    secret_fields: ClassVar = {"password": "the password of username at the mail server"}

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if checked(f"https://{host}", (host,)).host != host.lower():
            raise ValueError("a host's name alone is needed")
        return host

    @field_validator("sender", "to")
    @classmethod
    def _are_addresses(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for one in (given,) if isinstance(given, str) else given:
            if not ADDRESS.fullmatch(one):
                raise ValueError(f"not an e-mail address, as name@example.org: {one[:100]!r}")
        return given

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        checked(f"https://{self.host}", self.allow_hosts)
        if self.tls == "none" and self.host not in self.allow_hosts:
            raise ValueError(f"without TLS mail can be read on its way: name {self.host} in allow_hosts if it is meant")
        if self.tls == "none" and self.password is not None:
            raise ValueError("a password is not sent without TLS")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        return self

    def make(self, name: str) -> EmailChannel:
        try:
            tls = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file is not None else None)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"ca_file: {self.ca_file}: {error}") from None
        return EmailChannel(self, tls)


class EmailChannel:
    """One connection a mail. `thread` is the Message-ID of the first mail of the key."""

    every_seconds = 1.0
    digests = True
    keyed = False

    def __init__(self, settings: EmailSettings, tls: ssl.SSLContext) -> None:
        self._settings, self._tls = settings, tls

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        made = mail(messages, now, sender=self._settings.sender, to=self._settings.to)
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                await self._deliver(made)
        except AddressError as error:
            raise Refused(str(error)) from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _judged(min(one.code for one in error.recipients), str(error.recipients[0])) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _judged(error.code, error.message) from None
        except TimeoutError:
            raise Unsent(f"no answer within {self._settings.timeout_seconds:g} s") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unsent(f"{type(error).__name__}: {plain(str(error))[:200]}") from None
        if len(messages) > 1:
            return Sent()
        return Sent(thread=str(made["In-Reply-To"] or made["Message-ID"]))

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _deliver(self, made: EmailMessage) -> None:
        """Raises what aiosmtplib does, AddressError, Refused, OSError."""
        own = self._settings
        port = own.port or PORTS[own.tls]
        client = aiosmtplib.SMTP(
            hostname=own.host,
            sock=await _connected(await address_of(own.host, port, own.allow_hosts), port),
            use_tls=own.tls == "implicit",
            start_tls=False,
            tls_context=self._tls,
            timeout=own.timeout_seconds,
            local_hostname=socket.gethostname(),
        )
        async with client:
            if own.tls == "starttls":
                await client.ehlo()
                if not client.supports_extension("starttls"):
                    raise Refused(f"{own.host} offers no TLS")
                await client.starttls()
            if own.username is not None and own.password is not None:
                await client.login(own.username, own.password.get_secret_value())
            refused, _ = await client.send_message(made)
            for address, answer in refused.items():
                log.warning("one recipient was refused", code=answer.code, domain=address.rpartition("@")[2])


async def _connected(address: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def _judged(code: int, said: str) -> Unsent | Refused:
    """4xx may pass; 5xx will not."""
    reason = f"answered {code}: {plain(said)[:200]}"
    return Refused(reason) if code >= FINAL else Unsent(reason)
