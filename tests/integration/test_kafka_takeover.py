"""When the worker that detects is gone for good, a standby detects within 15 s; an orderly end takes no longer and leaves nothing to do again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx
import pytest
from deployment import Deployment, busy
from service import SUNDAY

from benchmarks.broker import Broker
from streams.runtime.kafka import topics

MOST_SECONDS = 15.0


def owner(deployment: Deployment, partition: str) -> int | None:
    """Which of the workers, by number of their start, owns a partition."""
    for number, worker in enumerate(deployment.workers, 1):
        if worker.poll() is None:
            try:
                owned = deployment.figures(number).get("/readyz").json()["owned"]
            except httpx.TransportError:
                continue
            if partition in owned:
                return number
    return None


def wait_for(deployment: Deployment, partition: str, other_than: int | None = None, seconds: float = 60.0) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = owner(deployment, partition)
        if found is not None and found != other_than:
            return found
        time.sleep(0.1)
    raise TimeoutError(deployment.log())


@pytest.mark.timeout(180)
def test_a_standby_takes_over_detection(broker: Broker, tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, broker.address, prefix="takeover", session_timeout_seconds=8)
    records = busy(5, 6_000)
    parts = deployment.name(topics.PARTS) + ":0"
    try:
        deployment.create()
        for _ in range(2):
            deployment.start()
        deployment.append(records[:3000])
        until = time.monotonic() + 60
        while (
            deployment.lag().get("complaints")
            or len({owner(deployment, f"{deployment.name(topics.COMPLAINTS)}:{n}") for n in (0, 1)}) < 2
        ):
            assert time.monotonic() < until, deployment.log()
        was = wait_for(deployment, parts)
        began = time.monotonic()
        gone = deployment.workers[was - 1]
        gone.kill()
        gone.wait()
        deployment.append(records[3000:])
        wait_for(deployment, parts, other_than=was)
        took = time.monotonic() - began
        deployment.tick(SUNDAY + 2 * 86400 + 60)
        deployment.settle()
        left = next(worker for worker in deployment.workers if worker.poll() is None)
        began = time.monotonic()
        assert deployment.kill(left, signal.SIGTERM) == 0, deployment.log()
        ended = time.monotonic() - began
    finally:
        deployment.end()
    print(f"detection taken over after {took:.1f} s; an orderly end took {ended:.1f} s")
    assert took <= MOST_SECONDS
    assert ended <= MOST_SECONDS
