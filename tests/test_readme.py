"""The README's commands, word for word but for the port."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.alerting.notify.cases.slack import Slack

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
ENV = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def block(kind: str, word: str) -> str:
    return next(text for name, text in BLOCKS if name == kind and word in text)


def shell(commands: str, folder: Path) -> str:
    done = subprocess.run(["sh", "-ec", commands], cwd=folder, env=ENV, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_simulated_storm_is_replayed_reported_and_compared(tmp_path: Path) -> None:
    told = shell(block("sh", "overheard simulate"), tmp_path)
    assert "reachable disruptions found" in told
    for name in ("incidents.jsonl", "cells.csv.gz", "evaluation.json", "report.html"):
        assert (tmp_path / "out/storm" / name).stat().st_size > 0


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_service_runs_takes_a_complaint_and_lists_incidents(tmp_path: Path, port: int) -> None:
    config = block("toml", "[service]").replace("port = 8080", f"port = {port}")
    (tmp_path / "overheard.toml").write_text(config, encoding="utf-8")
    check, run = block("sh", "check-config").strip().splitlines()
    assert "good" in shell(check, tmp_path)
    service = subprocess.Popen(["sh", "-c", f"exec {run}"], cwd=tmp_path, env=ENV, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/-/healthy").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        told = shell(block("sh", "curl").replace("8080", str(port)), tmp_path)
        assert '"accepted"' in told
    finally:
        service.terminate()
        assert service.wait(20) == 0


def test_a_newcomer_connects_slack(tmp_path: Path) -> None:
    async def go() -> Slack:
        async with Slack() as slack:
            here = f'url = "{slack.url}/api"\nallow_hosts = ["127.0.0.1"]\nkind = "slack"'
            config = block("toml", "[channels.ops-slack]").replace('kind = "slack"', here)
            (tmp_path / "overheard.toml").write_text(block("toml", "[service]") + config, encoding="utf-8")
            told = await asyncio.to_thread(shell, block("sh", "overheard notify test"), tmp_path)
            assert "route 1: suspected and confirmed → ops-slack" in told
            assert "ops-slack: took a drill and its end" in told
            return slack

    message, reply = asyncio.run(go()).posted
    assert message.header.startswith("DRILL RESOLVED")
    assert reply.thread == message.ts
