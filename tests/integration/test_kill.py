"""kill -9 at any moment changes nothing: what was accepted is counted once, incidents are those of an undisturbed run."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from service import Running, lines, made

from tests.fresh_seed import FRESH_SEED

KILLS = 10
BATCH = 10
Make = Callable[..., Running]
COMPARED = {
    "incidents": "select id, revision, body from incident_revisions order by id, revision",
    "cells": "select start, p.place, k.keyword, voices, messages, expected, upper, p_value from cells"
    " join place_names p on p.number = cells.place join keyword_names k on k.number = cells.keyword order by 1, 2, 3",
    "sources": "select source, records, complaints, voices, placed, copies, old, late from sources",
}


def results(service: Running) -> dict[str, list[tuple[Any, ...]]]:
    return {name: service.rows(query) for name, query in COMPARED.items()}


def undisturbed(service: Running, bodies: list[bytes]) -> dict[str, list[tuple[Any, ...]]]:
    service.start()
    service.wait()
    for body in bodies:
        assert service.post(body).status_code == 202
    service.settle()
    assert service.stop() < 5
    return results(service)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [FRESH_SEED])
def test_ten_kills_under_load_give_the_incidents_of_an_undisturbed_run(service: Make, seed: int) -> None:
    records = made(1)
    bodies = [lines(records[first : first + BATCH]) for first in range(0, len(records), BATCH)]
    wanted = undisturbed(service("calm"), bodies)
    assert wanted["incidents"]
    assert wanted["sources"][0][1] == len(records)

    rng = random.Random(seed)
    killed = service("killed", snapshot_seconds=0.3)
    sent = torn = 0
    for kill in range(KILLS):
        killed.start()
        killed.wait()
        timer = threading.Timer(rng.uniform(0.02, 0.4), killed.kill)
        timer.start()
        until = len(bodies) * (kill + 1) // (KILLS + 1)  # so that there is load for all kills
        while sent < until and timer.is_alive():
            try:
                sent += killed.post(bodies[sent]).status_code == 202
            except httpx.TransportError:
                torn += 1
                break
        timer.join()
    killed.start()
    killed.wait()
    for body in bodies[sent:]:
        assert killed.post(body).status_code == 202
    killed.settle()
    killed.stop()
    found = results(killed)
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in wanted.items()}
    assert found == wanted
    assert torn, "no kill fell into a request: the test proved nothing"
