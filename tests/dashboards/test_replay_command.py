"""The command `replay` from file to results: the same bytes for the same records, honest exits, nothing overwritten that is not its own."""

import csv
import gzip
import json
import random
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from dashboards.replay_command import replay
from streams.runtime.out_folder import RESULTS

PACK = """
[pack]
name = "little"
title = "Little pack"
window_seconds = 300
language = "en"

[[keywords]]
id = "outage"
name = "power outage"

[[keywords]]
id = "outage/no-power"
name = "no power"
phrases = ["no power", "power is out"]

[[keywords]]
id = "water"
name = "water trouble"
phrases = ["no water"]
"""
START = 1_767_596_400.0  # 2026-01-05 07:00 UTC
STORM = START + 11 * 86400
CITIES = ("Houston, TX", "Boston, MA", "Chicago, IL")


def made_up(days=13):
    """Two quiet weeks in three cities, and an evening without power in Houston."""
    rng = random.Random(5)
    rows = []
    at = START
    while at < START + days * 86400:
        at += rng.expovariate(1 / 2400)
        rows.append((at, rng.choice(["no power here", "no water again", "nice weather"]), rng.choice(CITIES)))
    rows += [(STORM + rng.uniform(0, 5400), "the power is out, whole street dark", "Houston, TX") for _ in range(70)]
    rows += [(START + days * 86400 + rng.uniform(0, 900), "no water here", rng.choice(CITIES)) for _ in range(30)]
    rows.sort()
    lines = []
    for number, (at, text, city) in enumerate(rows):
        created = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        record = {
            "id": f"r{number}",
            "created_at": created,
            "text": text,
            "author": f"a{number}",
            "location": city,
            "source": "twitter:test",
        }
        lines.append(json.dumps(record))
    return lines


@pytest.fixture
def call(tmp_path):
    (tmp_path / "little.toml").write_text(PACK)

    def run(*arguments, out="out"):
        outcome = CliRunner().invoke(
            replay, [*map(str, arguments), "--pack", str(tmp_path / "little.toml"), "--out", str(tmp_path / out)]
        )
        if outcome.exception and not isinstance(outcome.exception, SystemExit):
            raise outcome.exception
        return outcome

    return run


@pytest.fixture
def quiet_month(tmp_path):
    path = tmp_path / "month.jsonl"
    path.write_text("\n".join(made_up()) + "\n")
    return path


def results(folder):
    return {name: (folder / name).read_bytes() for name in RESULTS}


def labels(tmp_path):
    path = tmp_path / "labels.json"
    start = datetime.fromtimestamp(STORM - 600, UTC).isoformat()
    path.write_text(
        json.dumps(
            [
                {
                    "start": start,
                    "end": None,
                    "where": "Texas: Harris County",
                    "what": "storm",
                    "cities": ["Houston"],
                    "state": "Texas",
                }
            ]
        )
    )
    return path


def test_a_storm_is_found_and_reported_twice_with_the_same_bytes(call, quiet_month, tmp_path):
    for out in ("one", "two"):
        outcome = call(quiet_month, "--labels", labels(tmp_path), out=out)
        assert outcome.exit_code == 0, outcome.output
    assert "1 of 1 reachable disruption found" in outcome.output
    one = results(tmp_path / "one")
    assert one == results(tmp_path / "two")
    assert json.loads(one["evaluation.json"])["answered"] == 1
    found = [json.loads(line) for line in one["incidents.jsonl"].splitlines()]
    assert any(revision["scope"]["name"].startswith("Houston") for revision in found)
    order = [(revision["updated_at"], revision["id"], revision["revision"]) for revision in found]
    assert order == sorted(order)
    assert b"Houston" in one["report.html"]


def test_newest_first_split_and_zipped_exports_give_the_bytes_of_a_sorted_one(call, quiet_month, tmp_path):
    assert call(quiet_month, out="sorted").exit_code == 0
    lines = quiet_month.read_text().splitlines()
    (tmp_path / "reversed").mkdir()
    other = tmp_path / "reversed" / quiet_month.name
    other.write_text("\n".join(reversed(lines)) + "\n")
    assert call(other, out="newest-first").exit_code == 0
    assert results(tmp_path / "sorted") == results(tmp_path / "newest-first")
    (tmp_path / "a.jsonl").write_text("\n".join(lines[::2]) + "\n")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress("\n".join(lines[1::2]).encode()))
    assert call(tmp_path / "b.jsonl.gz", tmp_path / "a.jsonl", out="split").exit_code == 0
    for name in ("incidents.jsonl", "cells.csv.gz", "evaluation.json"):
        assert results(tmp_path / "sorted")[name] == results(tmp_path / "split")[name]


def test_the_same_records_as_csv_give_the_same_incidents(call, quiet_month, tmp_path):
    records = [json.loads(line) for line in quiet_month.read_text().splitlines()]
    with (tmp_path / "month.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Nr", "Created At", "Message", "author", "location", "source"])
        writer.writerows(
            [one["id"], one["created_at"], one["text"], one["author"], one["location"], one["source"]]
            for one in records
        )
    assert call(quiet_month, out="jsonl").exit_code == 0
    outcome = call(tmp_path / "month.csv", "--map", "id=Nr", "--map", "text=Message", out="csv")
    assert outcome.exit_code == 0, outcome.output
    assert results(tmp_path / "jsonl")["incidents.jsonl"] == results(tmp_path / "csv")["incidents.jsonl"]


def test_people_are_the_same_in_any_number_of_partitions(call, quiet_month, tmp_path):
    people = {}
    for partitions in (1, 3):
        assert call(quiet_month, "--partitions", partitions, out=f"p{partitions}").exit_code == 0
        with gzip.open(tmp_path / f"p{partitions}" / "cells.csv.gz", "rt") as file:
            rows = [row for row in csv.DictReader(file) if row["place"] == "everywhere" and row["keyword"] == "*"]
        people[partitions] = {row["start"]: row["people"] for row in rows if row["people"] != "0"}
    assert people[1] == people[3]
    assert len(people[1]) > 100


def test_too_many_dead_letters_end_with_3_and_the_reasons(call, quiet_month, tmp_path):
    lines = quiet_month.read_text().splitlines()
    broken = ["{oops"] * 400 + ['{"id":"x","source":"s","text":"t","created_at":"soon"}'] * 60
    (tmp_path / "bad.jsonl").write_text("\n".join(lines + broken) + "\n")
    outcome = call(tmp_path / "bad.jsonl")
    assert outcome.exit_code == 3
    assert "400 not_json" in outcome.output
    assert "60 bad_time" in outcome.output
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert told["dead_letters"] == {"bad_time": 60, "not_json": 400}


@pytest.mark.parametrize(
    "content", ["", "\n\n", "{oops\n", '{"id":"1","created_at":"2026-01-05T07:00:00","text":"no power","source":"s"}\n']
)
def test_no_valid_record_is_an_error_and_never_a_calm_report(call, tmp_path, content):
    (tmp_path / "a.jsonl").write_text(content)
    outcome = call(tmp_path / "a.jsonl")
    assert outcome.exit_code == 1
    assert "no valid record in a.jsonl" in outcome.output
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "little.toml"]


def test_times_without_zone_count_when_the_zone_is_given(call, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id":"1","created_at":"2026-07-05T07:00:00","text":"no power","source":"s"}\n')
    outcome = call(tmp_path / "a.jsonl", "--timezone", "America/Chicago")
    assert outcome.exit_code == 0, outcome.output
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["first"] == "2026-07-05T12:00:00Z"


def test_a_folder_of_results_is_replaced_and_anything_else_is_left_alone(call, quiet_month, tmp_path):
    assert call(quiet_month).exit_code == 0
    before = results(tmp_path / "out")
    assert call(quiet_month, "--budget", 1).exit_code == 0
    assert results(tmp_path / "out") != before
    (tmp_path / "out" / "thesis.doc").write_text("years of work")
    outcome = call(quiet_month)
    assert outcome.exit_code == 1
    assert "thesis.doc" in outcome.output
    assert (tmp_path / "out" / "thesis.doc").read_text() == "years of work"


def test_missing_columns_are_refused_without_a_trace(call, tmp_path):
    (tmp_path / "a.csv").write_text("Unique Key,Opened,Complaint\n1,2026-01-05,no power\n")
    outcome = call(tmp_path / "a.csv")
    assert outcome.exit_code == 1
    assert "a.csv, line 1: no column for id, created_at, text, source" in outcome.output
    assert "--map id='Unique Key' --map created_at=Opened --map text=Complaint --source NAME" in outcome.output
    assert not (tmp_path / "out").exists()


def test_a_sweep_tabulates_and_keeps_every_result(call, quiet_month, tmp_path):
    outcome = call(quiet_month, "--sweep", "budget=1,10", "--labels", labels(tmp_path))
    assert outcome.exit_code == 0, outcome.output
    rows = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert [row["value"] for row in rows] == [1, 10]
    assert rows[0]["incidents"] <= rows[1]["incidents"]
    assert results(tmp_path / "out" / "budget-10")
    assert call(quiet_month, "--sweep", "budget=2").exit_code == 0


def test_controls_are_repeated(call, quiet_month, tmp_path):
    silence = {"id": "c1", "kind": "feedback", "at": STORM + 4000, "author": "ann", "value": "real"}
    assert call(quiet_month, out="without").exit_code == 0
    found = [json.loads(line) for line in (tmp_path / "without" / "incidents.jsonl").read_bytes().splitlines()]
    storm = next(one for one in found if one["scope"]["name"].startswith("Houston") and one["state"] == "confirmed")
    (tmp_path / "controls.jsonl").write_text(json.dumps(silence | {"incident": storm["id"]}) + "\n")
    assert call(quiet_month, "--controls", tmp_path / "controls.jsonl", out="with").exit_code == 0
    found = [json.loads(line) for line in (tmp_path / "with" / "incidents.jsonl").read_bytes().splitlines()]
    assert [one["verdict"] for one in found if one["id"] == storm["id"]][-1] == "real"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--map", "nonsense"], "FIELD=COLUMN"),
        (["--timezone", "Mars/Olympus"], "no such time zone"),
        (["--sweep", "luck=1"], "budget, lateness, window"),
        (["--sweep", "budget=a,b"], "not a list of numbers"),
    ],
)
def test_wrong_options_are_refused_in_words(call, quiet_month, arguments, told):
    outcome = call(quiet_month, *arguments)
    assert outcome.exit_code == 2
    assert told in " ".join(outcome.output.split())
