"""A mail server of a library, on loopback, that answers by script; and what a mail may not hold."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.alerting.notify.cases.base import OBEYED, Case

HOST = "127.0.0.1"
USER, PASSWORD = "overheard", "correct horse battery"
SENDER, TO = "overheard@example.org", ("desk@example.org",)
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
}
TAGS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "a", "br"}


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def ca_file() -> str:
    path = Path(tempfile.mkdtemp()) / "ca.pem"
    authority().cert_pem.write_to_path(path)
    return str(path)


class Mailbox:
    """The server's handler: `script` answers MAIL, RCPT, DATA by name, each once; `raw` is what came."""

    def __init__(self) -> None:
        self.script: dict[str, list[str]] = {}
        self.raw: list[bytes] = []
        self.sessions: list[tuple[bool, bool]] = []  # encrypted, logged in
        self.slow_seconds = 0.0
        self.port = 0

    @property
    def requests(self) -> list[EmailMessage]:
        return [parsed(one) for one in self.raw]

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        answer = self._next("RCPT")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.slow_seconds)
        answer = self._next("DATA")
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.raw.append(envelope.content)
            encrypted = server.transport.get_extra_info("ssl_object") is not None
            self.sessions.append((encrypted, bool(session.authenticated)))
        return answer

    def _next(self, name: str) -> str:
        waiting = self.script.get(name)
        return waiting.pop(0) if waiting else "250 OK"


def parsed(raw: bytes) -> EmailMessage:
    made = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth: Any) -> AuthResult:
    assert isinstance(auth, LoginPassword)
    return AuthResult(success=(auth.login, auth.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def serving(tls: str = "starttls", name: str = HOST, login: bool = False) -> AsyncIterator[Mailbox]:
    """A server that speaks TLS so, with a certificate for `name`."""
    box = Mailbox()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(name).configure_cert(context)
    settings: dict[str, Any] = {"authenticator": _login, "auth_required": True} if login else {}
    if tls == "starttls":
        settings |= {"tls_context": context, "require_starttls": True}
    else:
        settings |= {"auth_require_tls": False}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, hostname="mail.example.org", loop=loop, **settings),
        HOST,
        0,
        ssl=context if tls == "implicit" else None,
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


class Read(HTMLParser):
    """What of a page is live: tags, attributes, addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


class EmailCase(Case):
    kind = "email"
    secrets: ClassVar = {"password": PASSWORD}
    suffix = "eml"

    def receiver(self) -> AbstractAsyncContextManager[Mailbox]:
        return serving(login=True)

    def settings(self, receiver: Mailbox) -> dict[str, Any]:
        return {
            **{"kind": "email", "host": HOST, "port": receiver.port, "allow_hosts": (HOST,), "ca_file": ca_file()},
            **{"sender": SENDER, "to": TO, "username": USER, "password": PASSWORD},
        }

    def shown(self, receiver: Mailbox, first: int) -> str:
        return b"".join(receiver.raw[first:]).replace(b"\r\n", b"\n").decode("ascii")

    def assert_harmless(self, receiver: Mailbox, payload: str) -> None:
        (made,) = receiver.requests
        assert set(made.keys()) <= HEADERS
        assert (made["To"], made["From"]) == (", ".join(TO), f"overheard <{SENDER}>")
        assert not OBEYED.search(made["Subject"])
        text, page = (part.get_content() for part in made.iter_parts())
        assert not OBEYED.search(text.replace("\r\n", " "))
        read = Read(page)
        assert read.tags <= TAGS, read.tags - TAGS
        assert not any(name.startswith("on") or name in ("src", "srcset", "background") for name in read.attributes)
        assert all(
            link.startswith(("https://overheard.example/", "https://grafana.example/", "https://runbooks."))
            for link in read.links
        )
        assert "url(" not in page

    def assert_within_limits(self, receiver: Mailbox) -> None:
        (raw,) = receiver.raw
        assert len(raw) < 100_000  # over that Gmail cuts a mail
        assert max(map(len, raw.split(b"\r\n"))) <= 998
