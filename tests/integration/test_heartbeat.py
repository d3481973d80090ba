"""The heartbeat of a deployment on Kafka stops when its broker, its worker or its Alertmanager is frozen or killed; and never while idle."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from beating import EVERY, Receiver, heartbeat, own_pack
from deployment import Deployment, busy
from faults import SOAK
from service import Running

from benchmarks.broker import Broker
from tests.alertmanager import Alertmanager

WITHIN = 120.0  # the target; the receiver raises the alarm three beats after the last one
IDLE_SECONDS, IDLE_EVERY = (1800.0, 10.0) if SOAK else (20.0, EVERY)  # in full: with the beat that is shipped


def silent_after(receiver: Receiver, since: float) -> float:
    """Seconds until three beats in a row were missing."""
    while True:
        last = max([since, *(at for at, path, _ in receiver.posts if path == "/beat")])
        if time.monotonic() - last > 3 * EVERY + 0.5:
            return time.monotonic() - since
        assert time.monotonic() - since < WITHIN, "no alarm"
        time.sleep(0.1)


def beats_again(receiver: Receiver, seconds: float = 60.0, log: Callable[[], str] = str) -> float:
    since = time.monotonic()
    while not receiver.beats(since):
        assert time.monotonic() - since < seconds, log()
        time.sleep(0.1)
    return time.monotonic() - since


@pytest.mark.kafka
@pytest.mark.skipif(not SOAK, reason="takes minutes: make soak")
def test_a_frozen_or_killed_broker_or_worker_is_noticed(own_broker: Broker, tmp_path: Path, receiver: Receiver) -> None:
    folder = tmp_path / "beating"
    service = {"idle_tick_seconds": 1, "lateness_seconds": 1}
    folder.mkdir()
    deployment = Deployment(folder, own_broker.address, prefix="beat", service=service)  # windows of five minutes
    deployment.config.write_text(deployment.config.read_text() + heartbeat(folder, receiver))
    deployment.create()
    deployment.append(busy(3, 300))
    worker = deployment.start()
    told = {"first beat": beats_again(receiver, 90.0)}
    own_broker.process.send_signal(signal.SIGSTOP)
    told["broker frozen, alarm after"] = silent_after(receiver, time.monotonic())
    own_broker.process.send_signal(signal.SIGCONT)
    if worker.poll() is not None:  # it ended itself, as it says it does; its supervisor starts another
        deployment.workers.remove(worker)
        worker = deployment.start()
    told["beats again after"] = beats_again(receiver, 120.0, deployment.log)
    worker.send_signal(signal.SIGSTOP)
    told["worker frozen, alarm after"] = silent_after(receiver, time.monotonic())
    worker.send_signal(signal.SIGCONT)
    beats_again(receiver)
    deployment.kill(worker)
    told["worker killed, alarm after"] = silent_after(receiver, time.monotonic())
    deployment.start()
    beats_again(receiver, 90.0)
    own_broker.kill()
    told["broker killed, alarm after"] = silent_after(receiver, time.monotonic())
    deployment.end()
    print({what: round(seconds, 1) for what, seconds in told.items()})


@pytest.mark.alertmanager
@pytest.mark.usefixtures("alertmanager_programs")
@pytest.mark.skipif(not SOAK, reason="takes minutes: make soak")
def test_a_frozen_or_killed_alertmanager_is_noticed_while_nothing_is_open(tmp_path: Path, receiver: Receiver) -> None:
    only = Alertmanager("http://127.0.0.1:9/nobody").start()
    running = Running(tmp_path / "service", idle_tick_seconds=1, lateness_seconds=1)
    pack = own_pack(running.folder)
    config = running.config.read_text().replace('pack = "power"', f'pack = "{pack}"') + heartbeat(
        running.folder, receiver
    )
    channel = f'[channels.am]\nkind = "alertmanager"\nurls = ["{only.url}"]\nallow_hosts = ["127.0.0.1"]\n'
    running.config.write_text(config + channel)
    try:
        running.start()
        running.wait()
        beats_again(receiver)
        told = {}
        only.send_signal(signal.SIGSTOP)
        told["Alertmanager frozen, alarm after"] = silent_after(receiver, time.monotonic())
        only.send_signal(signal.SIGCONT)
        told["beats again after"] = beats_again(receiver)
        only.kill()
        told["Alertmanager killed, alarm after"] = silent_after(receiver, time.monotonic())
    finally:
        running.end()
        only.end()
    print({what: round(seconds, 1) for what, seconds in told.items()})


def test_an_idle_service_never_misses_three_beats(tmp_path: Path, receiver: Receiver) -> None:
    running = Running(tmp_path / "service", idle_tick_seconds=1, lateness_seconds=1)
    pack = own_pack(running.folder)
    config = running.config.read_text().replace('pack = "power"', f'pack = "{pack}"')
    running.config.write_text(config + heartbeat(running.folder, receiver, IDLE_EVERY))
    running.start()
    running.wait()
    beats_again(receiver)
    begun = time.monotonic()
    time.sleep(IDLE_SECONDS)
    times = [begun, *(at for at, path, _ in receiver.posts if path == "/beat" and at > begun), time.monotonic()]
    longest = max(after - before for before, after in pairwise(times))
    assert running.process is not None
    os.kill(running.process.pid, signal.SIGTERM)
    running.process.wait(20)
    print(
        f"{len(times) - 2} beats in {IDLE_SECONDS:.0f} s, longest pause {longest:.2f} s, false alarms {longest >= 3 * IDLE_EVERY:d}"
    )
    assert longest < 3 * IDLE_EVERY
