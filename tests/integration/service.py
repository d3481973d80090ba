"""Runs a real `overheard run` in a process of its own, and complaints for it, made from a seed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

CITIES = ("Houston", "Dallas", "Austin", "Chicago", "Boston", "Denver", "Phoenix", "Seattle", "Atlanta", "Miami")
SAID = ("no power in {city} again", "the power is out here in {city}", "{city} without electricity since noon")
SUNDAY = 1_704_585_600  # 7 January 2024


def complaint(number: int, at: float, city: str, rng: random.Random) -> dict[str, Any]:
    text = f"{rng.choice(SAID).format(city=city)} {number}"
    return {"id": f"n{number}", "source": "twitter:test", "author": f"person{number}", "text": text, "created_at": at}


def made(seed: int, days: float = 2.0) -> list[dict[str, Any]]:
    """Chatter in ten cities, then two hundred people in one of them within half an hour, and calm again."""
    rng = random.Random(seed)
    times = [(SUNDAY + rng.random() * days * 86400, rng.choice(CITIES)) for _ in range(int(days * 500))]
    storm = SUNDAY + days * 86400 * 0.8
    times += [(storm + rng.random() * 1800, "Houston") for _ in range(200)]
    times += [(SUNDAY + days * 86400 + 7200, "Boston")]  # moves time past everything before it
    return [complaint(number, round(at, 3), city, rng) for number, (at, city) in enumerate(sorted(times))]


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


class Running:
    """One service; it may be killed and started again on the same data."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.config = folder / "overheard.toml"
        service = {
            "data": "var",
            "port": self.port,
            "idle_tick_seconds": 0,
            "records_per_second": 1_000_000,
            **settings,
        }
        said = "\n".join(f"{key} = {json.dumps(value)}" for key, value in service.items())
        self.config.write_text(f'pack = "power"\n[service]\n{said}\n')
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20, trust_env=False)

    def start(self, stdin: bytes = b"") -> None:
        """Begin, not waiting for it to listen."""
        (self.folder / "stdin").write_bytes(stdin)
        command = [sys.executable, "-m", "overheard", "run", "--config", str(self.config)]
        with (self.folder / "log").open("ab") as log, (self.folder / "stdin").open("rb") as given:
            self.process = subprocess.Popen(command, stdin=given, stdout=log, stderr=log)

    def wait(self, seconds: float = 60) -> None:
        """Until it answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            try:
                self.http.get("/-/healthy")
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise TimeoutError(self.log())

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """SIGTERM; returns how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log()
        return time.monotonic() - began

    def post(self, body: bytes, kind: str = "application/x-ndjson") -> httpx.Response:
        return self.http.post("/complaints", content=body, headers={"content-type": kind})

    def settle(self, seconds: float = 60) -> None:
        """Until all that was accepted is in the store."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.http.get("/-/healthy").json()["backlog"] == 0:
                return
            time.sleep(0.05)
        raise TimeoutError(self.log())

    def log(self) -> str:
        return (self.folder / "log").read_text()[-4000:]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        store = sqlite3.connect(self.folder / "var" / "store.sqlite")
        try:
            return store.execute(query).fetchall()
        finally:
            store.close()

    def end(self) -> None:
        """Leave nothing behind."""
        self.http.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


os.environ.setdefault("NICEGUI_STORAGE_PATH", "/tmp/overheard-nicegui")
