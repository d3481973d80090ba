"""Incident, place, problem and why-not: the sentence first, then the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from alerting.model import LatePeople
from dashboards.dom import Node, text_of, to_html, walk
from dashboards.frame import View
from dashboards.incident_page import incident_page, read_detail
from dashboards.keyword_page import keyword_page
from dashboards.place_page import place_page
from dashboards.series_page import read_series
from dashboards.whynot_page import figures, read_around, whynot_page
from dashboards.words import parse_minute
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import DAY, HOUR, NOW, Log, site

VIEW = View("America/New_York", "anna")


def test_an_incident_is_told_in_one_sentence_with_its_evidence(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    detail = read_detail(desk.live, "a1b2c3d4", NOW)
    assert detail is not None
    page = incident_page(detail, VIEW, desk.catalogue, NOW)
    said = text_of(page)
    assert "Baggage at JFK Terminal 4: 41 people since 07:03, 32 × the usual" in said
    assert "onset 07:03" in to_html(page)
    assert "How sure, and why it is confirmed" in said
    assert "41 people, 5 needed" in said
    assert "stuck 50 min at belt 3" in said
    assert "belt 3 14" in said
    assert "posts 29 tickets 12" in said
    assert "Team: ramp control" in said
    assert "anna noted: Hall called: belt 3 has no power." in said
    assert "Similar before last 26 Jan 2026" in said
    acts = {n.act for n in walk(page) if n.act}
    assert ("ack", "a1b2c3d4") in acts
    assert ("feedback", "a1b2c3d4", "not_real") in acts
    assert {n.attrs["action"] for n in walk(page) if n.tag == "form"} == {
        "/incident/a1b2c3d4/assign",
        "/incident/a1b2c3d4/snooze",
        "/incident/a1b2c3d4/silence",
        "/incident/a1b2c3d4/note",
        "/incident/a1b2c3d4/intervention",
    }


def test_an_unnamed_incident_offers_its_words_as_a_keyword_until_it_is_one(day: Callable[[str], Reader]) -> None:
    desk = site(day("calm"), Log())

    def page() -> Node:
        detail = read_detail(desk.live, "0dd00001", NOW)
        assert detail is not None
        return incident_page(detail, VIEW, desk.catalogue, NOW)

    fields = {n.attrs["name"]: n for n in walk(page()) if n.tag in ("input", "textarea")}
    assert (fields["keyword"].attrs["value"], fields["label"].attrs["value"]) == ("kiosk-frozen", "kiosk frozen")
    assert fields["phrases"].text == "kiosk frozen\ngate shut\ncafé"
    (incident,) = desk.reader.incident("0dd00001")[-1:]
    made = asyncio.run(
        desk.acts.promote(incident, "anna", "kiosks", "kiosks", "kiosk frozen\ndead kiosk", "seen thrice")
    )
    said = text_of(page())
    assert "promoted to the keyword kiosks" in said
    assert "anna promoted it to the keyword kiosks (kiosks), heard by “kiosk frozen”, “dead kiosk”: seen thrice" in said
    assert not [n for n in walk(page()) if n.attrs.get("name") == "phrases"]
    asyncio.run(desk.acts.undo(made.id, "anna"))
    assert "promoted to the keyword kiosks ·" not in text_of(page())
    assert [n for n in walk(page()) if n.attrs.get("name") == "phrases"]


def test_an_intervention_stands_in_the_timeline_and_on_the_chart(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    detail = read_detail(desk.live, "a1b2c3d4", NOW)
    assert detail is not None
    page = incident_page(detail, VIEW, desk.catalogue, NOW)
    assert "anna intervened: Moved bags to belt 5." in text_of(page)
    assert "intervention 07:33" in to_html(page)


def test_a_word_nobody_said_before_is_marked(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    detail = read_detail(desk.live, "a1b2c3d4", NOW)
    assert detail is not None
    said = text_of(incident_page(detail, VIEW, desk.catalogue, NOW, frozenset(["belt 3"])))
    assert "belt 3 14 · new" in said
    assert "carousel 11 no announcement" in said


def test_what_late_records_changed_is_said(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    detail = read_detail(desk.live, "a1b2c3d4", NOW)
    assert detail is not None
    assert "Late records" not in text_of(incident_page(detail, VIEW, desk.catalogue, NOW))
    said = text_of(incident_page(detail._replace(late=7), VIEW, desk.catalogue, NOW))
    assert "Late records added 7 people after their windows had closed" in said
    last = detail.revisions[-1]
    late = LatePeople(7, last.onset + 300, last.onset + 600)
    corrected = msgspec.structs.replace(
        last, revision=last.revision + 1, reason="late", late=late, people=last.people + 7
    )
    told = text_of(incident_page(detail._replace(revisions=[*detail.revisions, corrected]), VIEW, desk.catalogue, NOW))
    assert "Late data, 7 more people, 07:08 to 07:13: 48 people" in told


def test_an_unknown_incident_is_none(day: Callable[[str], Reader]) -> None:
    assert read_detail(site(day("calm"), Log()).live, "nope", NOW) is None


def test_a_place_and_a_problem_show_their_parts(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = asyncio.run(desk.live.refresh())
    series = read_series(desk.reader, "airport:JFK", "*", NOW - DAY, NOW)
    place = text_of(place_page(board, VIEW, desk.catalogue, "airport:JFK", "*", "day", series, []))
    assert "JFK: any problem" in place
    assert "JFK Terminal 4" in place
    assert "baggage 32" in place
    whole = read_series(desk.reader, "everywhere", "cancellation", NOW - DAY, NOW)
    problem = text_of(keyword_page(board, VIEW, desk.catalogue, "cancellation", "everywhere", "day", whole, []))
    assert "Cancellations" in problem
    assert "Chicago O'Hare 58" in problem


def test_the_same_hours_a_week_earlier_stand_behind(day: Callable[[str], Reader]) -> None:
    series = read_series(day("storm"), "everywhere", "*", NOW - DAY, NOW)
    assert len(series.ghost) == len(series.bars)
    assert sum(series.ghost) > 100


def test_why_not_answers_in_one_sentence(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    told = desk.why("airport:SEA", "seat", NOW)
    assert told.sentence.startswith("Not opened: 10 people, the cut then was ")
    assert ("The cut then", "about 1 time in 100,000") in figures(told)
    assert ("People in the hour before", "10") in figures(told)
    opened = desk.why("airport:DFW", "app", NOW)
    assert opened.sentence == "It was opened: app login at Dallas/Fort Worth, suspected since 2026-02-23T12:36:00Z."
    assert opened.incident is not None
    nothing = desk.why("airport:SEA", "seat", NOW - 30 * DAY)
    assert nothing.sentence.startswith("Not known: counting began at ")


def test_why_not_asks_back_when_a_name_is_unknown(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = asyncio.run(desk.live.refresh())
    page = whynot_page(board, VIEW, desk.catalogue, {"place": "Atlantis"}, [], None)
    assert "No place is known as “Atlantis”" in text_of(page)
    assert desk.catalogue.find_places("seattle, washington") == ["airport:SEA"]
    assert desk.catalogue.find_places("jfk") == ["airport:JFK"]


def test_a_minute_is_read_in_the_viewers_zone() -> None:
    assert parse_minute("2026-02-23T07:43", "America/New_York") == NOW
    assert parse_minute("2026-02-23T12:43:00Z", "America/New_York") == NOW
    assert parse_minute("soon", "UTC") is None


def test_the_chart_of_a_past_minute_ends_soon_after_it(day: Callable[[str], Reader]) -> None:
    series = read_around(day("storm"), "airport:SEA", "delay", NOW - 4 * HOUR, NOW)
    assert series.bars[-1].start <= NOW - 3 * HOUR
