"""`replay --store` hears again what a service has kept, while it runs, and decides the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from service import Running, lines, made

from dashboards.replay_command import replay

Make = Callable[..., Running]


def replayed(out: Path, *options: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(replay, ["--pack", "power", "--out", str(out), *options])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in (out / "incidents.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_running_services_complaints_give_its_incidents_again(
    service: Make, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    from tests.postgres import new_database

    records = made(3)
    url = new_database(request.getfixturevalue("postgres_server")) if database != "sqlite" else None
    running = service("kept", **({"store": url} if url else {}))
    running.start()
    running.wait()
    bodies = [lines(records[first : first + 100]) for first in range(0, len(records), 100)]
    for body in bodies:
        assert running.post(body).status_code == 202
    running.settle()
    url = url or f"sqlite:///{running.folder / 'var' / 'store.sqlite'}"
    again = replayed(tmp_path / "out", "--store", url)
    live = running.http.get("/api/incidents").json()
    assert live
    newest = {one["id"]: one for one in again}
    assert set(newest) == {one["id"] for one in live}
    for one in live:
        same = next(old for old in again if (old["id"], old["revision"]) == (one["id"], one["revision"]))
        assert same == {**one, "examples": same["examples"]}
    nothing = CliRunner().invoke(
        replay, ["--pack", "power", "--out", str(tmp_path / "none"), "--store", url, "--to", "2020-01-01T00:00:00Z"]
    )
    assert nothing.exit_code == 1
    assert "no valid record" in nothing.output


def test_what_is_no_store_is_said(tmp_path: Path) -> None:
    for url, said in (("sqlite:///nowhere/store.sqlite", "no such store"), ("nonsense", "nonsense")):
        result = CliRunner().invoke(replay, ["--pack", "power", "--out", str(tmp_path / "x"), "--store", url])
        assert result.exit_code == 1
        assert said in result.output
    both = CliRunner().invoke(replay, ["--pack", "power", "--out", str(tmp_path / "x")])
    assert both.exit_code == 2
    assert "name files to replay, or --store" in both.output
