"""A message in words, as every channel tells it."""

from __future__ import annotations

import msgspec

from alerting.message import Links, Message, Trouble, facts
from alerting.model import Gate, Incident, Part, Scope, Similar
from tests.alerting.test_messages import BAGGAGE as USUAL
from tests.alerting.test_messages import SEVEN_O_THREE

BAGGAGE = msgspec.structs.replace(
    USUAL,
    suspected_at=SEVEN_O_THREE + 120,
    confirmed_at=SEVEN_O_THREE + 40 * 60,
    scope=Scope("airport:JFK", "JFK", "airport", ("JFK", "New York")),
    places=(Part("spot:t4", "Terminal 4", "spot", ("Terminal 4",), 30), Part("spot:t5", "Terminal 5", "spot", (), 11)),
    title="baggage at JFK",
    why=(Gate("people", True, "41 people, 5 needed"),),
    reason="confirmed",
    team="ramp",
    runbook_url="https://runbooks.example/belt",
    first_question="Is the belt running?",
    unanswered=2,
    budget_per_week=3.0,
    similar=(Similar("b7", "baggage at JFK", SEVEN_O_THREE - 86_400, SEVEN_O_THREE - 79_200, 30, "real"),),
)
LINKS = Links("https://overheard.example", "https://grafana.example")


def message(one: Incident = BAGGAGE, **changes: object) -> Message:
    made = Message(
        channel="ops", key=one.id, sequence=one.revision, action="open", created_at=0.0, incident=one, links=LINKS
    )
    return msgspec.structs.replace(made, **changes)


def test_a_page_reads_whole() -> None:
    assert facts(message(), BAGGAGE.updated_at).text() == (
        "CONFIRMED baggage at JFK: 41 people in 40 min (usually 0–4), rising\n"
        "Since: 07:03 (40 min)\n"
        "Heard in: tweets and tickets agree\n"
        "Places: Terminal 4, Terminal 5\n"
        "Words: belt, carousel\n"
        "Ask first: Is the belt running?\n"
        "Team: ramp\n"
        "Similar: Sun 07:03, baggage at JFK, 2 h, peak 30, real\n"
        "Why it paged: 2 channels, 41 people, budget 2 of 3 used\n"
        "“[user] stuck 50 min at the belt”\n"
        "Incident: https://overheard.example/incident/a1\n"
        "Grafana: https://grafana.example/d/overheard-incident?var-incident=a1&from=1704088980000&to=1704096780000\n"
        "Runbook: https://runbooks.example/belt"
    )


def test_the_end_says_how_long_and_how_many_and_quotes_nobody() -> None:
    end = SEVEN_O_THREE + 130 * 60
    over = msgspec.structs.replace(BAGGAGE, state="resolved", resolved_at=end, updated_at=end)
    told = facts(message(over), end)
    assert told.headline == "RESOLVED baggage at JFK after 2 h 10 min, peak 58 people"
    assert told.over
    assert told.quotes == ()
    assert told.rows[:2] == (("From", "07:03 to 09:13"), ("People", "41 in all"))


def test_old_news_says_so_first() -> None:
    assert facts(message(), BAGGAGE.updated_at + 3600).rows[0] == ("Old news", "as of 07:43, 1 h ago")
    assert ("Told", "12 s after it was decided") in facts(message(), BAGGAGE.updated_at + 12).rows


def test_what_comes_back_says_so() -> None:
    assert facts(message(action="reopen"), BAGGAGE.updated_at).headline.startswith("AGAIN CONFIRMED baggage")


def test_a_drill_says_so_first() -> None:
    drill = msgspec.structs.replace(BAGGAGE, drill=True)
    assert facts(message(drill), drill.updated_at).headline.startswith("DRILL CONFIRMED")


def test_what_is_only_suspected_is_for_the_chat() -> None:
    suspected = msgspec.structs.replace(BAGGAGE, state="suspected", confirmed_at=None)
    told = facts(message(suspected), suspected.updated_at)
    assert (told.severity, facts(message(), BAGGAGE.updated_at).severity) == ("chat", "page")
    assert told.rows[-1][0] == "Why you are told"


def test_trouble_of_our_own_says_what_to_do() -> None:
    blind = Trouble(
        key="blind:notes", line="overheard is BLIND for notes", advice="See whether notes come.", since=SEVEN_O_THREE
    )
    told = facts(message(incident=None, trouble=blind), SEVEN_O_THREE + 60)
    assert told.text() == "overheard is BLIND for notes\nSince: 07:03 (1 min)\nTo do: See whether notes come."
    over = msgspec.structs.replace(blind, over=True)
    assert (
        facts(message(incident=None, trouble=over), SEVEN_O_THREE).headline == "RESOLVED overheard is BLIND for notes"
    )


def test_the_end_of_a_silence_says_that_it_still_goes_on() -> None:
    going_on = msgspec.structs.replace(BAGGAGE, reason="unsilenced")
    assert facts(message(going_on, action="update"), BAGGAGE.updated_at).headline.startswith("STILL CONFIRMED baggage")
