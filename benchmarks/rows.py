"""The rows of the throughput table, and one run of one of them in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
import venv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.broker import cache_folder

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
LOCK = ROOT / "requirements-peers.lock"
IDLE_SECONDS = 8.0
LIMIT_SECONDS = 400.0


class Row(NamedTuple):
    """One program as it is run. `fast` ones take the whole input, others the slow share of it."""

    name: str
    program: str
    options: Mapping[str, Any] = MappingProxyType({})
    fast: bool = False
    peer: bool = False  # runs in the peers' environment
    by_place: bool = True  # its input is keyed by place, else by author
    counts: str | None = (
        "rows"  # how its counts are read after a kill: rows of `out`, the table's changelog, our parts or cells
    )


class Setting(NamedTuple):
    """What all runs share."""

    address: str
    partitions: int
    phrases: list[str]
    packs: dict[bool, str]  # ours, by whether everything is on


class RowFailedError(RuntimeError):
    """A program ended early or stood still; the message has the end of its log."""


TUNED = {
    "producer_linger": 0.05,
    "stream_buffer_maxsize": 20_000,
    "broker_max_poll_records": 5_000,
    "cython_optimizations": True,
}
ROWS = (
    Row("limit", "limit", fast=True, counts=None),
    Row("ours_same_work", "ours", {"everything": False}, fast=True, by_place=False, counts="parts"),
    Row("ours_everything_on", "ours", {"everything": True}, fast=True, by_place=False, counts="cells"),
    Row("plain", "plain_loop", fast=True, peer=True),
    Row("bytewax", "bytewax_window", {"recovery": True}, peer=True),
    Row("quix", "quix_window", {"closing": "key"}, peer=True),
    Row("stock_agent", "faust_agent", TUNED),
    Row("stock_table", "faust_table", counts="changelog"),
    Row("stock_table_tuned", "faust_table", TUNED, counts="changelog"),
)


def peers_python() -> Path:
    """The interpreter of the peers' environment, made from its lock when it is not there."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = cache_folder().parent / f"peers-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing the peers into {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK], check=True)
        (folder / "complete").touch()
    return python


class Run:
    """One run of a row; it may be killed and started again on the same group and folder. Without `topic` it reads one of its own."""

    def __init__(self, row: Row, setting: Setting, folder: Path, events: int | None, topic: str | None = None) -> None:
        self.row = row
        self.folder = folder
        self.group = f"{row.name}-{uuid.uuid4().hex[:8]}"
        self.topic = topic or f"{self.group}.complaints"  # ours takes no other name
        self.out = f"out-{self.group}"
        job = {
            "address": setting.address,
            "topic": self.topic,
            "out": self.out,
            "group": self.group,
            "partitions": setting.partitions,
            "phrases": setting.phrases,
            "folder": str(folder),
            "events": events,
            "options": {**row.options, "pack": setting.packs[row.options["everything"]]}
            if row.program == "ours"
            else dict(row.options),
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin."""
        python = peers_python() if self.row.peer else Path(sys.executable)
        program = PEERS / f"{self.row.program}.py"
        paths = {"PYTHONPATH": str(ROOT)} if not self.row.peer else {}
        with (self.folder / "log").open("ab") as log:
            command = [str(python), "-W", "ignore", str(program), str(self.folder / "job.json")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **paths})

    def progress(self) -> int:
        """Complaints its process has taken since it started."""
        path = self.folder / "progress"
        told = path.read_bytes() if path.exists() else b""
        return int(told) if told.strip() else 0

    def result(self) -> dict[str, float]:
        """Wait for its end; its figures. Raises RowFailedError."""
        assert self.process is not None
        try:
            self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            raise RowFailedError(f"{self.row.name} stood still at {self.progress()}: {self.log()}") from None
        path = self.folder / "result.json"
        if not path.exists():
            raise RowFailedError(f"{self.row.name} ended with {self.process.returncode}: {self.log()}")
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def kill_at(self, events: int) -> int:
        """kill -9 once so many complaints were taken; how many it were by then."""
        assert self.process is not None
        until = time.monotonic() + LIMIT_SECONDS
        while self.progress() < events:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RowFailedError(f"{self.row.name} never came to {events}: {self.log()}")
            time.sleep(0.005)
        taken = self.progress()
        self.process.kill()
        self.process.wait()
        (self.folder / "progress").unlink()
        return taken

    def settle(self) -> int:
        """Wait until it takes nothing more, or ends by itself; how many it took."""
        assert self.process is not None
        seen, since = -1, time.monotonic()
        until = since + LIMIT_SECONDS
        while time.monotonic() < until:
            taken = self.progress()
            if taken != seen:
                seen, since = taken, time.monotonic()
            if self.process.poll() is not None or (seen > 0 and time.monotonic() - since > IDLE_SECONDS):
                return seen
            time.sleep(0.1)
        raise RowFailedError(f"{self.row.name} did not come to rest: {self.log()}")

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self) -> str:
        """The end of what it said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
