"""One incident is one page at PagerDuty, whatever is repeated, and its end is the page's end."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from pydantic import ValidationError

from alerting.message import Message
from alerting.model import Gate
from alerting.notify.base import Refused, Unsent
from alerting.notify.registry import KINDS
from tests.alerting.notify.cases.pagerduty import PagerDuty, PagerDutyCase
from tests.alerting.notify.hostile import hostile, hostile_trouble, message
from tests.alerting.notify.receiver import Answer
from tests.alerting.test_message import BAGGAGE

CASE = PagerDutyCase()
SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None, revision=2)


def told(*messages: Message, script: tuple[Answer, ...] = ()) -> PagerDuty:
    """What PagerDuty knows after these, each tried until it is taken."""

    async def go() -> PagerDuty:
        async with CASE.receiver() as receiver:
            receiver.script = list(script)
            channel = CASE.channel(receiver)
            for one in messages:
                taken = False
                while not taken:
                    try:
                        await channel.send([one], time.time())
                        taken = True
                    except Unsent:
                        taken = False
            await channel.close()
            return receiver

    return asyncio.run(go())


def doing(action: str, one: object = BAGGAGE) -> Message:
    return msgspec.structs.replace(message(one), action=action)


def test_an_incident_is_one_page_from_its_first_to_its_last_message() -> None:
    receiver = told(doing("open", SUSPECTED), doing("update"), doing("ack"), doing("update"), doing("resolve"))
    (page,) = receiver.opened
    assert (page.key, page.state) == ("a1", "resolved")
    assert [payload["severity"] for payload in page.log] == ["warning", "critical", "critical"]


def test_a_page_says_what_where_and_why() -> None:
    receiver = told(doing("open"))
    (request,) = receiver.requests
    event = request.json()
    payload = event["payload"]
    assert payload["summary"] == "CONFIRMED baggage at JFK: 41 people in 40 min (usually 0–4), rising"
    assert (payload["source"], payload["component"], payload["class"]) == ("JFK", "baggage", "disruption")
    assert payload["timestamp"] == "2024-01-01T07:03:00Z"
    assert payload["custom_details"]["Ask first"] == "Is the belt running?"
    assert payload["custom_details"]["In their words"] == ["[user] stuck 50 min at the belt"]
    assert payload["custom_details"]["Why"] == ["41 people, 5 needed"]
    assert event["links"][0] == {"href": "https://overheard.example/incident/a1", "text": "Incident"}
    assert (event["client"], event["client_url"]) == ("overheard", "https://overheard.example")


def test_what_was_taken_but_not_answered_is_no_second_page() -> None:
    receiver = told(doing("open"), doing("open"), doing("resolve"), doing("resolve"))
    assert [page.state for page in receiver.opened] == ["resolved"]


def test_too_many_requests_are_tried_again() -> None:
    receiver = told(doing("open"), script=(Answer(429), Answer(500), Answer(how="reset")))
    assert len(receiver.requests) == 4
    assert len(receiver.opened) == 1


def test_what_comes_back_after_its_end_is_a_new_page() -> None:
    receiver = told(doing("open"), doing("resolve"), doing("reopen"))
    assert [page.state for page in receiver.opened] == ["resolved", "triggered"]
    assert receiver.opened[1].log[0]["summary"].startswith("AGAIN CONFIRMED")


def test_trouble_of_our_own_is_an_error() -> None:
    blind = hostile_trouble("overheard is BLIND for notes")
    receiver = told(blind, msgspec.structs.replace(blind, action="resolve"))
    (page,) = receiver.opened
    assert (page.state, page.log[0]["severity"], page.log[0]["class"]) == ("resolved", "error", "trouble")


def test_a_key_longer_than_pagerduty_takes_is_still_one_key() -> None:
    long = msgspec.structs.replace(hostile_trouble("blind"), key="blind:" + "x" * 500)
    other = msgspec.structs.replace(long, key="blind:" + "x" * 499 + "y")
    assert [page.key for page in told(long, other, long).opened] == [page.key for page in told(long, other).opened]
    assert len(told(long, other).opened) == 2


def test_the_most_that_could_be_said_is_taken() -> None:
    wide = "\N{LUGGAGE}" * 100_000
    one = msgspec.structs.replace(
        hostile(wide).incident, why=tuple(Gate("people", True, wide) for _ in range(100)), examples=(wide,) * 100
    )
    (page,) = told(doing("open", one)).opened
    assert page.log[0]["summary"].endswith("…")


def test_a_key_pagerduty_does_not_know_is_refused() -> None:
    with pytest.raises(Refused, match="invalid key"):
        told(doing("open"), script=(Answer(400, b"invalid key"),))


@pytest.mark.parametrize("key", ["", "short", "0123456789abcdefABCDEF01234567\r\n", "ü" * 32])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KINDS["pagerduty"].model_validate({"kind": "pagerduty", "routing_key": key})
    assert refused.value.errors()[0]["loc"] == ("routing_key",)
