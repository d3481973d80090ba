"""The simulator keeps what its scenario says, and the same seed gives the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import msgspec

from streams.runtime.simulate import simulator
from streams.scenarios import SCENARIOS

SMALL = {"learn_days": 1.0, "days": 1.0}


def small(name: str, **changes: object) -> object:
    return msgspec.structs.replace(SCENARIOS[name], **(SMALL | changes))


def records(name: str, seed: int, **changes: object) -> list[tuple[float, bytes]]:
    return list(simulator(small(name, **changes), seed).records())


def test_one_seed_gives_one_stream_and_another_seed_another() -> None:
    assert records("power-storm", 3) == records("power-storm", 3)
    assert records("power-storm", 3) != records("power-storm", 4)


def test_records_come_in_order_of_arrival_with_late_and_broken_ones_among_them() -> None:
    made = records("city-flood", 1, late=0.02, bad=0.01)
    assert [arrival for arrival, _ in made] == sorted(arrival for arrival, _ in made)
    broken = 0
    delays = []
    for _, line in made:
        try:
            one = json.loads(line)
        except ValueError:
            broken += 1
            continue
        sent, received = (msgspec.convert(one[key], type=datetime) for key in ("created_at", "received_at"))
        delays.append((received - sent).total_seconds())
    assert broken > 0
    assert max(delays) > 600


def test_a_disruption_brings_about_as_many_people_as_it_says_where_it_says() -> None:
    scenario = SCENARIOS["power-storm"]
    made = simulator(small("power-storm", chatter=0.0, reposts=0.0, bots=0.0, per_hour=0.0, bad=0.0), 5)
    where: Counter[str] = Counter()
    for _, line in made.records():
        one = json.loads(line)
        where[(one["location"] or "").split(",")[0]] += 1
    first = scenario.disruptions[0]
    assert first.cities == ("Detroit",)
    assert 0.5 * first.people < where["Detroit"] < 1.5 * first.people
    assert where["Boston"] == 0


def test_labels_name_place_and_time_of_each_disruption() -> None:
    made = simulator(SCENARIOS["airline-day"], 1)
    labels = made.labels()
    assert len(labels) == len(SCENARIOS["airline-day"].disruptions)
    assert labels[0]["cities"] == ["Chicago"]
    assert labels[0]["start"] < labels[0]["end"]


def test_one_author_can_be_a_bot() -> None:
    made = records("airline-day", 2, bots=24.0, per_hour=5.0)
    authors = Counter(json.loads(line)["author"] for _, line in made if line.endswith(b"}"))
    assert authors.most_common(1)[0][1] >= 190
