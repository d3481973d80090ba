"""A past moment looks as it looked then: what came later is not in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from alerting.model import Blind
from dashboards.acts import Acts
from dashboards.board import board_page
from dashboards.dom import text_of, to_html, walk
from dashboards.frame import View, bar
from dashboards.incident_page import incident_page, read_detail
from dashboards.live import Live
from dashboards.past import parse_at, read_past
from dashboards.scrubber import read_day, staying, stepped, strip
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import Work, Writer
from tests.dashboards.made_up import (
    CHANNEL,
    DAY,
    HOUR,
    NOW,
    USUAL_PER_HOUR,
    WINDOW,
    Keywords,
    Log,
    Places,
    _cells,
    _source,
    site,
    storm,
)

ZONE = "America/New_York"
THEN = NOW - 1500.0  # JFK was confirmed just before, Dallas is not yet
LATENESS = 60.0


def parts(before: bool) -> Work:
    """What the service had written until THEN, or since: with a source that was blind and is heard again."""
    day = storm()
    closes = (NOW - 27 * HOUR, THEN - LATENESS) if before else (THEN - LATENESS, NOW - LATENESS)
    begin, end = (close // WINDOW * WINDOW for close in closes)
    found = [one for revisions in day.incidents for one in revisions if (one.updated_at <= THEN) == before]
    blind = (Blind("call notes", THEN - 1560, 40.0, (Places()._ids.index("airport:DFW"),)),) if before else ()
    return Work(
        incidents=sorted(found, key=lambda one: one.updated_at),
        cells=_cells(begin, end, day.surges),
        sources={name: _source(name, blind) for name in USUAL_PER_HOUR},
        usual_per_hour=USUAL_PER_HOUR,
        blind=blind,
        controls=[c for c in day.controls if (c.at <= THEN) == before],
        arrival=THEN if before else NOW,
        meta={"last_close": end, "window_seconds": WINDOW},
    )


def test_the_board_of_a_past_moment_is_the_one_people_saw_then(tmp_path: Path) -> None:
    writer = Writer(
        open_store(f"sqlite:///{tmp_path}/store"), Places(), Keywords(), lambda name: CHANNEL[name], cell_days=90
    )
    writer.commit(parts(before=True))
    reader, acts = Reader(writer.engine), Acts(Log().append, lambda: THEN)
    seen = asyncio.run(Live(reader, acts, lambda: THEN, ZONE, 1.0).refresh())
    writer.commit(parts(before=False))
    live = Live(reader, acts, lambda: NOW, ZONE, 1.0)
    now, then = asyncio.run(live.refresh()), read_past(live, THEN, LATENESS, ZONE)
    assert [(i.id, i.revision, i.state, i.people) for i in then.open] == [
        (i.id, i.revision, i.state, i.people) for i in seen.open
    ]
    assert {i.id for i in then.resolved} == {i.id for i in seen.resolved}
    assert {(c.place, c.keyword): msgspec.structs.replace(c, start=0, seconds=0) for c in then.cells} == {
        (c.place, c.keyword): msgspec.structs.replace(c, start=0, seconds=0) for c in seen.cells
    }
    assert [(s.source, s.blind_since, s.blind_places) for s in then.sources] == [
        (s.source, s.blind_since, s.blind_places) for s in seen.sources
    ]
    assert then.sparks == seen.sparks
    assert (then.status.people_last_hour, then.status.last_close) == (
        seen.status.people_last_hour,
        seen.status.last_close,
    )
    assert (
        sum(s.blind_since is not None for s in then.sources),
        sum(s.blind_since is not None for s in now.sources),
    ) == (1, 0)
    assert "d4e5f6a7" in {i.id for i in now.open} - {i.id for i in then.open}


def test_an_incident_of_then_has_the_state_and_the_acts_of_then_and_no_buttons(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    at = NOW - 2000.0
    detail = read_detail(desk.live, "a1b2c3d4", at - LATENESS, at)
    assert detail is not None
    page = incident_page(detail, View(ZONE, "anna", at=at), desk.catalogue, at)
    assert "8 people since 07:03" in text_of(page)
    assert "Hall called" not in text_of(page)
    assert not [n for n in walk(page) if n.tag in ("button", "form")]
    assert read_detail(desk.live, "a1b2c3d4", NOW - HOUR, NOW - HOUR) is None


def test_the_past_is_told_and_its_links_stay_there(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    board = read_past(desk.live, THEN, LATENESS, ZONE)
    view = View(ZONE, "anna", at=THEN)
    page = staying(board_page(board, view, desk.catalogue), THEN)
    links = {str(n.attrs["href"]) for n in walk(page) if n.tag == "a"}
    assert links
    assert all("at=2026-02-23T12:18Z" in link for link in links)
    assert not [n for n in walk(page) if n.act]
    assert "Of past moments these are not kept." in text_of(page)
    top = staying(bar(board, view, "/"), THEN)
    assert {str(n.attrs["href"]) for n in walk(top) if n.tag == "a"} >= {"/desk", "/?at=2026-02-23T12:18Z"}
    told = text_of(strip(THEN, read_day(desk.live, THEN, ZONE, NOW), view, {}))
    assert "As it looked at Mon 23 Feb 2026, 07:18 EST" in told


def test_a_time_nothing_is_known_of_is_not_called_calm(day: Callable[[str], Reader]) -> None:
    desk = site(day("storm"), Log())
    said = text_of(
        board_page(read_past(desk.live, NOW - 400 * DAY, LATENESS, ZONE), View(ZONE, "a", at=NOW), desk.catalogue)
    )
    assert "Nothing is known of this time" in said
    assert "Nothing unusual" not in said


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-02-23T12:18Z", THEN),
        ("2026-02-23T13:18 01:00", THEN),  # a plus that an address turned into a space
        ("2026-02-23T07:18", THEN),
        ("2026-02-23T12:44Z", None),  # not yet
        ("1999-12-31T00:00Z", None),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59", None),
        ("soon", None),
    ],
)
def test_a_moment_is_read_in_the_viewers_zone_and_lies_in_the_past(said: str, at: float | None) -> None:
    assert parse_at(said, ZONE, NOW) == at


def test_steps_lead_back_and_forth_and_end_at_now(day: Callable[[str], Reader]) -> None:
    assert stepped(("step", "-3600"), THEN, 0.0, NOW) == THEN - 3600
    assert stepped(("step", "3600"), THEN, 0.0, NOW) is None
    assert stepped(("keys", "ArrowLeft"), THEN, 0.0, NOW) == THEN - 60
    assert stepped(("keys", "ArrowRight", "Shift"), THEN - DAY, 0.0, NOW) == THEN - DAY + 3600
    assert stepped(("keys", "PageUp"), THEN, 0.0, NOW) == THEN - DAY
    assert stepped(("slide", "90"), THEN, NOW - DAY, NOW) == NOW - DAY + 5400
    assert stepped(("now",), THEN, 0.0, NOW) is None


def test_the_day_a_clock_is_put_back_has_25_hours_and_tells_its_twin_hours_apart(day: Callable[[str], Reader]) -> None:
    live = site(day("storm"), Log()).live
    begin = datetime.fromisoformat("2025-11-02T04:00Z").timestamp()  # midnight in New York
    line = read_day(live, begin + 3 * HOUR, ZONE, NOW)
    assert (line.begin, line.end) == (begin, begin + 25 * HOUR)
    twice = [text_of(strip(begin + n * HOUR, line, View(ZONE, "a"), {})) for n in (1.5, 2.5)]
    assert "Sun 2 Nov 2025, 01:30 EDT" in twice[0]
    assert "Sun 2 Nov 2025, 01:30 EST" in twice[1]
    assert 'value="150"' in to_html(strip(begin + 2.5 * HOUR, line, View(ZONE, "a"), {}))
