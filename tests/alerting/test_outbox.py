"""The lane of a channel, alone: order, pace, rests, refusals and ends, under any sequence of answers."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.message import OPENED, Action
from alerting.outbox import DIGEST_OVER, GIVE_UP_SECONDS, Delivery, Lane

START = 1_700_000_000.0
ENDED = {"sent", "superseded", "dead"}


def row(id: int, key: str = "a", sequence: int | None = None, action: Action = "open", **fields: object) -> Delivery:
    made = {"created_at": START, **fields}
    return Delivery(id=id, channel="ops", key=key, sequence=sequence or id, action=action, **made)  # type: ignore[arg-type]


def lane(*rows: Delivery, **settings: object) -> Lane:
    made = Lane("ops", **settings)  # type: ignore[arg-type]
    for one in rows:
        made.add(one, START)
    return made


def test_only_the_lowest_of_a_key_is_sent_and_news_replaces_what_waits() -> None:
    opened, grew, acked, over = row(1), row(2, action="update"), row(3, action="ack"), row(4, action="resolve")
    one = lane(opened, grew, acked, over)
    assert [found.state for found in (opened, grew, acked, over)] == ["pending", "superseded", "superseded", "pending"]
    assert one.take(START) == [opened]
    assert one.take(START) == [], "one at a time"
    one.sent([opened], START)
    assert one.take(START) == [over]


def test_an_open_takes_the_updates_behind_it_along_but_not_an_acknowledgement() -> None:
    opened, acked = row(1), row(2, action="ack")
    assert lane(opened, acked).take(START) == [opened]
    assert acked.state == "pending"
    opened, grew = row(1), row(2, action="update")
    assert lane(opened, grew).take(START) == [opened]
    assert grew.state == "superseded"


def test_an_update_that_failed_is_dropped_for_a_newer_one() -> None:
    grew = row(1, action="update")
    one = lane(grew)
    one.take(START)
    one.add(row(2, action="update"), START)
    one.unsent([grew], START, "timeout")
    assert grew.state == "superseded"


def test_the_pace_is_from_start_to_start_so_a_slow_answer_costs_nothing() -> None:
    one = lane(row(1, "a"), row(2, "b"), row(3, "c"), every_seconds=1.0)
    first = one.take(START)
    one.sent(first, START + 0.9)
    assert one.take(START + 0.95) == []
    assert one.due(START + 0.95) == START + 1.0
    assert [found.id for found in one.take(START + 1.0)] == [2]


def test_a_rest_that_is_asked_for_holds_for_all() -> None:
    one = lane(row(1, "a"), row(2, "b"))
    one.unsent(one.take(START), START, "answered 429", after=100.0)
    assert one.take(START + 99.9) == []
    assert one.take(START + 100.0)


def test_one_that_fails_alone_hardly_holds_up_the_others() -> None:
    one = lane(*[row(number, f"k{number}") for number in range(1, 202)], every_seconds=1.0)
    now, sent = START, 0
    while sent < 200:
        now = one.due(now)
        taken = one.take(now)
        if taken[0].id == 1:
            one.unsent(taken, now, "answered 500")
        else:
            one.sent(taken, now)
            sent += 1
    assert now - START < 230


def test_a_failure_waits_at_most_45_seconds_and_the_lane_30() -> None:
    one = lane(row(1))
    now = START
    pauses = []
    for _ in range(40):
        taken = one.take(now)
        one.unsent(taken, now, "ConnectError")
        pauses.append(one.due(now) - now)
        now = one.due(now)
    assert max(pauses) <= 45.0
    assert max(pauses) > 20.0
    assert len(set(pauses)) == 40, "full jitter"


def test_one_that_is_refused_stops_the_lane_and_a_look_every_five_minutes_finds_it_well() -> None:
    bad, good = row(1, "a"), row(2, "b")
    one = lane(bad, good)
    one.refused(one.take(START), START, "answered 401")
    assert one.trouble(START + 29) is None
    assert one.trouble(START + 31) == ("refuses messages: answered 401", START)
    assert one.take(START + 9.9) == []
    assert one.take(START + 10) == [good], "soon, whether it was the message or the channel"
    one.refused([good], START + 10, "answered 401")
    assert one.due(START + 10) == START + 310
    taken = one.take(START + 310)
    one.sent(taken, START + 310)
    one.sent(one.take(one.due(START + 310)), START + 311)
    assert one.trouble(START + 400) is None
    assert not one.rows


def test_over_twenty_that_wait_become_one_message_where_the_channel_has_digests() -> None:
    many = [row(number, f"k{number}") for number in range(1, DIGEST_OVER + 2)]
    assert len(lane(*many, digests=True).take(START)) == DIGEST_OVER + 1
    few = [row(number, f"k{number}") for number in range(1, DIGEST_OVER + 1)]
    assert len(lane(*few, digests=True).take(START)) == 1
    one = lane(*[row(number, f"k{number}") for number in range(1, 40)], digests=True)
    one.refused(one.take(START), START, "answered 413")
    assert len(one.take(START + 400)) == 1, "then one by one, to find which it is"


def test_nothing_is_given_up_within_a_day_and_nothing_untried() -> None:
    tried, untried = row(1, "a"), row(2, "b", created_at=START - 2 * GIVE_UP_SECONDS)
    one = lane(tried, untried)
    assert one.expire(START) == []
    assert one.take(START) == [tried]
    one.unsent([tried], START, "timeout")
    assert one.expire(START + 1) == [untried], "the channel takes nothing, and this is two days old"
    assert one.expire(START + GIVE_UP_SECONDS - 1) == []
    assert one.expire(START + GIVE_UP_SECONDS) == [tried]
    assert (tried.state, tried.error) == ("dead", "timeout")


def test_a_page_told_without_the_store_is_not_told_again_with_it() -> None:
    opened = row(1, sequence=1)
    one = lane(opened)
    page = row(0, sequence=3, action="update")
    one.straight(page, START)
    one.straight(row(0, sequence=3, action="update"), START)
    assert page.action == "open", "nobody had been told"
    assert one.take(START, stored=False) == [page]
    one.sent([page], START)
    late, same, over = (
        row(2, sequence=2, action="update"),
        row(3, sequence=3, action="update"),
        row(4, action="resolve"),
    )
    for found in (late, same, over):
        one.add(found, START)
    assert one.take(START) == [over]
    kept = {found.id: found.state for found in one.changed}
    assert kept == {1: "superseded", 2: "superseded", 3: "sent"}


class Step(NamedTuple):
    """What the world does next."""

    kind: str
    seconds: float
    key: int
    answer: str


ACTIONS: tuple[Action, ...] = ("update", "ack", "resolve", "reopen")
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["add", "send", "send", "send"]),
        st.floats(0, 4000),
        st.integers(0, 3),
        st.sampled_from(["sent", "sent", "unsent", "after", "refused", "down"]),
    ),
    max_size=120,
)


@pytest.mark.parametrize("digests", [False, True])
@given(steps=STEPS, every=st.sampled_from([0.0, 1.0]))
@settings(max_examples=150, deadline=None)
def test_any_answers_keep_the_promises(steps: list[Step], every: float, digests: bool) -> None:
    now, rest_until, began = START, -math.inf, -math.inf
    one = Lane("ops", every_seconds=every, digests=digests)
    rows: list[Delivery] = []
    told: list[Delivery] = []

    def send(answer: str) -> None:
        nonlocal rest_until, began
        taken = one.take(now)
        if not taken:
            return
        assert now >= rest_until, "a rest that was asked for is kept"
        assert now - began >= every
        began = now
        for found in taken:
            before = [known for known in rows if known.key == found.key and known.sequence < found.sequence]
            assert all(known.state in ENDED or known in taken for known in before)
        if answer == "sent":
            one.sent(taken, now)
            told.extend(taken)
        elif answer == "refused":
            one.refused(taken, now, "no")
        elif answer == "down":
            one.put_back(taken)
        else:
            after = 500.0 if answer == "after" else None
            rest_until = max(rest_until, now + (after or 0.0))
            one.unsent(taken, now, "not now", after)

    for step in steps:
        now += step.seconds
        one.expire(now)
        if step.kind == "add":
            key = f"k{step.key}"
            known = [found for found in rows if found.key == key]
            action = ACTIONS[len(rows) % 4] if known else "open"
            rows.append(row(len(rows) + 1, key, action=action, created_at=now))
            one.add(rows[-1], now)
        else:
            send(step.answer)
    for _ in range(10 * len(rows) + 10):
        if not one.rows:
            break
        now = max(now, one.due(now))
        one.expire(now)
        send("sent")
    assert {found.state for found in rows} <= ENDED
    names = [found.name for found in told]
    assert len(names) == len(set(names)), "nothing twice"
    for found in rows:
        assert found.state != "superseded" or found.action not in OPENED | {"resolve"}
        assert found.state != "dead" or found.ended_at - found.created_at >= GIVE_UP_SECONDS  # type: ignore[operator]
    assert {id(found) for found in rows} <= {id(found) for found in one.changed}, "every end is kept"
