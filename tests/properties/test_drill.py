"""A drill goes the whole way and opens incidents marked as one; what is real is as if there had been none."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from streams.complaint import Record, Tick
from streams.pipeline import Outputs, Pipeline, PipelineConfig

MONDAY = 1_704_672_000
DAY = 86400
END = MONDAY + 8 * DAY


def one(number: int, at: float, place: str, text: str = "no power again", **more: object) -> Record:
    body = {
        "id": f"n{number}",
        "source": "x",
        "author": f"a{number}",
        "created_at": at,
        "text": text,
        "location": place,
        **more,
    }
    return Record(number, json.dumps(body).encode(), None, "log")


def ordinary() -> list[Record]:
    rng = random.Random(3)
    places = ("Houston, TX", "Boston, MA", "Chicago, IL")
    return [one(n, MONDAY + n * 900 + rng.random() * 60, rng.choice(places)) for n in range(int(8 * DAY / 900))]


def drill(begin: float = END, first: int = 10_000) -> list[Record]:
    return [
        one(first + n, begin + n * 30, "Boston, MA", f"whole street has no power {n}", drill=True) for n in range(80)
    ]


def after(begin: float = END, hours: int = 8) -> list[Record]:
    places = ("Houston, TX", "Boston, MA", "Chicago, IL")
    return [one(5000 + n, begin + n * 900, places[n % 3]) for n in range(hours * 4)]


def run(records: list[Record], restart_at: int | None = None) -> tuple[Pipeline, list[Outputs]]:
    pipeline, given = Pipeline(PipelineConfig(pack="power")), []
    ordered = sorted(records, key=lambda record: json.loads(record.value)["created_at"])
    for number in range(0, len(ordered), 100):
        if restart_at is not None and number <= restart_at < number + 100:
            state = pipeline.snapshot()
            pipeline = Pipeline(PipelineConfig(pack="power"))
            pipeline.restore(state)
        given.append(pipeline.process(0, ordered[number : number + 100]))
    given.append(pipeline.process(0, [Tick(0, END + 9 * 3600, True)]))
    return pipeline, given


def real(outputs: list[Outputs]) -> tuple[list[object], list[object]]:
    incidents = [i for batch in outputs for i in batch.incidents if not i.drill]
    cells = [
        (c.start, *(column.tolist() for column in (c.place, c.keyword, c.voices, c.messages, c.expected, c.p_value)))
        for batch in outputs for c in batch.cells if c.voices.any()
    ]  # fmt: skip
    return incidents, cells


def test_a_drill_opens_incidents_marked_as_one_and_ends() -> None:
    pipeline, outputs = run([*ordinary(), *drill(), *after()])
    told = [i for batch in outputs for i in batch.incidents if i.drill]
    assert "confirmed" in {i.state for i in told}
    assert told[-1].state == "resolved"
    assert {i.scope.name for i in told if i.state == "confirmed"} == {"Boston"}
    assert 60 <= max(i.people for i in told) <= 80
    assert all(i.examples == () for i in told)
    assert pipeline.detect.drill is None
    assert pipeline.alerts.spent == 0


def test_what_is_real_is_as_if_there_had_been_no_drill() -> None:
    with_drill, without = run([*ordinary(), *drill(), *after()])[1], run([*ordinary(), *after()])[1]
    assert real(with_drill) == real(without)
    records = {name: count.records for batch in with_drill for name, count in batch.sources.items()}
    assert set(records) == {"x", "x (drill)"}


def test_a_real_disruption_during_a_drill_is_its_own_incident() -> None:
    storm = [one(20_000 + n, END + 600 + n * 30, "Boston, MA", f"no electricity at all here {n}") for n in range(80)]
    outputs = run([*ordinary(), *drill(), *storm, *after()])[1]
    confirmed = [i for batch in outputs for i in batch.incidents if i.state == "confirmed"]
    assert {i.drill for i in confirmed} == {True, False}
    assert len({i.id for i in confirmed}) == 2
    assert real(outputs) == real(run([*ordinary(), *storm, *after()])[1])


def test_an_author_of_a_drill_is_still_heard_when_it_is_real() -> None:
    said = [one(n, END + n, "Boston, MA", "whole street has no power", author=f"p{n}", drill=True) for n in range(3)]
    meant = [one(50 + n, END + 60 + n, "Boston, MA", "whole street has no power", author=f"p{n}") for n in range(3)]
    outputs = run([*said, *meant])[1]
    assert sum(int(c.voices[(c.keyword == 0)].max(initial=0)) for batch in outputs for c in batch.cells) == 3


@pytest.mark.parametrize("at", [800, 850])
def test_a_restart_in_a_drill_changes_nothing(at: int) -> None:
    records = [*ordinary(), *drill(), *after()]
    whole, parted = run(records)[1], run(records, at)[1]
    assert [i for batch in whole for i in batch.incidents] == [i for batch in parted for i in batch.incidents]
    assert np.array_equal(real(whole)[1], real(parted)[1]) if not real(whole)[1] else real(whole) == real(parted)
