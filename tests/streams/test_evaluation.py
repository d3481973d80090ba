"""Incidents held against labels: time, place, tiers, and what is counted as unanswered."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from alerting.model import Gate, Incident, Part, Scope, iso
from streams.evaluation import Miss, PlacePeople, evaluate
from streams.labels import Label, read_labels

JUDGE = Path(__file__).parents[3] / "shared" / "judge" / "replay.py"
HOUR = 3600.0
START = 1_767_596_400.0  # 2026-01-05 07:00 UTC
TEXAS = ("Texas", "United States", "everywhere")


def scope(name="Houston", path=TEXAS, level="city"):
    return Scope(f"{level}:{name}", name, level, (name, *path))


def incident(id="a", at=0.0, hours=3.0, place=None, **more):
    told = START + at * HOUR
    values = {
        "revision": 1,
        "state": "resolved",
        "onset": told - 600,
        "opened_at": told - 300,
        "suspected_at": told,
        "resolved_at": told + hours * HOUR,
        "updated_at": told,
        "scope": place or scope(),
        "keywords": ("outage",),
        "title": "power outage",
        "people": 12,
        "messages": 13,
        "expected": 1.0,
        "factor": 12.0,
        "p_value": 1e-6,
    }
    return Incident(id=id, **(values | more))


def label(at=0.0, hours=None, where="Texas: Harris County", cities=("Houston",), state="Texas"):
    end = None if hours is None else iso(START + (at + hours) * HOUR)
    return Label(iso(START + at * HOUR), where, "storm", end, "outage", state, cities)


def answered(one, *labels):
    return [row.answered for row in evaluate(labels or [label()], [one], 1.0).rows]


def test_an_incident_answers_from_a_day_before_to_a_day_and_a_half_after():
    found = [answered(incident(at=hours, hours=200), label(hours=2)) for hours in (-24.1, -23.9, 0, 35.9, 36.1)]
    assert found == [[False], [True], [True], [True], [False]]


def test_a_long_disruption_can_be_answered_until_its_end():
    assert answered(incident(at=90), label(hours=100)) == [True]


def test_what_was_resolved_an_hour_before_the_start_does_not_answer():
    assert answered(incident(at=-5, hours=3.9)) == [False]
    assert answered(incident(at=-5, hours=4.1)) == [True]


def test_the_delay_counts_from_the_first_suspicion_of_the_earliest_incident():
    early, late = incident("a", at=2), incident("b", at=1, suspected_at=None, confirmed_at=START + 1.5 * HOUR)
    (row,) = evaluate([label()], [early, late], 1.0).rows
    assert row.delay_hours == 1.5
    assert row.incidents == ("b", "a")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (scope("Houston"), True),
        (scope("Katy"), False),
        (scope("Texas", TEXAS[1:], "region"), True),  # holds the city
        (scope("United States", ("everywhere",), "country"), False),
        (scope("Heights", ("Houston", *TEXAS), "spot"), True),  # lies in it
        (scope("Houston, Texas"), True),
    ],
)
def test_scopes_answer_where_they_are_contain_or_lie_in_the_place(place, found):
    assert answered(incident(place=place)) == [found]


def test_contributing_places_answer_but_do_not_by_containing():
    state = scope("United States", ("everywhere",), "country")
    inside = Part("city:Houston", "Houston", "city", ("Houston", *TEXAS), 5)
    above = Part("region:US-TX", "Texas", "region", TEXAS, 5)
    assert answered(incident(place=state, places=(inside,))) == [True]
    assert answered(incident(place=state, places=(above,))) == [False]


def test_a_long_list_of_places_answers_nothing_by_itself():
    everywhere = scope("everywhere", (), "everywhere")
    parts = tuple(Part(f"city:{i}", "Houston" if i == 5 else f"Town {i}", "city", (f"Town {i}",)) for i in range(11))
    assert answered(incident(place=everywhere, places=parts)) == [False]
    assert answered(incident(place=everywhere, places=parts[1:])) == [True]


def test_signals_are_not_incidents_but_tell_why_a_label_was_missed():
    gates = (Gate("budget", True, "within budget"), Gate("people", False, "2 people, 3 needed"))
    signal = incident(state="signal", suspected_at=None, resolved_at=None, why=gates)
    result = evaluate([label()], [signal], 1.0)
    assert (result.answered, result.incidents) == (0, 0)
    assert result.rows[0].gate == "people"
    assert "2 people, 3 needed" in (result.rows[0].why or "")


def test_the_gate_seen_while_replaying_is_told_when_no_signal_opened():
    people = [PlacePeople("Houston", ("Houston", *TEXAS), {int(START // HOUR): 9})]
    result = evaluate([label()], [], 1.0, people, {0: Miss("cut", "9 people, the cut was 11")})
    assert (result.rows[0].gate, result.rows[0].why) == ("cut", "9 people, the cut was 11")


def test_reachable_needs_three_people_and_three_times_the_median_of_the_weeks_before():
    hour = int(START // HOUR)

    def reach(count, before, weeks=8):
        hours = {hour: count} | {hour - 168 * week: before for week in range(1, weeks + 1)}
        return evaluate([label(hours=1)], [], 9.0, [PlacePeople("Houston", ("Houston", *TEXAS), hours)]).rows[0]

    assert not reach(2, 0).reachable
    assert reach(3, 1).reachable
    assert not reach(8, 3).reachable
    assert reach(9, 3, weeks=4).usual == 1.5
    assert reach(9, 3, weeks=3).usual == 0


def test_people_of_a_place_are_not_counted_again_for_what_lies_in_it():
    hours = {int(START // HOUR): 5}
    people = [
        PlacePeople("Texas", TEXAS, hours),
        PlacePeople("Houston", ("Houston", *TEXAS), hours),
        PlacePeople("Houston Heights", ("Houston Heights", "Houston", *TEXAS), hours),
        PlacePeople("Dallas", ("Dallas", *TEXAS), hours),
    ]
    rows = evaluate([label(), label(cities=None, where="Texas")], [], 1.0, people).rows
    assert [row.people for row in rows] == [5, 5]


def test_a_label_whose_place_nobody_was_heard_from_says_so():
    people = [PlacePeople("Houston", ("Houston", *TEXAS), {int(START // HOUR): 5})]
    (row,) = evaluate([label(cities=None, where="Harris County", state=None)], [], 1.0, people).rows
    assert (row.gate, row.why) == ("unknown_place", "no place that was heard is, or lies in, harris")


def test_labels_that_name_no_place_are_answered_in_time_alone_and_counted_apart():
    result = evaluate(
        [label(cities=None, where="", state=None), label()], [incident(place=scope("Lyon", ("France",)))], 2.0
    )
    assert [row.answered for row in result.rows] == [True, False]
    assert result.by_precision["no_place"].answered == 1
    assert result.by_precision["city"].labels == 1


def test_a_label_without_a_readable_time_is_refused_by_number():
    with pytest.raises(ValueError, match="label 1, `end`"):
        read_labels(json.dumps([{"start": "2026-01-05T07:00:00Z"}, {"start": "2026-01-05", "end": "noon"}]).encode())


def made_up(seed):
    """Labels and incidents over names that are easily confused."""
    rng = random.Random(seed)
    cities = ["San Diego", "San José", "Houston", "York", "New York", "Ann Arbor", "Sacramento"]
    states = ["California", "Texas", "Michigan", "New York", "New Jersey", "Washington"]
    wheres = [
        "Texas: Harris County, Dallas County",
        "California",
        "Northern and Central California",
        "New Jersey (Newark) and New York",
        "",
        "Houston (Harris)",
        "US South: Kentucky",
        "Unknown",
        "Lower Michigan; Ann Arbor",
    ]
    labels, incidents = [], []
    for _ in range(40):
        chosen = rng.sample(cities, rng.randrange(1, 3)) if rng.random() < 0.4 else None
        labels.append(
            label(
                rng.uniform(0, 2000),
                rng.choice([None, 2, 80]),
                rng.choice(wheres),
                tuple(chosen) if chosen else None,
                rng.choice([None, *states]),
            )
        )

    def somewhere():
        level = rng.choice(["city", "region", "country", "everywhere"])
        state, city = rng.choice(states), rng.choice(cities)
        above = (state, "United States", "everywhere")
        names = {"city": (city, *above), "region": above, "country": above[1:], "everywhere": above[2:]}[level]
        return level, rng.choice([names[0], f"{names[0]}, {state}"]), names

    for number in range(160):
        level, name, path = somewhere()
        parts = tuple(
            Part(f"p{i}", one, kind, way, 1)
            for i in range(rng.choice([0, 1, 3, 11]))
            for kind, one, way in [somewhere()]
        )
        at = rng.uniform(-30, 2040)
        told = START + at * HOUR
        state = rng.choice(["signal", "suspected", "confirmed", "resolved"])
        tiers = {
            "suspected_at": told + 60 if state != "signal" and rng.random() < 0.8 else None,
            "confirmed_at": told + 30 if state in ("confirmed", "resolved") else None,
            "resolved_at": told + rng.uniform(1, 30) * HOUR if state == "resolved" else None,
        }
        one = incident(
            f"i{number}", at, place=Scope(f"x:{name}", name, level, path), places=parts, state=state, **tiers
        )
        incidents.append(one)
        if rng.random() < 0.3:
            incidents.append(
                incident(
                    f"i{number}",
                    at,
                    place=one.scope,
                    places=parts,
                    revision=2,
                    **(tiers | {"state": "resolved", "resolved_at": told + 40 * HOUR}),
                )
            )
    return labels, incidents


@pytest.mark.skipif(not JUDGE.exists(), reason="the judge is not beside this repository")
@pytest.mark.parametrize("seed", range(4))
def test_the_figures_are_those_of_the_judge(tmp_path, seed):
    labels, incidents = made_up(seed)
    (tmp_path / "incidents.jsonl").write_text("".join(json.dumps(one.to_json()) + "\n" for one in incidents))
    plain = [
        {name: getattr(one, name) for name in ("start", "end", "where", "what", "kind", "state", "cities")}
        for one in labels
    ]
    (tmp_path / "labels.json").write_text(json.dumps(plain))
    call = [sys.executable, JUDGE, "--incidents", tmp_path / "incidents.jsonl", "--labels", tmp_path / "labels.json"]
    judged = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    ours = evaluate(labels, incidents, 12.0)
    assert 3 < judged["answered"] < 40
    assert {
        kind: {"labels": one.labels, "answered": one.answered} for kind, one in ours.by_precision.items()
    } == judged["by_precision"]
    assert (ours.answered, ours.incidents, ours.unanswered, ours.wide) == (
        judged["answered"],
        judged["incidents"],
        judged["unanswered"],
        judged["wide"],
    )
    assert ours.delay_hours_median == judged["delay_hours_median"]
