"""The desk: what stands and what it holds back, what verdicts say, who did what; on the page and through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from alerting.model import Incident
from dashboards.acts import Refused
from dashboards.api import router
from dashboards.desk_page import desk_page, read_desk
from dashboards.dom import text_of, walk
from dashboards.frame import View
from dashboards.guard import Guard
from dashboards.incident_page import incident_page, read_detail
from dashboards.settings import PageSettings
from dashboards.site import Site
from streams.runtime.store import tables
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import DAYS, HOUR, NOW, Log, site

VIEW = View("America/New_York", "anna")


@pytest.fixture
def desk(day: Callable[[str], Reader]) -> Site:
    return site(day("storm"), Log())


@pytest.fixture
def api(desk: Site) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router(desk))
    app.add_middleware(Guard, settings=PageSettings(timezone="America/New_York"))
    return TestClient(app, base_url="http://localhost:8080")


def said(desk: Site) -> str:
    board = asyncio.run(desk.live.refresh())
    return text_of(desk_page(board, VIEW, desk.catalogue, read_desk(desk.live, NOW)))


def open_one(desk: Site, id: str) -> Incident:
    return next(i for i in asyncio.run(desk.live.refresh()).open if i.id == id)


def test_an_empty_desk_says_so(desk: Site) -> None:
    text = said(desk)
    assert "No silence stands." in text
    assert "None planned." in text
    assert "The record is whole: 2 acts, each chained to the one before; head " in text
    assert "anna intervened: Moved bags to belt 5." in text


def test_a_silence_by_place_and_problem_shows_what_it_holds_back_until_it_is_ended(desk: Site) -> None:
    act = asyncio.run(desk.acts.silence_all("anna", ("spot:jfk-t4",), ("baggage",), 2 * HOUR, "belt work"))
    text = said(desk)
    assert "JFK Terminal 4, JFK: baggage" in text
    assert "until 09:43, anna: belt work" in text
    assert "Holds back 1 incident: " in text
    assert open_one(desk, "a1b2c3d4").silenced_until == NOW + 2 * HOUR
    assert open_one(desk, "d4e5f6a7").silenced_until is None
    detail = read_detail(desk.live, "a1b2c3d4", NOW)
    assert detail is not None
    page = incident_page(detail, VIEW, desk.catalogue, NOW)
    assert "anna silenced it until 09:43: belt work" in text_of(page)
    assert "silenced until 09:43" in text_of(page)
    assert ("undo", act.id) in {n.act for n in walk(page)}
    asyncio.run(desk.acts.undo(act.id, "anna"))
    assert "No silence stands." in said(desk)
    assert open_one(desk, "a1b2c3d4").silenced_until is None


def test_a_silence_of_everything_is_refused(desk: Site) -> None:
    with pytest.raises(Refused, match="would match all"):
        asyncio.run(desk.acts.silence_all("anna", (), (), HOUR))


def test_a_planned_event_stands_until_it_is_over(desk: Site) -> None:
    asyncio.run(desk.acts.planned_event("anna", ("airport:JFK",), (), NOW + HOUR, NOW + 5 * HOUR, 3.0, "marathon"))
    assert "JFK, New York: any problem 08:43 to 12:43, 3 × as many complaints expected, anna: marathon" in said(desk)
    for start, until, factor in ((None, NOW - 1, 3.0), (NOW + HOUR, NOW + 60, 3.0), (None, NOW + HOUR, 0.0)):
        with pytest.raises(Refused):
            asyncio.run(desk.acts.planned_event("anna", ("airport:JFK",), (), start, until, factor))


def test_verdicts_are_told_by_rule_and_tier(desk: Site) -> None:
    text = said(desk)
    assert "Rule baggage 1 0 0 1 100 % real" in text
    assert "Tier confirmed" in text


def test_verdicts_are_told_by_whom_it_was_told_to(tmp_path: Path) -> None:
    reader = DAYS["storm"]().store(tmp_path / "store.sqlite")
    row = {"channel": "ops-slack", "key": "0ld00001", "sequence": 3, "action": "open", "created_at": NOW, "state": "sent",
           "attempts": 1, "not_before": NOW, "refused": False}  # fmt: skip
    with reader.engine.begin() as connection:
        connection.execute(tables.outbox.insert(), [row])
    assert "Told to ops-slack 1 0 0 0 100 % real" in said(site(reader, Log()))


def test_an_assignment_and_a_snooze_show_at_once_and_can_be_taken_back(desk: Site) -> None:
    incident = open_one(desk, "a1b2c3d4")
    asyncio.run(desk.acts.assign(incident, "anna", "kim"))
    snooze = asyncio.run(desk.acts.snooze(incident, "anna", HOUR, "at lunch"))
    after = open_one(desk, "a1b2c3d4")
    assert (after.assigned_to, after.silenced_until) == ("kim", NOW + HOUR)
    asyncio.run(desk.acts.undo(snooze.id, "anna"))
    assert open_one(desk, "a1b2c3d4").silenced_until is None


def test_nothing_is_taken_back_that_was_never_done(desk: Site) -> None:
    with pytest.raises(Refused, match="no such act"):
        asyncio.run(desk.acts.undo("nope", "anna"))


def test_the_api_adds_lists_and_ends_silences(api: TestClient) -> None:
    asked = {"author": "anna", "places": ["spot:jfk-t4"], "seconds": 3600, "reason": "belt work"}
    made = api.post("/api/silences", json=asked)
    assert made.status_code == 202, made.text
    (found,) = api.get("/api/silences").json()
    assert found["holds_back"] == ["a1b2c3d4"]
    assert (found["until"], found["via"]) == ("2026-02-23T13:43:00Z", "api")
    assert api.post("/api/undo", json={"author": "anna", "control": made.json()["control"]}).status_code == 202
    assert api.get("/api/silences").json() == []


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/api/silences", {"author": "a", "seconds": 3600}, "would match all"),
        ("/api/silences", {"author": "a", "seconds": 3600, "places": ["airport:XXX"]}, "airport:XXX"),
        ("/api/planned-events", {"author": "a", "places": ["airport:JFK"], "until": "2026-02-24T00:00:00", "factor": 3}, "timezone"),
        ("/api/planned-events", {"author": "a", "until": "2026-02-24T00:00:00Z", "factor": 3}, "would match all"),
        ("/api/undo", {"author": "a", "control": "nope"}, "no such act"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_reason(
    api: TestClient, path: str, body: dict[str, object], word: str
) -> None:
    answer = api.post(path, json=body)
    assert answer.status_code == 422
    assert word in answer.text


def test_the_api_plans_events_and_tells_verdicts_and_the_log(api: TestClient) -> None:
    asked = {"author": "anna", "keywords": ["app"], "until": "2026-02-24T00:00:00+01:00", "factor": 2.5}
    assert api.post("/api/planned-events", json=asked).status_code == 202
    assert [e["factor"] for e in api.get("/api/planned-events").json()] == [2.5]
    assert {r["name"] for r in api.get("/api/feedback").json()["rules"]} >= {"baggage", "app"}
    told = api.get("/api/audit").json()
    assert told["verdict"]["broken"] is None
    assert [e["number"] for e in told["entries"]] == [1, 2]
