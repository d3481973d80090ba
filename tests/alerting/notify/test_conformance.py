"""What every kind of channel does, whatever its receiver: judged settings, failures told apart, nothing hostile alive, nothing too large."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pydantic import ValidationError

from alerting.message import Message
from alerting.notify.base import Refused, Sent, Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases import CASES
from tests.alerting.notify.cases.base import Case, HttpCase
from tests.alerting.notify.hostile import PAYLOADS, hostile, hostile_trouble, huge, message
from tests.alerting.notify.receiver import Answer, Receiver

HTTP = {kind: case for kind, case in CASES.items() if isinstance(case, HttpCase)}
BAD_ADDRESSES = (
    "http://example.org/hook",
    "ftp://example.org/hook",
    "https://user:word@example.org/hook",
    "https://10.0.0.1/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:127.0.0.1]/hook",
    "https://2130706433/hook",
    "https://exa mple.org",
    "not an address",
    "",
)
every_kind = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_http_kind = pytest.mark.parametrize("case", HTTP.values(), ids=HTTP)


def sent(case: Case, *messages: Message, script: tuple[Answer, ...] = (), **changes: Any) -> tuple[Sent, Any]:
    """What the channel returned, and its receiver."""

    async def go() -> tuple[Sent, Any]:
        async with case.receiver() as receiver:
            if script:
                receiver.script = list(script)
            settings = {**case.settings(receiver), **changes}
            channel = KINDS[case.kind].model_validate(settings).make("ops")
            try:
                for one in messages[:-1]:
                    await channel.send([one], time.time())
                return await channel.send([messages[-1]], time.time()), receiver
            finally:
                await channel.close()

    return asyncio.run(go())


def test_every_kind_is_held_to_this() -> None:
    assert {case.kind for case in CASES.values()} == KINDS.keys()


@every_kind
def test_a_message_comes_through(case: Case) -> None:
    answer, receiver = sent(case, message())
    assert isinstance(answer, Sent)
    assert receiver.requests


@every_http_kind
@pytest.mark.parametrize("status", [200, 202])
def test_any_success_is_one(case: HttpCase, status: int) -> None:
    async def go() -> Sent:
        async with case.receiver() as receiver:
            usual = receiver.usual
            receiver.usual = lambda request: usual(request)._replace(status=status)
            channel = case.channel(receiver)
            try:
                return await channel.send([message()], time.time())
            finally:
                await channel.close()

    assert isinstance(asyncio.run(go()), Sent)


@every_kind
def test_a_setting_nobody_knows_is_refused_by_its_name(case: Case) -> None:
    async def settings() -> dict[str, Any]:
        async with case.receiver() as receiver:
            return case.settings(receiver)

    known = asyncio.run(settings())
    assert KINDS[case.kind].model_validate(known)
    with pytest.raises(ValidationError) as refused:
        KINDS[case.kind].model_validate({**known, "colour": "red"})
    assert [error["loc"] for error in refused.value.errors()] == [("colour",)]


@every_kind
def test_secrets_are_shown_nowhere(case: Case) -> None:
    async def settings() -> dict[str, Any]:
        async with case.receiver() as receiver:
            return case.settings(receiver)

    kind, known = KINDS[case.kind], asyncio.run(settings())
    assert kind.secret_fields.keys() >= case.secrets.keys()
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({**known, "colour": "red"})
    shown = f"{refused.value} {kind.model_validate(known)!r} {kind.model_validate(known).model_dump()}"
    for field in kind.secret_fields:
        assert field not in known or known[field] not in shown


@every_http_kind
@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_bad_address_is_refused_and_its_key_named(case: HttpCase, address: str) -> None:
    receiver = Receiver(case.answer)
    value = case.address(receiver)
    bad = (address,) if isinstance(value, tuple | list) else address
    with pytest.raises(ValidationError) as refused:
        KINDS[case.kind].model_validate({**case.settings(receiver), "allow_hosts": (), case.address_field: bad})
    assert refused.value.errors()[0]["loc"][0] == case.address_field


@every_http_kind
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 302])
def test_what_will_not_pass_is_refused(case: HttpCase, status: int) -> None:
    with pytest.raises(Refused, match=str(status)):
        sent(case, message(), script=(Answer(status, b"no"),))


@every_http_kind
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(case: HttpCase, status: int) -> None:
    with pytest.raises(Unsent, match=str(status)) as unsent:
        sent(case, message(), script=(Answer(status, b"later"),))
    assert unsent.value.after is None


@every_http_kind
@pytest.mark.parametrize("status", [429, 503])
def test_the_rest_a_receiver_asks_for_is_told(case: HttpCase, status: int) -> None:
    with pytest.raises(Unsent) as unsent:
        sent(case, message(), script=(Answer(status, b"later", (("Retry-After", "17"),)),))
    assert unsent.value.after == 17


@every_http_kind
@pytest.mark.parametrize("how", ["reset", "never", "garbage"])
def test_an_answer_that_does_not_come_whole_is_none(case: HttpCase, how: Any) -> None:
    with pytest.raises(Unsent):
        sent(case, message(), script=(Answer(how=how),), timeout_seconds=0.3)


@every_http_kind
def test_nobody_there_may_pass(case: HttpCase) -> None:
    async def go() -> None:
        async with case.receiver() as receiver:
            channel = case.channel(receiver)
        try:
            await channel.send([message()], time.time())
        finally:
            await channel.close()

    with pytest.raises(Unsent):
        asyncio.run(go())


@every_http_kind
def test_a_body_that_means_nothing(case: HttpCase) -> None:
    script = (Answer(200, b"\x00\xff<html>\xfe"),)
    if case.garbage_is_sent:
        sent(case, message(), script=script)
    else:
        with pytest.raises(Unsent):
            sent(case, message(), script=script)


@every_kind
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload)[:30])
def test_hostile_words_are_only_words(case: Case, payload: str) -> None:
    for one in (hostile(payload), hostile_trouble(payload)):
        _, receiver = sent(case, one)
        case.assert_harmless(receiver, payload)


@every_kind
def test_the_largest_incident_fits(case: Case) -> None:
    _, receiver = sent(case, huge())
    case.assert_within_limits(receiver)


def test_there_are_fifty_payloads() -> None:
    assert len(set(PAYLOADS)) == 50
