"""Since the last look: what opened, grew, was confirmed, is over; each browser remembers for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import msgspec

from dashboards.board import board_page
from dashboards.dom import text_of, walk
from dashboards.frame import View
from dashboards.since import VISIT_SECONDS, Looks, changes, cookie_of, looks_of, since_line, with_changes
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import HOUR, NOW, Log, incident, site

VIEW = View("America/New_York", "anna")


def test_what_opened_grew_was_confirmed_and_is_over_is_counted_and_marked(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = asyncio.run(desk.live.refresh())
    now = {i.id: i for i in board.open}
    drill = msgspec.structs.replace(now["d4e5f6a7"], id="d7111", drill=True)
    board = replace(board, open=(*board.open, drill))
    then = [
        msgspec.structs.replace(now["a1b2c3d4"], state="suspected", people=9),
        msgspec.structs.replace(now["b2c3d4e5"], people=106),
        msgspec.structs.replace(now["b2c3d4e6"], people=47),
        msgspec.structs.replace(now["d4e5f6a7"], state="signal", people=3),
        incident("g0ne0001", "confirmed", "airport:SEA", "delay", 19, 2.0, 300),
    ]
    found = changes(NOW - HOUR, then, board)
    assert (found.opened, found.confirmed, found.grew, [i.id for i in found.over]) == (1, 1, 1, ["g0ne0001"])
    assert found.marks == {"a1b2c3d4": "confirmed since", "b2c3d4e5": "grew from 106 people", "d4e5f6a7": "new"}
    line = since_line(found, VIEW, desk.catalogue, NOW)
    assert line is not None
    assert "Since your last look, 06:43: 1 opened, 1 confirmed, 1 grew, 1 over · over: Seattle · delays" in text_of(
        line
    )
    plain = board_page(board, VIEW, desk.catalogue)
    marked = with_changes(plain, line, found.marks)
    told = {
        n.key: text_of(n) for n in walk(marked) if n.tag == "li" and n.attrs.get("class", "").startswith("incident")
    }
    assert "confirmed since" in told["a1b2c3d4"]
    assert "grew from 106 people" in told["b2c3d4e5"]
    assert "Since your last look" not in text_of(plain)
    matrix = [next(n for n in walk(page) if n.tag == "table") for page in (plain, marked)]
    assert matrix[0] is matrix[1]  # all viewers share it


def test_what_became_part_of_another_incident_is_not_over(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = asyncio.run(desk.live.refresh())
    inner = incident(
        "1nner001", "resolved", "airport:JFK", "cancellation", 9, 1.0, 90, resolved_at=NOW - 60, merged_into="b2c3d4e5"
    )
    board = replace(board, resolved=(*board.resolved, inner))
    found = changes(
        NOW - HOUR, [*board.open, msgspec.structs.replace(inner, state="confirmed", merged_into=None)], board
    )
    assert (found.joined, found.over) == (1, [])
    line = since_line(found, VIEW, desk.catalogue, NOW)
    assert line is not None
    assert "06:43: 1 joined another" in text_of(line)
    panels = {n.key: text_of(n) for n in walk(board_page(board, VIEW, desk.catalogue)) if n.tag == "section"}
    assert "Resolved today: 1" in panels["resolved"]
    assert "JFK" not in panels["resolved"]


def test_nothing_is_said_while_the_look_lasts_and_nothing_happens(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = asyncio.run(desk.live.refresh())
    same = changes(NOW, board.open, board)
    assert since_line(same, VIEW, desk.catalogue, NOW) is None
    later = since_line(same, VIEW, desk.catalogue, NOW + 2 * HOUR)
    assert later is not None
    assert "Since your last look, 07:43: nothing new" in text_of(later)


def test_a_reload_goes_on_with_the_same_look_and_a_return_begins_another() -> None:
    first = looks_of("", NOW)
    assert first == Looks(NOW, NOW)
    back = looks_of(cookie_of(first), NOW + HOUR)
    assert back == Looks(NOW, NOW + HOUR)
    assert looks_of(cookie_of(back), NOW + HOUR + 60) == Looks(NOW, NOW + HOUR + 60)
    assert looks_of(cookie_of(back), NOW + HOUR + VISIT_SECONDS) == Looks(NOW + HOUR, NOW + HOUR + VISIT_SECONDS)


def test_what_a_cookie_says_is_checked() -> None:
    for said in ("x", "1.2.3", "-1.5", "9" * 40 + ".1", f"1.{int(NOW) + 99}", "²¹.1", "1767772800"):
        assert looks_of(said, NOW) == Looks(NOW, NOW), said
