"""What the first page says on a calm day, in a storm, blind, while learning, and when something is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dashboards.board import board_page, folded
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, text_of, to_html, walk
from dashboards.frame import View, bar
from dashboards.live import Board
from dashboards.matrix import choose, grade, told_of
from streams.places import Places
from streams.runtime.store.reader import Cell, Reader
from tests.dashboards.made_up import Keywords, Log, site

NEW_YORK = View("America/New_York", "anna")


def look(reader: Reader, view: View = NEW_YORK) -> tuple[Board, Node]:
    desk = site(reader, Log())
    board = asyncio.run(desk.live.refresh())
    return board, board_page(board, view, desk.catalogue)


def test_calm_is_a_sentence_not_a_blank(day: Callable[[str], Reader]) -> None:
    _, page = look(day("calm"))
    said = text_of(page)
    assert "Nothing unusual 4 sources live, last complaint moments ago," in said
    assert "people heard in the last hour (usual for Monday morning)." in said
    assert "Resolved today: 1" in said
    assert "Seattle · delays" in said


def test_a_storm_is_one_line_with_its_parts_under_it(day: Callable[[str], Reader]) -> None:
    _, page = look(day("storm"))
    rows = [n for n in walk(page) if str(n.attrs.get("class", "")).startswith("incident ")]
    assert len(rows) == 3  # Boston's cancellations lie in those of the whole country
    wide = text_of(rows[0])
    assert "United States · cancellations" in wide
    assert "212 people usually 7 to 19" in wide
    assert "since 06:10 (1 h 33 min)" in wide
    assert "6 airports under it" in wide
    assert "Boston Logan · cancellations" in wide
    assert "✓ anna" in wide
    second = text_of(rows[1])
    assert "■ confirmed JFK Terminal 4 · baggage 41 people usually 0 to 3 ▲ rising since 07:03 (40 min)" in second
    acts = [n.act for n in walk(page) if n.act]
    assert acts == [("ack", "a1b2c3d4"), ("ack", "d4e5f6a7")]


def test_parts_fold_under_the_widest_and_never_under_themselves(day: Callable[[str], Reader]) -> None:
    board, _ = look(day("storm"))
    desk = site(day("storm"), Log())
    told = folded([i for i in board.open if i.state != "signal"], desk.catalogue)
    everything = [i.id for i, _ in told] + [p.id for _, parts in told for p in parts]
    assert sorted(everything) == sorted(set(everything))
    assert len(everything) == 4


def test_a_blind_source_is_told_with_since_when_and_what_to_do(day: Callable[[str], Reader]) -> None:
    board, page = look(day("blind"))
    said = text_of(page)
    assert "Blind. call notes: no records since 07:17 (26 min), usually 40 an hour." in said
    assert "Check its feed" in said
    assert "Nothing unusual in what is seen" in said
    assert "3 live · 1 blind (call notes, 26 min)" in text_of(bar(board, NEW_YORK, "/"))


def test_places_of_a_blind_source_are_hatched_on_the_map_and_grey_in_the_table(day: Callable[[str], Reader]) -> None:
    _, page = look(day("blind"))
    html = to_html(page)
    assert html.count('class="veil"') == 1
    assert "<title>Texas: blind</title>" in html
    assert "call notes not seen" in html
    (grey,) = [n for n in walk(page) if n.tag == "tr" and n.attrs.get("class") == "blind"]
    assert text_of(grey).startswith("Dallas/Fort Worth blind")
    calm = to_html(look(day("calm"))[1])
    assert "veil" not in calm
    assert "partly blind" not in calm


def test_new_words_are_told_with_how_many_said_them(day: Callable[[str], Reader]) -> None:
    _, page = look(day("storm"))
    assert "“belt 3” 14 people, usually 0 to 1" in text_of(page)
    assert "“kiosk frozen” at JFK 6 people, usually 0 to 1" in text_of(page)
    assert "New words None in the last hour." in text_of(look(day("calm"))[1])


def test_learning_and_broken_are_told(day: Callable[[str], Reader]) -> None:
    assert "Learning. Until 4 Mar 07:43" in text_of(look(day("learning"))[1])
    said = text_of(look(day("red"))[1])
    assert "Not counting. The disk is full" in said
    assert "Not watching" in said
    assert "Nothing unusual" not in said


def test_the_wall_has_no_buttons(day: Callable[[str], Reader]) -> None:
    _, page = look(day("storm"), NEW_YORK._replace(wall=True))
    assert not [n for n in walk(page) if n.tag == "button"]


@pytest.mark.parametrize("name", ["calm", "storm", "blind", "learning", "red"])
def test_headings_lists_and_tables_are_real(day: Callable[[str], Reader], name: str) -> None:
    _, page = look(day(name))
    nodes = list(walk(page))
    assert sum(n.tag == "h1" for n in nodes) == 1
    table = next(n for n in nodes if n.tag == "table")
    assert table.children[0].tag == "caption"
    assert all(n.attrs.get("scope") in ("col", "row") for n in walk(table) if n.tag == "th")
    assert all(n.attrs.get("href") for n in nodes if n.tag == "a")
    assert "<script" not in to_html(page)


def test_the_matrix_puts_the_unusual_first_and_says_it_in_words(day: Callable[[str], Reader]) -> None:
    board, page = look(day("storm"))
    desk = site(day("storm"), Log())
    grid = choose(board.cells, desk.catalogue)
    assert set(grid.places[:5]) <= {"airport:ORD", "airport:BOS", "airport:EWR", "airport:JFK", "spot:jfk-t4"}
    assert grid.keywords[0] == "*"
    assert grade(grid.cells["spot:jfk-t4", "baggage"]) == 3
    assert "JFK Terminal 4, baggage: 30 people, usually 0 to 2, far above the usual" in to_html(page)
    assert choose(board.cells, desk.catalogue, "region").places[0].startswith("region:")


def test_where_the_usual_is_not_known_yet_nothing_is_called_unusual() -> None:
    new = Cell(0, 3600, "airport:JFK", "delay", 60, 60, 1e-9, 1e-9, 1.0)
    assert grade(new) == 0
    assert told_of(new) == "60 people, what is usual is not known yet"


def test_long_airport_names_are_cut_to_what_tells_them_apart() -> None:
    catalogue = Catalogue(Places.load(()), Keywords())
    assert catalogue.short("airport:DFW") == "Dallas-Fort Worth (DFW)"
    assert catalogue.short("region:US-TX") == "Texas"
