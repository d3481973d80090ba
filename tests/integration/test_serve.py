"""`overheard serve`: page and API over what workers on Kafka write; what people do there takes effect at the workers."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from deployment import Deployment, busy

from benchmarks.broker import Broker

pytestmark = pytest.mark.kafka
SECONDS = 40.0


def until(question: Any, what: str) -> Any:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := question():
            return found
        time.sleep(0.2)
    raise AssertionError(what)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_page_shows_what_workers_count_and_an_act_there_reaches_them(broker: Broker, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    deployment = Deployment(tmp_path / "serve", broker.address, prefix="serve", service={"port": port})
    deployment.create()
    deployment.append(busy(11, 3000))
    deployment.start()
    deployment.settle()
    command = [sys.executable, "-m", "overheard", "serve", "--config", str(deployment.config)]
    with (tmp_path / "log").open("wb") as log:
        serving = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)
        until(lambda: listens(port), "nothing listens")
        told = until(lambda: http.get("/api/incidents").json(), "no incidents")
        incidents = told["incidents"] if isinstance(told, dict) else told
        assert incidents, told
        assert http.get("/").status_code == 200
        assert http.get("/-/healthy").json() == {"red": None}
        doctor = [sys.executable, "-m", "overheard", "doctor", "--config", str(deployment.config)]
        well = subprocess.run(doctor, capture_output=True, text=True, timeout=60)
        assert well.returncode == 0, well.stdout
        assert f"page port: overheard answers on 127.0.0.1:{port}" in well.stdout
        assert http.get("/api/status").json()["last_close"]
        one = incidents[0]["id"]
        acted = http.post(f"/api/incidents/{one}/ack", json={"author": "kim", "reason": "on it"})
        assert acted.status_code == 202, acted.text
        deployment.tick(time.time())

        def acked() -> bool:
            found = http.get(f"/api/incidents/{one}").json()
            return "kim" in str(found)

        until(acked, "the act did not come back from the workers")
    finally:
        serving.send_signal(signal.SIGTERM)
        code = serving.wait(20)
        deployment.end()
    assert code == 0, (tmp_path / "log").read_text()


def test_without_workers_on_kafka_there_is_nothing_to_serve(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('pack = "power"\n')
    command = [sys.executable, "-m", "overheard", "serve", "--config", str(tmp_path / "c.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "[kafka] is missing" in done.stderr
