"""The whole way is a function of configuration and log: batches, interleaving of partitions and a restart change nothing."""

from __future__ import annotations

import random

import msgspec
import pytest

from alerting.model import Incident
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.simulate import simulator
from streams.scenarios import SCENARIOS

STORM = msgspec.structs.replace(SCENARIOS["power-storm"], learn_days=4.0, days=1.0, per_hour=25.0)
CONFIG = PipelineConfig(pack="power", window_seconds=900, partitions=2, budget_per_week=3.0)


@pytest.fixture(scope="module")
def logs() -> list[list[Record | Tick]]:
    """Two partitions' logs, ended by a tick."""
    made: list[list[Record | Tick]] = [[], []]
    last = 0.0
    for position, (arrival, value) in enumerate(simulator(STORM, 11).records()):
        made[position % 2].append(Record(position, value, arrival, "log"))
        last = arrival
    for log in made:
        log.append(Tick(10**9, last + 2000.0, final=True))
    return made


def run(logs: list[list[Record | Tick]], seed: int, restart: bool = False) -> tuple[list[bytes], list[bytes]]:
    """Incident revisions and cells, as bytes, of the logs delivered in some order of batches."""
    pick = random.Random(seed)
    pipeline, at = Pipeline(CONFIG), [0, 0]
    incidents: list[Incident] = []
    cells: list[bytes] = []
    while any(at[p] < len(logs[p]) for p in (0, 1)):
        partition = pick.choice([p for p in (0, 1) if at[p] < len(logs[p])])
        size = pick.randint(1, 700)
        outputs = pipeline.process(partition, logs[partition][at[partition] : at[partition] + size])
        at[partition] += size
        incidents += outputs.incidents
        cells += [b"".join(column.tobytes() for column in one[2:-2]) + repr(one[-2:]).encode() for one in outputs.cells]
        if restart and pick.random() < 0.2:
            state = pipeline.snapshot()
            pipeline = Pipeline(CONFIG)
            pipeline.restore(state)
    return [msgspec.json.encode(one) for one in incidents], cells


def test_batches_and_interleaving_change_no_byte(logs: list[list[Record | Tick]]) -> None:
    first = run(logs, 1)
    assert first[0], "the storm opens incidents"
    assert first == run(logs, 2)


def test_stopping_and_going_on_from_a_snapshot_changes_no_byte(logs: list[list[Record | Tick]]) -> None:
    assert run(logs, 1) == run(logs, 3, restart=True)


def test_a_snapshot_of_another_configuration_is_refused() -> None:
    state = Pipeline(CONFIG).snapshot()
    other = Pipeline(msgspec.structs.replace(CONFIG, budget_per_week=1.0))
    with pytest.raises(ValueError, match="configuration"):
        other.restore(state)
