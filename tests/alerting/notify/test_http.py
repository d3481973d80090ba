"""Posts go to public https addresses out of the configuration and nowhere else, whatever an address, a name server or an answer says."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
import trustme

from alerting.notify.base import Refused, Unsent
from alerting.notify.http import LONGEST_AFTER_SECONDS, MOST_ANSWER_BYTES, AddressError, Poster, checked
from tests.alerting.notify.receiver import Answer, Receiver

LITERALS = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0x7f.1",
    "127.0.0.1.",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[ff02::1]",
)
NAMES = ("localhost", "LOCALHOST", "localhost.", "127.0.0.1.nip.example", "metadata.internal", "rebinding.example")
ODD = (
    "http://hooks.example/",
    "https://hooks.example@127.0.0.1/",
    "https://user:word@hooks.example/",
    "https:///hook",
    "https://hooks.example\\@127.0.0.1/",
    "https://hooks.example\r\nHost: other/",
    "//127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/_x",
    "unix:///var/run/docker.sock",
)


def resolving(monkeypatch: Any, *addresses: str) -> None:
    """Names lead to these, one a question, the last for ever."""
    left = list(addresses)

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def posted(url: str, receiver: Receiver, **options: Any) -> Any:
    """The answer to a post to `url`, in which PORT is the receiver's."""

    async def go() -> Any:
        async with receiver:
            poster = Poster(timeout_seconds=2.0, **options)
            try:
                return await poster.post(url.replace("PORT", str(receiver.port)), json={})
            finally:
                await poster.close()

    return asyncio.run(go())


def taking(*script: Answer) -> Receiver:
    made = Receiver(lambda _: Answer())
    made.script = list(script)
    return made


@pytest.mark.parametrize("host", LITERALS)
def test_an_address_that_is_not_public_is_refused_in_every_notation(host: str, monkeypatch: Any) -> None:
    resolving(monkeypatch, "127.0.0.1")
    canary = taking()
    with pytest.raises(Refused):
        posted(f"https://{host}:PORT/", canary)
    with pytest.raises(Refused):
        posted(f"http://{host}:PORT/", canary)
    assert canary.requests == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_a_name_that_leads_inside_is_refused(name: str, address: str, monkeypatch: Any) -> None:
    resolving(monkeypatch, address)
    with pytest.raises(Refused, match="not public"):
        posted(f"https://{name}:PORT/", taking())


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: Any) -> None:
    resolving(monkeypatch, "203.0.113.0", "127.0.0.1")  # another answer for who asks twice
    canary = taking()
    monkeypatch.setattr("alerting.notify.http.is_public", lambda address: str(address) == "203.0.113.0")
    with pytest.raises((Unsent, Refused)):
        posted("https://rebinding.example:PORT/", canary)
    assert canary.requests == []


@pytest.mark.parametrize("url", ODD)
def test_an_odd_address_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        checked(url)


def test_what_is_named_is_allowed_and_only_that(monkeypatch: Any) -> None:
    resolving(monkeypatch, "127.0.0.1")
    assert posted("http://127.0.0.1:PORT/", taking(), allow_hosts=("127.0.0.1",)).status_code == 200
    assert posted("http://ours.example:PORT/", taking(), allow_hosts=("ours.example",)).status_code == 200
    with pytest.raises(Refused):
        posted("http://127.0.0.1:PORT/", taking(), allow_hosts=("ours.example",))
    with pytest.raises(Refused):
        posted("http://ours.example.evil.example:PORT/", taking(), allow_hosts=("ours.example",))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    receiver = taking(Answer(status, headers=(("Location", "/elsewhere"),)))
    with pytest.raises(Refused, match=str(status)):
        posted("http://127.0.0.1:PORT/", receiver, allow_hosts=("127.0.0.1",))
    assert len(receiver.requests) == 1


def test_a_proxy_of_the_surroundings_is_not_used(monkeypatch: Any) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert posted("http://127.0.0.1:PORT/", taking(), allow_hosts=("127.0.0.1",)).status_code == 200


def test_an_answer_without_end_is_cut() -> None:
    endless = Answer(200, b"x" * (MOST_ANSWER_BYTES * 20))
    answer = posted("http://127.0.0.1:PORT/", taking(endless), allow_hosts=("127.0.0.1",))
    assert len(answer.content) == MOST_ANSWER_BYTES


def speaking_tls(authority: trustme.CA, name: str) -> Receiver:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return Receiver(lambda _: Answer(), context)


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_the_certificate_is_held_to_the_name_though_the_address_is_connected_to(monkeypatch: Any) -> None:
    resolving(monkeypatch, "127.0.0.1")
    ours, theirs = trustme.CA(), trustme.CA()
    named: dict[str, Any] = {"allow_hosts": ("hooks.example",), "tls": trusting(ours)}
    receiver = speaking_tls(ours, "hooks.example")
    assert posted("https://hooks.example:PORT/x", receiver, **named).status_code == 200
    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"
    for wrong in (speaking_tls(ours, "other.example"), speaking_tls(theirs, "hooks.example")):
        with pytest.raises(Unsent, match="certificate"):
            posted("https://hooks.example:PORT/x", wrong, **named)
        assert wrong.requests == []


def test_what_a_receiver_says_is_repeated_on_one_line() -> None:
    forged = Answer(400, b"no\r\n2026-01-01 [info] all is well \x1b[2J" + b"x" * 10_000)
    with pytest.raises(Refused) as refused:
        posted("http://127.0.0.1:PORT/", taking(forged), allow_hosts=("127.0.0.1",))
    assert refused.value.reason.startswith("answered 400: no 2026-01-01 [info] all is well  [2Jxxx")
    assert len(refused.value.reason) < 300


DATE = ("Date", "Mon, 01 Jan 2024 00:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ((("Retry-After", "120"),), 120.0),
        ((("Retry-After", " 1.5 "),), 1.5),
        ((("Retry-After", "-5"),), 0.0),
        ((("Retry-After", "99999999"),), LONGEST_AFTER_SECONDS),
        ((("Retry-After", "nan"),), None),
        ((("Retry-After", "soon"),), None),
        ((DATE, ("Retry-After", "Mon, 01 Jan 2024 00:01:30 GMT")), 90.0),
        ((DATE, ("Retry-After", "Sun, 31 Dec 2023 00:00:00 GMT")), 0.0),
        ((("Retry-After", "Mon, 01 Jan 2024 00:01:30 GMT"),), None),
        ((), None),
    ],
)
def test_the_rest_asked_for_is_read(headers: Any, after: float | None) -> None:
    with pytest.raises(Unsent) as unsent:
        posted("http://127.0.0.1:PORT/", taking(Answer(429, headers=headers)), allow_hosts=("127.0.0.1",))
    assert unsent.value.after == after


def test_there_are_forty_forms() -> None:
    assert len(set(LITERALS)) >= 40
