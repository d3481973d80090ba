"""A card in Teams says what a page says, and is never larger than Teams takes."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from alerting.message import Links, Message
from alerting.notify.base import Refused
from tests.alerting.notify.cases.teams import Teams, TeamsCase, runs
from tests.alerting.notify.hostile import hostile_trouble, huge, message
from tests.alerting.notify.receiver import Answer
from tests.alerting.test_message import BAGGAGE

CASE = TeamsCase()
SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None)


def told(*messages: Message, script: tuple[Answer, ...] = ()) -> Teams:
    """Teams after these, sent as one."""

    async def go() -> Teams:
        async with CASE.receiver() as receiver:
            receiver.script = list(script)
            channel = CASE.channel(receiver)
            try:
                await channel.send(messages, time.time())
            finally:
                await channel.close()
            return receiver

    return asyncio.run(go())


def test_a_card_begins_with_the_page_line_and_ends_with_links() -> None:
    (card,) = told(message()).cards
    first, *_ = runs(card)
    assert (
        first["text"] == card["fallbackText"] == "CONFIRMED baggage at JFK: 41 people in 40 min (usually 0–4), rising"
    )
    assert [one["title"] for one in card["actions"]] == ["Incident", "Grafana", "Runbook"]


def test_colour_follows_the_state() -> None:
    over = msgspec.structs.replace(BAGGAGE, state="resolved", resolved_at=BAGGAGE.updated_at)
    cards = [told(message(one)).cards[0] for one in (BAGGAGE, SUSPECTED, over)]
    assert [runs(card)[0]["color"] for card in cards] == ["attention", "warning", "good"]
    assert runs(told(hostile_trouble("BLIND")).cards[0])[0]["color"] == "attention"


def test_a_storm_is_one_card_that_lists_fifty() -> None:
    many = [
        message(msgspec.structs.replace(SUSPECTED, id=f"s{n}", title=f"baggage at airport {n}", people=n + 1))
        for n in range(200)
    ]
    (card,) = told(*many).cards
    lines = [run["text"] for run in runs(card)]
    assert lines[0] == "200 alerts in one message: 200 suspected"
    assert sum(line.startswith("• ") for line in lines) == 50
    assert lines[-1] == "and 150 more, all on the board"


@pytest.mark.parametrize("letter", ["w", "ö", '"'])
def test_what_is_too_much_for_a_card_is_cut_and_said(letter: str) -> None:
    long = msgspec.structs.replace(
        BAGGAGE, examples=(letter * 1500,) * 3, title=letter * 3000, terms=((letter * 2000, 1),), team=letter * 4000
    )
    many = [message(msgspec.structs.replace(long, id=f"s{n}")) for n in range(60)]
    links = Links("https://overheard.example/" + "x" * 700)
    (card,) = told(*(msgspec.structs.replace(one, links=links) for one in many)).cards
    listed = sum(run["text"].startswith("• ") for run in runs(card))
    assert 5 < listed < 50
    assert runs(card)[-1]["text"] == f"and {60 - listed} more, all on the board"
    assert told(message(long)).cards
    assert told(huge()).cards


def test_a_workflow_that_is_gone_is_refused() -> None:
    with pytest.raises(Refused, match="404"):
        told(message(), script=(Answer(404, b'{"error": {"code": "WorkflowNotFound"}}'),))
