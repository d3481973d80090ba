"""What DETECT finds does not depend on how the parts of different partitions interleave, nor on where it is restored."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import msgspec

from streams.complaint import Record, Tick
from streams.part import Part
from streams.pipeline import Pipeline, PipelineConfig
from streams.snapshot import restore_detect, snapshot_detect

PARTITIONS = 3
START = 1_704_585_600.0
DAYS = 4


def parts(seed: int) -> list[list[Part]]:
    """Each partition's parts: busy and rare sources, hours of silence, a loud hour, and what comes late."""
    rng = random.Random(seed)
    pipeline = Pipeline(PipelineConfig(pack="power", partitions=PARTITIONS))
    found = []
    for partition in range(PARTITIONS):
        times = [START + rng.random() * DAYS * 86400 for _ in range(700)]
        times = [at for at in times if not 40_000 + partition * 9_000 < (at - START) % 86400 < 60_000]
        times += [START + 3.2 * 86400 + rng.random() * 3600 for _ in range(60)]
        ordered = sorted(times, key=lambda at: at + (rng.random() < 0.05) * rng.random() * 7200)
        records = [
            Record(number, json.dumps({
                "id": f"{partition}-{number}", "source": rng.choice(("a:a", "a:a", "b:b", "c:c")), "author": f"p{partition}-{number}",
                "text": f"no power in {rng.choice(('Houston', 'Houston', 'Austin', 'Boston'))}", "created_at": at,
            }).encode(), at + 5.0)
            for number, at in enumerate(ordered)
        ]  # fmt: skip
        taken = pipeline.intakes[partition].process([*records, Tick(len(records), START + DAYS * 86400 + 600)])
        found.append(taken.parts)
    return found


def interleaved(queues: Sequence[list[Part]], rng: random.Random) -> list[Part]:
    """The parts in one order of many: now one partition runs ahead, now another."""
    waiting = [list(queue) for queue in queues]
    order: list[Part] = []
    while any(waiting):
        queue = rng.choice([one for one in waiting if one])
        count = rng.choice((1, 1, 2, 40, 400))
        order += queue[:count]
        del queue[:count]
    return order


def detected(order: Sequence[Part], *, restart: int | None = None) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Cells, incidents and revisions, as bytes."""
    pipeline = Pipeline(PipelineConfig(pack="power", partitions=PARTITIONS))
    cells, incidents, late = [], [], []
    for number, part in enumerate(order):
        if number == restart:
            state = snapshot_detect(pipeline.detect)
            pipeline = Pipeline(PipelineConfig(pack="power", partitions=PARTITIONS))
            restore_detect(pipeline.detect, state)
        closed, revisions, corrected = pipeline.detect.process(part)
        for one in closed:
            cells.append(
                repr([column.tobytes() if hasattr(column, "tobytes") else column for column in one.cells]).encode()
            )
            incidents += [msgspec.json.encode(incident) for incident in one.incidents]
        incidents += [msgspec.json.encode(incident) for incident in corrected]
        late += [
            repr([column.tobytes() if hasattr(column, "tobytes") else column for column in one]).encode()
            for one in revisions
        ]
    return cells, incidents, late


def test_the_order_of_partitions_changes_nothing() -> None:
    seed = 1
    queues = parts(seed)
    rng = random.Random(seed)
    wanted = detected([part for queue in queues for part in queue])
    assert all(wanted)
    for _ in range(2):
        assert detected(interleaved(queues, rng)) == wanted
    order = interleaved(queues, rng)
    assert detected(order, restart=rng.randrange(len(order))) == wanted
