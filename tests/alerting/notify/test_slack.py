"""One incident is one message in Slack, which shows how things stand; its thread says what changed."""

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
from alerting.notify.slack_blocks import words
from tests.alerting.notify.cases.slack import CHANNEL, TOKEN, Slack, SlackCase, SlackWebhookCase, Webhook
from tests.alerting.notify.hostile import hostile_trouble, message
from tests.alerting.notify.receiver import Answer
from tests.alerting.test_message import BAGGAGE

SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None, revision=2, reason="suspected")
GREW = msgspec.structs.replace(BAGGAGE, revision=4, people=82, reason="grew")
ENDED = BAGGAGE.onset + 130 * 60
OVER = msgspec.structs.replace(BAGGAGE, revision=9, state="resolved", resolved_at=ENDED, updated_at=ENDED)


def doing(action: str, one: object = BAGGAGE) -> Message:
    return msgspec.structs.replace(message(one), action=action)


def told(*messages: Message, case: SlackCase | None = None, errors: tuple[str | None, ...] = ()) -> Any:
    """The receiver after these, one by one, each with the thread that came before; errors are answered first."""
    case = case or SlackCase()

    async def go() -> Any:
        async with case.receiver() as receiver:
            receiver.errors = list(errors)
            channel, sent = case.channel(receiver), Sent()
            for one in messages:
                sent = await channel.send([msgspec.structs.replace(one, thread=sent.thread)], time.time())
            await channel.close()
            return receiver

    return asyncio.run(go())


def digest_of(many: list[Message], case: SlackCase | None = None) -> Any:
    case = case or SlackCase()

    async def go() -> Any:
        async with case.receiver() as receiver:
            channel = case.channel(receiver)
            assert (await channel.send(many, time.time())).thread is None
            await channel.close()
            return receiver

    return asyncio.run(go())


def test_an_incident_is_one_message_that_shows_how_it_stands() -> None:
    receiver = told(doing("open", SUSPECTED), doing("update"), doing("update", GREW), doing("resolve", OVER))
    first, *replies = receiver.posted
    assert first.header == "RESOLVED baggage at JFK after 2 h 10 min, peak 58 people"
    assert first.edits == 3
    assert [one.thread for one in replies] == [first.ts] * 3
    assert [one.text.partition(":")[0] for one in replies] == [
        "Now confirmed",
        "It grew",
        "RESOLVED baggage at JFK after 2 h 10 min, peak 58 people",
    ]


def test_what_someone_must_get_up_for_is_heard_in_the_channel_too() -> None:
    receiver = told(doing("open", SUSPECTED), doing("update"), doing("update", GREW), doing("reopen"))
    assert [one.loud for one in receiver.posted[1:]] == [True, False, True]
    assert receiver.posted[3].text.startswith("AGAIN CONFIRMED baggage")


def test_who_took_it_on_stands_in_the_message_and_disturbs_nobody() -> None:
    taken = msgspec.structs.replace(BAGGAGE, revision=4, acked_by="ana", reason="ack")
    (only,) = told(doing("open"), doing("ack", taken)).posted
    assert "*Acknowledged*\nby ana" in [field["text"] for field in only.blocks[1]["fields"]]


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_a_message_that_cannot_be_edited_any_more_is_posted_anew(error: str) -> None:
    receiver = told(doing("open"), doing("update", GREW), doing("resolve", OVER), errors=(None, error))
    first, second, reply = receiver.posted
    assert (first.edits, second.edits, reply.thread) == (0, 1, second.ts)


def test_a_new_trouble_is_a_new_message_though_its_key_is_old() -> None:
    blind = hostile_trouble("overheard is BLIND for notes")
    receiver = told(blind, msgspec.structs.replace(blind, action="resolve"), blind)
    assert [one.thread is None for one in receiver.posted] == [True, False, True]


@pytest.mark.parametrize(
    "error", ["invalid_auth", "channel_not_found", "not_in_channel", "is_archived", "missing_scope", "account_inactive"]
)
def test_what_slack_will_never_take_is_refused_by_its_word(error: str) -> None:
    with pytest.raises(Refused, match=error):
        told(doing("open"), errors=(error,))


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable", "ratelimited"])
def test_what_passes_at_slack_is_tried_again(error: str) -> None:
    with pytest.raises(Unsent, match=error):
        told(doing("open"), errors=(error,))


@pytest.mark.parametrize("body", [b'{"ok": true}', b'{"ok": true, "channel": 3, "ts": null}', b"[]", b"null", b"{}"])
def test_an_answer_that_says_nothing_is_no_success(body: bytes) -> None:
    async def go() -> None:
        async with SlackCase().receiver() as receiver:
            receiver.script = [Answer(200, body)]
            channel = SlackCase().channel(receiver)
            try:
                await channel.send([message()], time.time())
            finally:
                await channel.close()

    with pytest.raises(Unsent):
        asyncio.run(go())


def test_a_faster_pace_than_slacks_is_told_to_wait() -> None:
    async def go() -> None:
        async with Slack(limited=True) as receiver:
            channel = SlackCase().channel(receiver)
            assert channel.every_seconds >= 1.0
            try:
                await channel.send([message()], time.time())
                with pytest.raises(Unsent) as unsent:
                    await channel.send([message()], time.time())
                assert unsent.value.after == 1
            finally:
                await channel.close()

    asyncio.run(go())


def test_a_webhook_posts_each_change() -> None:
    receiver: Webhook = told(doing("open"), doing("update", GREW), doing("resolve", OVER), case=SlackWebhookCase())
    assert [one.header.split()[0] for one in receiver.posted] == ["CONFIRMED", "CONFIRMED", "RESOLVED"]


@pytest.mark.parametrize("case", [SlackCase(), SlackWebhookCase()], ids=["bot", "webhook"])
def test_a_storm_is_one_message_that_lists_fifty(case: SlackCase) -> None:
    many = [
        message(msgspec.structs.replace(SUSPECTED, id=f"s{n}", title=f"baggage at airport {n}", people=n + 1))
        for n in range(200)
    ]
    receiver = digest_of([*many, doing("open"), doing("resolve", OVER)], case)  # of the last two one incident
    (one,) = receiver.posted
    assert one.header == "201 alerts in one message: 200 suspected, 1 resolved"
    lines = [line for block in one.blocks if block["type"] == "section" for line in block["text"]["text"].split("\n")]
    assert len(lines) == 50
    assert lines[0].startswith(
        "• <https://overheard.example/incident/s199|suspected baggage at airport 199: 200 people"
    )
    assert one.blocks[-2]["elements"][0]["text"] == "and 151 more, all on the board"


def test_words_are_cut_before_an_entity_not_in_it() -> None:
    for most in range(10, 20):
        cut = words("&<>&<>&<>", most)
        assert len(cut) <= most
        assert cut.endswith("…")
        assert cut[:-1].count("&") == cut.count(";")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({}, "a webhook or a token"),
        ({"token": TOKEN}, "a token needs a channel"),
        ({"webhook": "https://hooks.slack.com/services/x", "channel": CHANNEL}, "leave it out"),
        ({"webhook": "https://hooks.slack.com/services/x", "token": TOKEN, "channel": CHANNEL}, "one of both"),
        ({"token": "secret", "channel": CHANNEL}, "begins with xoxb-"),
        ({"token": f"{TOKEN}\r\nx: y", "channel": CHANNEL}, "begins with xoxb-"),
    ],
)
def test_settings_that_cannot_work_say_why(settings: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word) as refused:
        KINDS["slack"].model_validate({"kind": "slack", **settings})
    assert "secret" not in str(refused.value)
