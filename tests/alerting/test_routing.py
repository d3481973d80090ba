"""Who is told what: routes, hours, silences, and what a channel that knows an incident hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, time

import msgspec
import pytest

from alerting.message import Action
from alerting.model import Incident, Scope
from alerting.routing import Route, plan

MONDAY_NOON = datetime(2024, 1, 1, 12, 0, tzinfo=UTC).timestamp()
BAGGAGE = Incident(
    id="a1",
    revision=1,
    state="confirmed",
    onset=MONDAY_NOON - 600,
    opened_at=MONDAY_NOON - 300,
    suspected_at=MONDAY_NOON - 300,
    confirmed_at=MONDAY_NOON,
    updated_at=MONDAY_NOON,
    scope=Scope(
        "airport:JFK", "JFK", "airport", ("JFK", "New York"), within=("airport:JFK", "region:US-NY", "country:US")
    ),
    keywords=("baggage/lost-bag",),
    title="lost bag at JFK",
    people=41,
    messages=55,
    expected=1.2,
    factor=34.2,
    p_value=1e-9,
    reason="confirmed",
    team="ramp",
)
SUSPECTED = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None, reason="suspected")
CHAT, PAGER = Route(channels=("chat",)), Route(channels=("pager",), tier="confirmed")


def told(one: Incident, known: dict[str, Action] | None = None, *routes: Route) -> dict[str, str]:
    return dict(plan(one, routes or (CHAT, PAGER), known or {}, one.updated_at))


def test_what_is_suspected_goes_to_the_chat_and_pages_nobody() -> None:
    assert told(SUSPECTED) == {"chat": "open"}


def test_what_is_confirmed_pages_and_updates_the_chat() -> None:
    assert told(BAGGAGE, {"chat": "open"}) == {"chat": "update", "pager": "open"}


def test_growth_updates_those_who_know_and_the_rest_is_quiet() -> None:
    known: dict[str, Action] = {"chat": "open", "pager": "open"}
    assert told(msgspec.structs.replace(BAGGAGE, reason="grew"), known) == {"chat": "update", "pager": "update"}
    assert told(msgspec.structs.replace(BAGGAGE, reason="note"), known) == {}


def test_the_end_is_told_once_to_those_who_know() -> None:
    over = msgspec.structs.replace(BAGGAGE, state="resolved", reason="resolved")
    assert told(over, {"chat": "update"}) == {"chat": "resolve"}
    assert told(over, {"chat": "resolve"}) == {}
    assert told(over) == {}


def test_it_comes_back_as_the_same_incident() -> None:
    again = msgspec.structs.replace(BAGGAGE, reason="reopened")
    assert told(again, {"chat": "resolve", "pager": "resolve"}) == {"chat": "reopen", "pager": "reopen"}


def test_an_acknowledgement_reaches_those_who_know_and_its_undoing_too() -> None:
    acked = msgspec.structs.replace(BAGGAGE, reason="ack", acked_by="kim")
    assert told(acked, {"pager": "open"}, PAGER) == {"pager": "ack"}


def test_a_silence_keeps_everything_back_but_the_end() -> None:
    silenced = msgspec.structs.replace(BAGGAGE, reason="grew", silenced_until=MONDAY_NOON + 60)
    assert told(silenced) == {}
    assert told(silenced, {"chat": "open"}) == {}
    assert told(msgspec.structs.replace(silenced, state="resolved"), {"chat": "open"}) == {"chat": "resolve"}


def test_batch_entry_is_told_to_nobody_and_taken_back_where_it_was() -> None:
    marked = msgspec.structs.replace(BAGGAGE, state="signal", marks=("batch_entry",), reason="marked")
    assert told(marked) == {}
    assert told(marked, {"chat": "open"}) == {"chat": "resolve"}


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        (Route(channels=("x",), places=("region:US-NY",)), True),
        (Route(channels=("x",), places=("region:US-NJ",)), False),
        (Route(channels=("x",), keywords=("baggage",)), True),
        (Route(channels=("x",), keywords=("bag",)), False),
        (Route(channels=("x",), teams=("ramp", "it")), True),
        (Route(channels=("x",), teams=("it",)), False),
        (Route(channels=("x",), days=("mon",)), True),
        (Route(channels=("x",), days=("tue",)), False),
        (Route(channels=("x",), begin=time(11), end=time(13)), True),
        (Route(channels=("x",), begin=time(11), end=time(13), timezone="Asia/Tokyo"), False),
        (Route(channels=("x",), begin=time(22), end=time(6), timezone="Asia/Tokyo"), False),
        (Route(channels=("x",), begin=time(20), end=time(6), timezone="Asia/Tokyo", days=("mon",)), True),
    ],
)
def test_a_route_takes_what_matches_all_its_conditions(route: Route, takes: bool) -> None:
    assert told(BAGGAGE, {}, route) == ({"x": "open"} if takes else {})


def test_a_night_shift_that_began_on_sunday_is_still_sundays_after_midnight() -> None:
    night = Route(channels=("x",), begin=time(22), end=time(6), days=("sun",))
    at_two = msgspec.structs.replace(BAGGAGE, updated_at=MONDAY_NOON - 10 * 3600)
    assert told(at_two, {}, night) == {"x": "open"}
