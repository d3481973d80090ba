"""The JSON API: what it tells operations, what it hides from the public, whom it lets in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api import router
from dashboards.guard import Guard
from dashboards.settings import PageSettings
from streams.runtime.store.reader import Reader
from tests.dashboards.made_up import Log, site

LOCAL = PageSettings(timezone="America/New_York")
OPEN = PageSettings(host="0.0.0.0", token="s3cret-operations", public_token="s3cret-public")
BEARER = {"authorization": "Bearer s3cret-operations"}
PUBLIC = {"authorization": "Bearer s3cret-public"}


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def serve(day: Callable[[str], Reader], log: Log) -> Callable[..., TestClient]:
    def client(settings: PageSettings = LOCAL, name: str = "storm") -> TestClient:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(router(site(day(name), log, settings)))
        app.add_middleware(Guard, settings=settings)
        return TestClient(app, base_url="http://localhost:8080")

    return client


def test_incidents_can_be_narrowed(serve: Callable[..., TestClient]) -> None:
    api = serve()
    assert {i["id"] for i in api.get("/api/incidents?state=confirmed").json()} == {"a1b2c3d4", "b2c3d4e5"}
    assert [i["id"] for i in api.get("/api/incidents?place=airport:DFW").json()] == ["d4e5f6a7"]
    told = api.get("/api/incidents/a1b2c3d4").json()
    assert told["incident"]["onset"] == "2026-02-23T12:03:00Z"
    assert [r["reason"] for r in told["revisions"]] == ["opened", "suspected", "confirmed", "grew"]
    assert told["controls"][0]["value"] == "Hall called: belt 3 has no power."
    assert api.get("/api/incidents/nope").status_code == 404


def test_counts_matrix_sources_status_and_why_not(serve: Callable[..., TestClient]) -> None:
    api = serve()
    cells = api.get("/api/cells?place=spot:jfk-t4&keyword=baggage&since=2026-02-23T12:00:00Z").json()
    assert sum(c["people"] for c in cells) == 30
    assert {"country", "region"} & {c["place"].split(":")[0] for c in api.get("/api/matrix").json()}
    assert [s["source"] for s in api.get("/api/sources").json()] == ["call notes", "reviews", "tickets", "tweets"]
    status = api.get("/api/status").json()
    assert status["last_close"] == "2026-02-23T12:42:40Z"
    assert status["budget_spent"] == 1.0
    assert api.get("/api/why-not?place=airport:SEA&keyword=seat").json()["answer"].startswith("Not opened: 10 people")
    assert api.get("/api/why-not?place=nowhere-at-all").status_code == 404


def test_an_unnamed_incident_is_promoted_with_its_phrases_and_the_way_to_replay_is_told(
    serve: Callable[..., TestClient], log: Log
) -> None:
    api, address = serve(name="calm"), "/api/incidents/0dd00001/promote"
    body = {"author": "anna", "keyword": "kiosks/frozen", "label": "frozen kiosks", "reason": "third time"}
    answer = api.post(address, json=body | {"phrases": ["kiosk frozen", 'a "dead"\nkiosk']})
    assert answer.status_code == 202
    assert answer.json()["replay"] == "overheard replay … kiosks/frozen"
    (made,) = log.controls
    assert (made.kind, made.incident, made.keywords, made.label) == (
        "promote",
        "0dd00001",
        ("kiosks/frozen",),
        "frozen kiosks",
    )
    assert (made.value, made.reason, made.via) == ('kiosk frozen\na "dead" kiosk', "third time", "api")
    assert api.post(address, json=body | {"phrases": []}).status_code == 422
    assert api.post("/api/incidents/c0ffee01/promote", json=body | {"phrases": ["late"]}).json()["detail"] == (
        "Only an unnamed incident is promoted: this one has its keywords."
    )
    log.refused = "'kiosks/frozen' is in own.toml already"
    answer = api.post(address, json=body | {"phrases": ["kiosk frozen"]})
    assert (answer.status_code, answer.json()["detail"]) == (422, "'kiosks/frozen' is in own.toml already.")


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-01-01&until=2025-01-01", "since=2020-01-01"])
def test_a_bad_time_is_told_not_guessed(serve: Callable[..., TestClient], query: str) -> None:
    assert serve().get(f"/api/cells?place=airport:JFK&{query}").status_code == 422


def test_acts_arrive_in_the_log_with_author_and_reason(serve: Callable[..., TestClient], log: Log) -> None:
    api, base = serve(), "/api/incidents/a1b2c3d4"
    assert api.post(f"{base}/ack", json={"author": "anna", "reason": "on it"}).status_code == 202
    assert api.post(f"{base}/feedback", json={"author": "anna", "verdict": "real"}).status_code == 202
    assert api.post(f"{base}/note", json={"author": "anna", "text": "belt 3"}).status_code == 202
    assert api.post(f"{base}/assign", json={"author": "anna", "to": "bo"}).status_code == 202
    assert api.post(f"{base}/intervention", json={"author": "anna", "text": "belt 5"}).status_code == 202
    done = api.post(f"{base}/silence", json={"author": "anna", "seconds": 3600, "reason": "works"}).json()
    assert api.post("/api/undo", json={"author": "bo", "control": done["control"]}).json()["kind"] == "undo"
    kinds = [(c.kind, c.author, c.value or c.reason) for c in log.controls]
    assert kinds[:6] == [
        ("ack", "anna", "on it"), ("feedback", "anna", "real"), ("note", "anna", "belt 3"), ("assign", "anna", "bo"),
        ("intervention", "anna", "belt 5"), ("silence", "anna", "works"),
    ]  # fmt: skip
    assert api.get(base).json()["incident"]["acked_by"] == "anna"
    assert api.post(f"{base}/ack", json={"author": ""}).status_code == 422
    assert api.post("/api/incidents/nope/ack", json={"author": "anna"}).status_code == 404


def test_a_log_that_takes_nothing_is_a_503_to_try_again(serve: Callable[..., TestClient], log: Log) -> None:
    log.full = True
    answer = serve().post("/api/incidents/a1b2c3d4/ack", json={"author": "anna"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_off_loopback_everything_needs_a_token(serve: Callable[..., TestClient], log: Log) -> None:
    api = serve(OPEN)
    for path in ("/api/incidents", "/api/status", "/api/docs", "/api/openapi.json", "/", "/overheard.css"):
        assert api.get(path).status_code == 401, path
    assert api.post("/api/incidents/a1b2c3d4/ack", json={"author": "x"}).status_code == 401
    assert api.get("/api/status", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert api.get("/api/status", headers=BEARER).status_code == 200
    assert log.controls == []


def test_signing_in_keeps_the_token_out_of_reach_of_scripts(serve: Callable[..., TestClient]) -> None:
    api = serve(OPEN)
    assert "Sign in" in api.get("/", headers={"accept": "text/html"}).text
    assert api.post("/sign-in", data={"token": "wrong"}).status_code == 401
    answer = api.post("/sign-in", data={"token": "s3cret-operations"}, follow_redirects=False)
    assert answer.status_code == 303
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in answer.headers["set-cookie"].split(";")}
    assert api.get("/api/status").status_code == 200


def test_another_site_cannot_act_or_read(serve: Callable[..., TestClient], log: Log) -> None:
    api, body = serve(), {"author": "anna"}
    foreign = {"origin": "https://evil.example"}
    assert api.post("/api/incidents/a1b2c3d4/ack", json=body, headers=foreign).status_code == 403
    assert (
        api.post("/api/incidents/a1b2c3d4/ack", json=body, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    )
    assert api.get("/api/status", headers=foreign).status_code == 403
    assert api.get("/api/status", headers={"host": "evil.example:8080"}).status_code == 421
    assert log.controls == []
    same = {"origin": "http://localhost:8080"}
    assert api.post("/api/incidents/a1b2c3d4/ack", json=body, headers=same).status_code == 202


def test_the_public_sees_rounded_counts_on_one_grid_and_cannot_act(serve: Callable[..., TestClient]) -> None:
    api = serve(OPEN)
    cells = api.get("/api/matrix?since=2026-02-23T12:30:00Z&level=airport", headers=PUBLIC).json()
    assert cells
    assert {c["start"] for c in cells} == {"2026-02-23T11:00:00Z"}
    assert all(c["place"].startswith("region:") for c in cells)
    for cell in cells:
        if cell["people"] == "fewer than 10":
            assert cell["expected"] is None
            assert cell["p_value"] is None
        else:
            assert cell["people"] >= 10
            assert cell["people"] % 5 == 0
    told = {i["id"]: i for i in api.get("/api/incidents", headers=PUBLIC).json()}
    assert told["d4e5f6a7"]["people"] == "fewer than 10"
    assert told["d4e5f6a7"]["expected"] is None
    assert told["a1b2c3d4"]["people"] == 40
    assert "e5f6a7b8" not in told  # a signal
    flat = api.get("/api/incidents/a1b2c3d4", headers=PUBLIC).text
    assert not re.search("belt|examples|terms|channels|anna", flat)
    for path in ("/api/cells?place=airport:JFK", "/api/sources", "/api/why-not?place=airport:JFK"):
        assert api.get(path, headers=PUBLIC).status_code == 403, path
    assert api.post("/api/incidents/a1b2c3d4/ack", json={"author": "x"}, headers=PUBLIC).status_code == 403
    assert api.get("/", headers=PUBLIC).status_code == 403


def test_the_public_view_can_be_previewed(serve: Callable[..., TestClient]) -> None:
    told = serve().get("/api/incidents?role=public").json()
    assert all("examples" not in i for i in told)


def test_the_description_is_complete_and_fetches_nothing(serve: Callable[..., TestClient]) -> None:
    api = serve()
    paths = api.get("/api/openapi.json").json()["paths"]
    assert {"/api/incidents", "/api/incidents/{id}", "/api/cells", "/api/matrix", "/api/sources", "/api/status",
            "/api/why-not", "/api/incidents/{id}/ack", "/api/incidents/{id}/silence"} <= paths.keys()  # fmt: skip
    page = api.get("/api/docs")
    assert "POST /api/incidents/{id}/ack" in page.text
    assert not re.search(r"""(src|href)=["']https?:|url\(""", page.text.replace("url(#hatch)", ""))
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"]


def test_off_loopback_without_a_token_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match=r"token: required because 0\.0\.0\.0"):
        PageSettings(host="0.0.0.0")
