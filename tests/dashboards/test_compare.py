"""Two replays side by side: what appears, vanishes, moves."""

import json

import pytest
from click.testing import CliRunner

from dashboards.compare import compared, read_incidents
from dashboards.compare_command import compare

HOUSTON = ["Houston", "Texas", "United States", "everywhere"]


def line(id="a", hour=7, place="city:1", path=HOUSTON, keywords=("outage",), **more):
    at = f"2026-01-05T{hour:02}:00:00Z"
    scope = {"place": place, "name": path[0], "level": "city", "path": path}
    values = {
        "id": id, "revision": 1, "state": "confirmed", "title": f"{keywords[0]} at {path[0]}", "onset": at, "opened_at": at, "suspected_at": at,
        "confirmed_at": None, "resolved_at": f"2026-01-05T{hour + 2:02}:30:00Z", "scope": scope, "keywords": list(keywords), "people": 20,
    }  # fmt: skip
    return values | more


@pytest.fixture
def folder(tmp_path):
    def make(name, *lines):
        path = tmp_path / name
        path.mkdir()
        (path / "incidents.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
        return path

    return make


def result(folder, before, after):
    return compared(read_incidents(folder("a", *before)), read_incidents(folder("b", *after)))


def test_the_same_incidents_are_the_same_under_other_ids(folder):
    found = result(folder, [line("a"), line("b", 15)], [line("c", 15), line("d")])
    assert (found.same, found.appear, found.vanish, found.move) == (2, (), (), ())


def test_incidents_appear_and_vanish(folder):
    found = result(folder, [line("a", 3)], [line("b", 15)])
    assert [one.id for one in found.vanish] == ["a"]
    assert [one.id for one in found.appear] == ["b"]


def test_what_moved_is_told_in_words(folder):
    later = line(
        "b",
        8,
        place="region:TX",
        path=HOUSTON[1:],
        keywords=("outage/no-power",),
        confirmed_at="2026-01-05T08:10:00Z",
        people=60,
    )
    (moved,) = result(folder, [line("a")], [later]).move
    assert moved.changes == (
        "suspected → confirmed",
        "told 60 min later",
        "at Houston → Texas",
        "outage → outage/no-power",
        "20 → 60 people",
    )


def test_other_places_and_other_keywords_are_other_incidents(folder):
    lyon = line("b", place="city:9", path=["Lyon", "France", "everywhere"])
    assert result(folder, [line()], [lyon, line("c", keywords=("wires",))]).same == 0


def test_an_incident_is_matched_once_and_to_the_closest(folder):
    texas = line("t", place="region:TX", path=HOUSTON[1:])
    found = result(folder, [line("a")], [texas, line("b")])
    assert found.same == 1
    assert [one.id for one in found.appear] == ["t"]


def test_signals_count_only_when_asked_for(folder):
    signal = line(state="signal", suspected_at=None, resolved_at=None)
    path = folder("a", signal)
    assert read_incidents(path) == []
    assert [one.tier for one in read_incidents(path, signals=True)] == ["signal"]


def test_the_command_speaks_to_people_and_to_machines(folder):
    a, b = str(folder("a", line("a"))), str(folder("b", line("b"), line("c", 15)))
    said = CliRunner().invoke(compare, [a, b]).output
    assert "+ appears" in said
    assert "1 appear, 0 vanish, 0 move, 1 the same" in said.replace("\n", " ")
    told = json.loads(CliRunner().invoke(compare, [a, b, "--json"]).output)
    assert [one["id"] for one in told["appear"]] == ["c"]
    assert told["same"] == 1


def test_a_folder_without_incidents_is_refused_by_name(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    refused = CliRunner().invoke(compare, [str(tmp_path / "empty"), str(folder("b"))])
    assert refused.exit_code == 1
    assert "incidents.jsonl" in refused.output
