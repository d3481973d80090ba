"""What is taken away: tables that no spreadsheet computes, and a report that reads well on paper."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from alerting.model import Control
from dashboards import exports
from dashboards.csv_text import csv_text
from dashboards.export_tables import acts_table
from dashboards.exports import add_exports
from dashboards.guard import Guard
from dashboards.matrix import choose
from dashboards.settings import PageSettings
from dashboards.site import Site
from streams.runtime.store.audit import Entry
from streams.runtime.store.reader import Reader
from tests.alerting.notify.hostile import PAYLOADS
from tests.dashboards.made_up import HOUR, NOW, SIZES, Log, site, storm

FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1", "=cmd|' /C calc'!A0", '";=1')


def read(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


@pytest.fixture
def desk(day: Callable[[str], Reader]) -> Site:
    return site(day("storm"), Log())


def client(desk: Site) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_exports(desk, app)
    app.add_middleware(Guard, settings=desk.settings)
    return TestClient(app, base_url="http://localhost:8080")


def test_no_text_of_a_stranger_is_computed_or_leaves_its_cell() -> None:
    texts = (*FORMULAS, *PAYLOADS)
    rows = read(csv_text(("text", "n"), [(text, n) for n, text in enumerate(texts)]))
    assert len(rows) == 1 + len(texts)
    assert all(len(row) == 2 for row in rows)
    assert [row[1] for row in rows[1:]] == [str(n) for n in range(len(texts))]
    for text, _ in rows:
        assert not text.lstrip().startswith(tuple("=+-@＝＋－＠\t\r\n"))
        assert text.replace("\u200d", "").isprintable()  # joins emoji
    assert rows[1][0] == "'=1+1"
    assert read(csv_text(("=1+1", "@a"), [])) == [["'=1+1", "'@a"]]  # a head may hold a name somebody promoted
    assert read(csv_text(("a",), [(-3,), (0.1234567891,), (None,)]))[1:] == [["-3"], ["0.123457"], [""]]


def test_the_matrix_is_the_one_that_is_shown(desk: Site) -> None:
    answer = client(desk).get("/export/matrix.csv?level=region")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="overheard-matrix-2026-02-23-0743.csv"' in answer.headers["content-disposition"]
    head, *rows = read(answer.content)
    grid = choose(asyncio.run(desk.live.refresh()).cells, desk.catalogue, "region")
    assert head[2::2] == [desk.catalogue.keyword(k) for k in grid.keywords]
    shown = {p: [grid.cells[p, k].voices if (p, k) in grid.cells else 0 for k in grid.keywords] for p in grid.places}
    assert {row[0]: [int(n) for n in row[2::2]] for row in rows} == {
        desk.catalogue.full_name(p): counts for p, counts in shown.items()
    }


def test_a_place_that_is_partly_not_seen_says_so_beside_its_counts(day: Callable[[str], Reader]) -> None:
    head, *rows = read(client(site(day("blind"), Log())).get("/export/matrix.csv?level=region").content)
    blind = {row[0]: row[head.index("blind")] for row in rows}
    assert {place: said for place, said in blind.items() if said} == {"Texas, United States": "call notes"}


def test_incidents_series_and_acts_have_zones_and_bare_numbers(desk: Site) -> None:
    asyncio.run(desk.acts.note(asyncio.run(desk.live.refresh()).open[0], "=evil", "=HYPERLINK(1)"))
    api = client(desk)
    head, *rows = read(api.get("/export/incidents.csv").content)
    jfk = next(dict(zip(head, row, strict=True)) for row in rows if row[-1] == "a1b2c3d4")
    assert (jfk["people"], jfk["since"], jfk["channels"]) == ("41", "2026-02-23T07:03:00-05:00", "posts + tickets")
    head, *rows = read(api.get("/export/series.csv?place=spot:jfk-t4&keyword=baggage&span=6h").content)
    assert sum(int(row[2]) for row in rows if row[0] >= "2026-02-23T07:00") == 30
    assert api.get("/export/series.csv?place=nowhere:x").status_code == 404
    head, *rows = read(api.get("/export/acts.csv").content)
    assert {row[2] for row in rows} == {"note", "intervention"}


def test_the_log_says_what_a_silence_and_an_event_are_about(desk: Site) -> None:
    silence = Control(id="s1", kind="silence", at=NOW - 60, author="=kim", places=("airport:JFK",), until=NOW + HOUR)
    cities = tuple(place for place in SIZES if place != "airport:JFK")
    event = Control(
        id="p1", kind="planned_event", at=NOW - 30, author="bo", places=cities, keywords=("delay",), until=NOW + HOUR, factor=3.0
    )  # fmt: skip
    log = [Entry(number=n, chain="", control=one) for n, one in enumerate((silence, event))]
    head, *rows = read(csv_text(*acts_table(log, desk.catalogue, "America/New_York", NOW)))
    said = {row[2]: dict(zip(head, row, strict=True)) for row in rows}
    assert said["silence"]["in words"] == "'=kim silenced JFK, New York: any problem until 08:43"
    assert said["silence"]["who"] == "'=kim"
    assert "3 × as many complaints, 10 places: delays, 07:42 to 08:43" in said["planned_event"]["in words"]


@pytest.mark.parametrize("at", ["yesterday", "2026-02-24T12:18Z", "0001-01-01T00:00"])
def test_what_is_no_moment_of_the_past_is_not_answered_with_now(desk: Site, at: str) -> None:
    api = client(desk)
    for path in ("/export/incidents.csv?", "/export/matrix.csv?", "/report?", "/report?incident=a1b2c3d4&"):
        answer = api.get(f"{path}at={at}")
        assert answer.status_code == 400, path
        assert "no moment of the past" in answer.text


def test_a_table_of_the_past_is_that_of_then(desk: Site) -> None:
    head, *rows = read(client(desk).get("/export/incidents.csv?at=2026-02-23T12:18Z").content)
    then = {row[-1]: row[head.index("people")] for row in rows}
    assert then["a1b2c3d4"] == "20"
    assert "d4e5f6a7" not in then


def test_the_report_of_a_day_tells_each_incident_what_was_done_and_how_early(desk: Site) -> None:
    page = client(desk).get("/report").text
    assert "5 incidents told, 4 going on, 1 over." in page
    for said in (
        "Baggage at JFK Terminal 4: 41 people since 07:03",
        "First unusual at 07:03, told at 07:08: 5 min later.",
        "25 min ahead of the first act on it.",
        "anna noted: Hall called: belt 3 has no power.",
        "How sure, and why it is confirmed",
        "[user] stuck 50 min at belt 3",
        "by nobody",
    ):
        assert said in page, said
    assert page.count("<h1>") == 1
    assert page.count("<button") == 1  # to print it
    assert "<details" not in page
    assert "http-equiv" not in page
    assert "<link" not in page  # whole in one file


def test_a_report_of_a_stormy_day_says_how_many_were_told_and_how_many_it_shows(
    desk: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST", 3)
    page = client(desk).get("/report").text
    assert "The first 3 of 5 told, 3 going on, 0 over." in page
    assert "Delays at Seattle" not in page  # over, and so the last


def test_a_silence_of_before_is_no_act_on_an_incident_and_one_that_had_ended_none_at_all(tmp_path: Path) -> None:
    jfk: dict[str, Any] = {"kind": "silence", "author": "bo", "places": ("spot:jfk-t4",), "reason": "works"}
    over = Control(id="s1", at=NOW - 6 * HOUR, until=NOW - 5 * HOUR, **jfk)
    stands = Control(id="s2", at=NOW - 2 * HOUR, until=NOW + HOUR, **{**jfk, "author": "kim"})
    day = storm()
    day.controls = [over, stands]
    page = client(site(day.store(tmp_path / "store"), Log())).get("/report?incident=a1b2c3d4").text
    assert "kim silenced it until 08:43: works" in page
    assert "bo silenced" not in page
    assert "Nobody has taken it up here." in page


def test_a_report_of_one_incident_a_day_and_a_past_moment(desk: Site) -> None:
    api = client(desk)
    one = api.get("/report?incident=a1b2c3d4").text
    assert "Incident report: Baggage at JFK Terminal 4" in one
    assert "cancellations" not in one.split("Similar before")[0].replace("cancellations</option>", "")
    assert "Nothing was told to anybody in this time." in api.get("/report?day=2026-02-20").text
    assert (
        "from Monday 23 February 2026, 00:00 EST to Monday 23 February 2026, 07:43 EST"
        in api.get("/report?day=2026-02-23").text
    )
    then = api.get("/report?incident=a1b2c3d4&at=2026-02-23T12:18Z").text
    assert "20 people since 07:03" in then
    assert "Hall called" not in then
    assert api.get("/report?incident=nope").status_code == 404
    for wrong in ("someday", "2026-02-24", "2026-13-01", "0001-01-01"):
        assert api.get(f"/report?day={wrong}").status_code == 400, wrong


def test_hostile_words_stay_words_in_the_report(desk: Site) -> None:
    one = next(i for i in asyncio.run(desk.live.refresh()).open if i.id == "a1b2c3d4")
    for text in PAYLOADS:
        asyncio.run(desk.acts.note(one, "anna", f"said: {text}"))
    page = client(desk).get("/report?incident=a1b2c3d4").text
    for mark in ("<script>alert", "<img", "<iframe", "<svg/onload", "</table><h1>"):
        assert mark not in page


def test_the_public_takes_nothing_away(day: Callable[[str], Reader]) -> None:
    locked = PageSettings(host="0.0.0.0", token="s3cret-operations", public_token="s3cret-public")
    api = client(site(day("storm"), Log(), locked))
    for path in ("/report", "/export/incidents.csv", "/export/matrix.csv", "/export/series.csv", "/export/acts.csv"):
        assert api.get(path).status_code == 401, path
        assert api.get(path, headers={"authorization": "Bearer s3cret-public"}).status_code == 403, path
        assert api.get(path, headers={"authorization": "Bearer s3cret-operations"}).status_code == 200, path
