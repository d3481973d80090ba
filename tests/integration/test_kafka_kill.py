"""kill -9 of workers in mid-stream, on a real broker: incidents and counts are those of an undisturbed run, and of a recount."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from deployment import Deployment, busy, cells_of, everywhere, recount, undisturbed
from faults import SOAK
from service import SUNDAY

from benchmarks.broker import Broker
from streams.runtime.kafka import topics
from tests.fresh_seed import FRESH_SEED

KILLS = 20 if SOAK else 4
RECORDS = 30_000
SECONDS_A_KILL = 3.0


@pytest.mark.timeout(1800 if SOAK else 300)
@pytest.mark.parametrize("seed", [FRESH_SEED])
def test_workers_killed_in_mid_stream_change_nothing(broker: Broker, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    deployment = Deployment(tmp_path, broker.address, prefix=f"kill{seed}", poll_records=200)
    records = busy(seed, RECORDS)
    try:
        deployment.create()
        for _ in range(2):
            deployment.start()
        until_owned(deployment)
        waiting = []
        for kill in range(KILLS + 1):
            share = records[len(records) * kill // (KILLS + 1) : len(records) * (kill + 1) // (KILLS + 1)]
            feeding = threading.Thread(target=deployment.append, args=(share, len(share) / SECONDS_A_KILL))
            feeding.start()
            if kill < KILLS:
                time.sleep(rng.uniform(0.5, SECONDS_A_KILL))
                deployment.kill(rng.choice(deployment.workers))
                waiting.append(sum(deployment.lag().values()))
                deployment.start()
            feeding.join()
        deployment.tick(SUNDAY + 2 * 86400 + 60)
        deployment.settle(120)
        found, again = deployment.results()
        complaints = deployment.records(topics.COMPLAINTS)
    finally:
        deployment.end()
    incidents, cells = undisturbed(complaints, deployment.partitions)
    wrong = sum(incidents.get(key) != value for key, value in found["incidents"].items())
    wrong += sum(key not in found["incidents"] for key in incidents)
    told = cells_of(found["cells"])
    wrong += sum(told.get(key) != voices for key, voices in cells.items()) + sum(key not in cells for key in told)
    print(
        f"kills {KILLS}, waiting at each {waiting}, redelivered outputs {again}, incidents {len(incidents)}, cells {len(cells)}, wrong {wrong}"
    )
    assert len(complaints) == RECORDS + deployment.partitions
    assert incidents
    assert wrong == 0
    assert everywhere(told) == dict(recount(records))
    assert min(waiting) > 0, "a kill fell into a pause: it proved nothing"
    assert again > 0, "nothing was sent twice: no kill fell between a snapshot and the next"


def until_owned(deployment: Deployment, seconds: float = 40) -> None:
    """Until every complaint partition has an owner."""
    until = time.monotonic() + seconds
    while '"partitions owned"' not in deployment.log():
        if time.monotonic() > until:
            raise TimeoutError(deployment.log())
        time.sleep(0.05)
