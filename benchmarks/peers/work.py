"""What every peer's program shares: its job, the work per complaint, and the meter. Needs orjson and pyahocorasick alone.

A program is started as `python PROGRAM JOB.json`; it reads `topic` from the beginning, counts, writes closed windows to `out` and ends after
`events` complaints, or, where `events` is null, when it is told to.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick
import orjson

WINDOW = 300
LATENESS = 60
PROGRESS_EVERY = 500


class Job(NamedTuple):
    """One run of one program."""

    address: str
    topic: str
    out: str
    group: str
    partitions: int
    phrases: list[str]
    folder: str  # of its own, kept between the two halves of a run that is killed
    events: int | None
    options: dict[str, Any]


def job() -> Job:
    """The one named on the command line."""
    return Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))


def scanner(phrases: list[str]) -> Callable[[str], Any]:
    """Finds (end, number) of every phrase in a text that begins and ends with a space."""
    automaton = ahocorasick.Automaton()
    for number, phrase in enumerate(phrases):
        automaton.add_word(f" {phrase} ", number)
    automaton.make_automaton()
    return automaton.iter


class Counter:
    """Counts by place, phrase and window of event time, in memory; closes windows on its own watermark."""

    def __init__(self, phrases: list[str], emit: Callable[[list[list[Any]]], None]) -> None:
        self.scan = scanner(phrases)
        self.emit = emit
        self.windows: dict[int, dict[tuple[str, int], int]] = {}
        self.newest = 0.0
        self.closed = -1

    def one(self, value: bytes) -> None:
        """Take a complaint."""
        record = orjson.loads(value)
        created = record["created_at"]
        window = int(created // WINDOW)
        if window <= self.closed:
            return
        counts = self.windows.get(window)
        if counts is None:
            counts = self.windows[window] = {}
        place = record["location"]
        for _, phrase in self.scan(" " + record["text"].lower() + " "):
            key = (place, phrase)
            counts[key] = counts.get(key, 0) + 1
        if created > self.newest:
            self.newest = created
            passed = int((created - LATENESS) // WINDOW) - 1
            if passed > self.closed:
                self.close(passed)

    def close(self, passed: int) -> None:
        """Hand over the windows up to `passed`: rows of place, phrase number, window start, count."""
        for window in sorted(one for one in self.windows if one <= passed):
            cells = self.windows.pop(window)
            self.emit([[place, phrase, window * WINDOW, count] for (place, phrase), count in cells.items()])
        self.closed = passed


class Meter:
    """CPU of this process, all threads, from its first complaint to its last."""

    def __init__(self, work: Job) -> None:
        self.limit = work.events
        self.folder = Path(work.folder)
        self.done = 0
        self._progress = os.open(self.folder / "progress", os.O_CREAT | os.O_WRONLY)
        self._began = self._cpu = 0.0

    def add(self, count: int = 1) -> None:
        """So many complaints are about to be done; ends the process after the last one."""
        if not self.done:
            self._began, self._cpu = time.perf_counter(), cpu_seconds()
        before = self.done
        self.done += count
        if self.done // PROGRESS_EVERY != before // PROGRESS_EVERY:
            os.pwrite(self._progress, b"%12d" % self.done, 0)
        if self.limit is not None and self.done >= self.limit:
            self.report()

    def report(self) -> None:
        """Write the figures and end, without waiting for anything."""
        told = {
            "events": self.done,
            "cpu_seconds": cpu_seconds() - self._cpu,
            "seconds": time.perf_counter() - self._began,
            "peak_memory_mb": peak_memory_mb(),
        }
        (self.folder / "result.json").write_text(json.dumps(told), encoding="utf-8")
        os._exit(0)


def cpu_seconds() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory_mb() -> float:
    """The most memory this process held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
