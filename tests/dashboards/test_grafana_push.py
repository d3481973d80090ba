"""Dashboards and incidents go into Grafana; what goes wrong is one line that says what to do."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from dashboards.grafana.push import FOLDER_UID, GENERATED
from dashboards.grafana.regions import upsert
from dashboards.grafana.server import GrafanaError, Server
from dashboards.grafana.settings import GrafanaSettings
from overheard import main
from tests.alerting.notify.hostile import message
from tests.dashboards.grafana_stub import TOKEN, Stub, refused, running

T = TypeVar("T")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as started:
        yield started


def push(url: str, *more: str, token: str = TOKEN) -> Result:
    return CliRunner().invoke(main, ["dashboards", "push", "--url", url, *more], env={"OVERHEARD_GRAFANA_TOKEN": token})


def test_all_dashboards_come_into_a_folder_of_their_own(stub: Stub) -> None:
    told = push(stub.url)
    assert told.exit_code == 0, told.output
    expected = {json.loads(path.read_text())["uid"]: json.loads(path.read_text()) for path in GENERATED.glob("*.json")}
    assert stub.dashboards.keys() == expected.keys()
    for uid, kept in stub.dashboards.items():
        assert kept["panels"] == expected[uid]["panels"]
        assert kept["folder"] == FOLDER_UID
        assert f"{stub.url}/d/{uid}" in told.output
    assert stub.folders == {FOLDER_UID: "overheard"}


def test_pushing_again_replaces_them_and_makes_no_second_folder(stub: Stub) -> None:
    push(stub.url)
    again = push(f"{stub.url}/")
    assert again.exit_code == 0, again.output
    assert {kept["version"] for kept in stub.dashboards.values()} == {2}
    assert stub.asked.count(("POST", "/api/folders")) == 1


def test_a_folder_that_another_made_in_between_will_do(stub: Stub) -> None:
    stub.folders[FOLDER_UID] = "overheard"
    stub.next_answers = [refused(404, "folder not found")]
    assert push(stub.url).exit_code == 0
    assert ("POST", "/api/folders") in stub.asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused(400, "bad request data"), "cannot take it (400): bad request data"),
        (refused(403, "Access denied"), "give the service account the role Editor"),
        (refused(412, "changed by someone else"), "412: changed by someone else"),
        (refused(429, "slow down"), "try again later"),
        (JSONResponse({"message": "database is locked"}, 500), "failed (500): database is locked"),
        (PlainTextResponse("Bad Gateway\nnginx", 502), "failed (502): Bad Gateway nginx"),
        (HTMLResponse("<html>log in</html>"), "not as Grafana does"),
        (Response(b"\x00 no json", media_type="application/json"), "not as Grafana does"),
        (JSONResponse(["a list"]), "not as Grafana does"),
        (RedirectResponse("http://127.0.0.1:9/login", 302), "leads elsewhere"),
    ],
    ids=["400", "403", "412", "429", "500", "502", "html", "no json", "a list", "redirect"],
)
def test_what_grafana_will_not_do_is_one_line(stub: Stub, answer: Response, said: str) -> None:
    stub.next_answers = [answer]
    told = push(stub.url)
    assert told.exit_code == 1
    assert said in told.output
    assert len(told.output.splitlines()) == 1
    assert not stub.dashboards


def test_a_wrong_token_is_told_with_where_it_comes_from_and_not_shown(stub: Stub) -> None:
    told = push(stub.url, token="glsa_wrong")
    assert told.exit_code == 1
    assert "OVERHEARD_GRAFANA_TOKEN" in told.output
    assert "glsa_wrong" not in told.output


def test_nobody_there_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        told = push(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert told.exit_code == 1
    assert "is Grafana running there?" in told.output
    assert len(told.output.splitlines()) == 1


def test_without_a_token_or_an_address_nothing_is_asked(stub: Stub, tmp_path: Path) -> None:
    bare = CliRunner().invoke(main, ["dashboards", "push", "--url", stub.url], env={"OVERHEARD_GRAFANA_TOKEN": None})
    assert "OVERHEARD_GRAFANA_TOKEN" in bare.output
    config = tmp_path / "overheard.toml"
    config.write_text(f'[grafana]\nurl = "{stub.url}"\ntoken_file = "token"\n')
    gone = CliRunner().invoke(main, ["dashboards", "push", "--config", str(config)])
    assert f"{tmp_path / 'token'}: No such file" in gone.output
    assert bare.exit_code == gone.exit_code == 1
    assert not stub.asked
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert CliRunner().invoke(main, ["dashboards", "push", "--config", str(config)]).exit_code == 0


def test_a_token_in_the_configuration_itself_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "overheard.toml"
    config.write_text(f'[grafana]\nurl = "https://grafana.example.org"\ntoken = "{TOKEN}"\n')
    told = CliRunner().invoke(main, ["check-config", str(config)])
    assert told.exit_code == 2
    assert "grafana.token: a secret" in told.output
    assert TOKEN not in told.output


@pytest.mark.parametrize(
    "url", ["grafana:3000", "ftp://grafana", "https://admin:admin@grafana", "https://g/?verify=0", "http://g:x"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        GrafanaSettings(url=url)


def with_server(stub: Stub, do: Callable[[Server], Awaitable[T]], **settings: Any) -> T:
    async def go() -> T:
        async with Server(GrafanaSettings(url=stub.url, **settings), TOKEN) as server:
            return await do(server)

    return asyncio.run(go())


def test_an_incident_is_one_region_from_its_onset_to_its_end(stub: Stub) -> None:
    incident = message().incident
    assert incident is not None
    first = with_server(stub, lambda server: upsert(server, incident))
    later = msgspec.structs.replace(incident, updated_at=incident.updated_at + 600)
    over = msgspec.structs.replace(later, state="resolved", resolved_at=later.updated_at + 60)
    for revision in (later, over, over):
        assert with_server(stub, lambda server, told=revision: upsert(server, told)) == first
    (region,) = stub.annotations.values()
    assert region["time"] == round(incident.onset * 1000)
    assert region["timeEnd"] == round((over.resolved_at or 0) * 1000)
    assert region["tags"][0] == f"incident:{incident.id}"
    assert "resolved" in region["tags"]
    assert region["dashboardUID"] == "overheard-board"


def test_an_id_with_letters_that_mean_something_in_addresses_finds_its_own(stub: Stub) -> None:
    incident = message().incident
    assert incident is not None
    odd = msgspec.structs.replace(incident, id="a b&tags=c#d")
    for one in (incident, odd, odd):
        with_server(stub, lambda server, told=one: upsert(server, told))
    assert sorted(one["tags"][0] for one in stub.annotations.values()) == sorted(
        [f"incident:{incident.id}", "incident:a b&tags=c#d"]
    )


def test_of_two_regions_made_when_an_answer_was_lost_one_stays(stub: Stub) -> None:
    incident = message().incident
    assert incident is not None
    with_server(stub, lambda server: upsert(server, incident))
    stub.annotations[2] = {**stub.annotations[1], "id": 2}
    assert with_server(stub, lambda server: upsert(server, incident)) == 1
    assert list(stub.annotations) == [1]


def test_an_answer_that_does_not_come_is_waited_for_so_long_and_no_longer(stub: Stub) -> None:
    incident = message().incident
    assert incident is not None
    stub.next_answers = [1.0]
    with pytest.raises(GrafanaError, match=r"no answer from .* within 0\.2 s"):
        with_server(stub, lambda server: upsert(server, incident), timeout_seconds=0.2)


def test_what_is_built_is_what_is_shipped(tmp_path: Path) -> None:
    built = CliRunner().invoke(main, ["dashboards", "build", "--out", str(tmp_path / "made")])
    assert built.exit_code == 0, built.output
    shipped = {path.name: path.read_text() for path in GENERATED.glob("*.json")}
    assert {path.name: path.read_text() for path in (tmp_path / "made").iterdir()} == shipped
