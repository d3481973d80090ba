"""Mails on a real server: encrypted, threaded, never with a header that came from outside, and failures told apart."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from alerting.message import Message
from alerting.notify.base import Refused, Sent, Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases.email import HOST, PASSWORD, SENDER, TO, EmailCase, Mailbox, Read, serving
from tests.alerting.notify.hostile import hostile_trouble, message
from tests.alerting.test_message import BAGGAGE

CASE = EmailCase()
GREW = msgspec.structs.replace(BAGGAGE, revision=4, people=82, reason="grew")
ENDED = BAGGAGE.onset + 130 * 60
OVER = msgspec.structs.replace(BAGGAGE, revision=9, state="resolved", resolved_at=ENDED, updated_at=ENDED)
GOOD: dict[str, Any] = {"kind": "email", "host": "mail.example.org", "sender": SENDER, "to": TO}


def doing(action: str, one: object = BAGGAGE) -> Message:
    return msgspec.structs.replace(message(one), action=action)


def told(*messages: Message, tls: str = "starttls", script: Any = None, slow: float = 0.0, **changes: Any) -> Mailbox:
    """The mailbox after these, one by one, each with the thread that came before."""
    name, login = changes.pop("name", HOST), changes.pop("login", True)

    async def go() -> Mailbox:
        async with serving(tls, name, login) as box:
            box.script, box.slow_seconds = script or {}, slow
            settings = {**CASE.settings(box), "tls": tls, **changes}
            channel, sent = KINDS["email"].model_validate(settings).make("ops"), Sent()
            for one in messages:
                sent = await channel.send([msgspec.structs.replace(one, thread=sent.thread)], time.time())
            return box

    return asyncio.run(go())


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_mail_goes_out_encrypted_and_signed_in(tls: str) -> None:
    assert told(doing("open"), tls=tls).sessions == [(True, True)]


def test_updates_answer_the_first() -> None:
    first, second, third = told(doing("open"), doing("update", GREW), doing("resolve", OVER)).requests
    assert "In-Reply-To" not in first
    assert second["In-Reply-To"] == second["References"] == third["References"] == first["Message-ID"]
    assert len({one["Message-ID"] for one in (first, second, third)}) == 3
    assert third["Subject"] == "RESOLVED baggage at JFK after 2 h 10 min, peak 58 people"


def test_every_attempt_is_the_same_mail() -> None:
    first, again = told(doing("open")).requests, told(doing("open")).requests
    assert first[0]["Message-ID"] == again[0]["Message-ID"]


def test_a_new_trouble_under_an_old_key_is_a_new_thread() -> None:
    blind = hostile_trouble("overheard is BLIND for notes")
    over = msgspec.structs.replace(blind, action="resolve", sequence=2)
    *_, third = told(blind, over, msgspec.structs.replace(blind, sequence=3)).requests
    assert "References" not in third


def test_machines_do_not_answer_and_text_says_what_the_page_says() -> None:
    (made,) = told(doing("open")).requests
    assert made["Auto-Submitted"] == "auto-generated"
    text, page = (part.get_content() for part in made.iter_parts())
    words = Read(page).words
    for line in ("41 people in 40 min", "Is the belt running?", "stuck 50 min at the belt", "tweets and tickets agree"):
        assert line in text
        assert line in words
    assert Read(page).links[0] == "https://overheard.example/incident/a1"


def test_a_header_cannot_be_smuggled_in_coded() -> None:
    coded = "=?utf-8?q?hello=0D=0ABcc=3A_all=40example=2Eorg?="
    titled = msgspec.structs.replace(BAGGAGE, title=f"baggage {coded}")
    (made,) = told(doing("open", titled)).requests
    assert "Bcc" not in made
    assert "Bcc=3A" in made["Subject"]  # as it was written


def test_a_storm_is_one_mail_that_lists_fifty() -> None:
    many = [message(msgspec.structs.replace(BAGGAGE, id=f"s{n}", title=f"baggage at {n}")) for n in range(60)]

    async def go() -> Mailbox:
        async with CASE.receiver() as box:
            assert await CASE.channel(box).send(many, time.time()) == Sent()
            return box

    (made,) = asyncio.run(go()).requests
    text, page = (part.get_content() for part in made.iter_parts())
    assert made["Subject"] == "60 alerts in one message: 60 confirmed"
    assert text.count("\n- ") == 50
    assert "and 10 more, all on the board" in Read(page).words


@pytest.mark.parametrize(
    ("step", "answer"), [("DATA", "451 try later"), ("RCPT", "450 greylisted"), ("DATA", "452 full")]
)
def test_what_may_pass_is_tried_again(step: str, answer: str) -> None:
    with pytest.raises(Unsent, match=answer[:3]):
        told(doing("open"), script={step: [answer]})


@pytest.mark.parametrize(
    ("step", "answer"), [("DATA", "554 spam"), ("RCPT", "550 nobody here"), ("DATA", "552 too big")]
)
def test_what_will_not_pass_is_refused(step: str, answer: str) -> None:
    with pytest.raises(Refused, match=answer[:3]):
        told(doing("open"), script={step: [answer]})


def test_one_address_of_two_that_is_gone_does_not_keep_it_from_the_other() -> None:
    two = ("gone@example.org", "desk@example.org")
    assert len(told(doing("open"), to=two, script={"RCPT": ["550 nobody here"]}).requests) == 1


def test_one_address_that_may_take_it_later_is_waited_for() -> None:
    two = ("gone@example.org", "later@example.org")
    with pytest.raises(Unsent, match="450"):
        told(doing("open"), to=two, script={"RCPT": ["550 nobody here", "450 later"]})


def test_a_wrong_password_is_refused_and_not_shown() -> None:
    with pytest.raises(Refused, match="535") as refused:
        told(doing("open"), password="wrong horse")
    assert "horse" not in str(refused.value)


def test_a_server_without_tls_gets_nothing() -> None:
    async def go() -> Mailbox:
        async with serving("none") as box:
            channel = KINDS["email"].model_validate(CASE.settings(box)).make("ops")
            with pytest.raises(Refused, match="offers no TLS"):
                await channel.send([message()], time.time())
            return box

    assert asyncio.run(go()).raw == []


def test_a_server_with_anothers_certificate_gets_nothing() -> None:
    for tls in ("starttls", "implicit"):
        with pytest.raises(Unsent):
            told(doing("open"), tls=tls, name="other.example.org")


def test_a_server_that_is_named_may_be_spoken_to_in_plain() -> None:
    plain = {"username": None, "password": None, "login": False}
    assert told(doing("open"), tls="none", **plain).sessions == [(False, False)]


def test_silence_is_not_waited_for_long() -> None:
    began = time.monotonic()
    with pytest.raises(Unsent, match="no answer within"):
        told(doing("open"), slow=3.0, timeout_seconds=0.4)
    assert time.monotonic() - began < 2.5


def test_nobody_there_may_pass_and_an_inside_address_is_refused() -> None:
    async def go() -> None:
        async with CASE.receiver() as box:
            settings = CASE.settings(box)
        gone = KINDS["email"].model_validate(settings).make("ops")
        with pytest.raises(Unsent, match="Refused"):
            await gone.send([message()], time.time())
        inside = KINDS["email"].model_validate({**settings, "host": "localhost", "allow_hosts": ()}).make("ops")
        with pytest.raises(Refused, match="not public"):
            await inside.send([message()], time.time())

    asyncio.run(go())


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (b"", Unsent),
        (b"\x00\xff not SMTP\r\n", Unsent),
        (b"220 mail.example.org\r\n", Unsent),  # and gone
        (b"220 " + b"x" * 100_000, Unsent),
        (b"421 busy\r\n", Unsent),
        (b"554 no mail here\r\n", Refused),
    ],
)
def test_a_server_that_begins_badly(greeting: bytes, outcome: type[Exception]) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async def go() -> None:
        async with await asyncio.start_server(greet, HOST, 0) as server:
            port = server.sockets[0].getsockname()[1]
            settings = {**GOOD, "host": HOST, "port": port, "allow_hosts": (HOST,), "timeout_seconds": 2.0}
            with pytest.raises(outcome):
                await KINDS["email"].model_validate(settings).make("ops").send([message()], time.time())

    asyncio.run(go())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host": HOST}, "not a public address"),
        ({"host": "mail.example.org/x"}, "host"),
        ({"host": "user@mail.example.org"}, "user"),
        ({"tls": "none"}, "can be read on its way"),
        ({"tls": "none", "allow_hosts": ("mail.example.org",), "username": "u", "password": PASSWORD}, "without TLS"),
        ({"username": "u"}, "belong together"),
        ({"to": ()}, "to"),
        ({"to": ("desk@example.org\r\nBcc: all@example.org",)}, "not an e-mail address"),
        ({"sender": "overheard <a@example.org>"}, "not an e-mail address"),
        ({"to": ("a@example.org,b@example.org",)}, "not an e-mail address"),
    ],
)
def test_settings_that_cannot_work_say_why(changes: dict[str, Any], word: str) -> None:
    assert KINDS["email"].model_validate(GOOD)
    with pytest.raises(ValidationError, match=word) as refused:
        KINDS["email"].model_validate({**GOOD, **changes})
    assert PASSWORD not in str(refused.value)


def test_an_authority_that_cannot_be_read_says_so() -> None:
    with pytest.raises(ValueError, match="ca_file"):
        KINDS["email"].model_validate({**GOOD, "ca_file": "nowhere.pem"}).make("ops")
