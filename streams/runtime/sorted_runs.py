"""External sort: records are sorted in memory as far as it reaches, spilled to temporary files as sorted runs, and merged."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

Dated: TypeAlias = tuple[float, bytes, int, int]  # event time, record, number of its file, line; sorts as it stands
RUN_BYTES = 64 * 1024 * 1024
OVERHEAD_BYTES = 200  # of a record in memory, beside its own bytes
MAX_RUNS = 64  # merged at once: files held open
BATCH = 1_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Dated]).decode


class SortedRuns:
    """Takes records in any order, gives them sorted, in memory bounded by about two runs. `folder` is for this alone."""

    def __init__(self, folder: Path, run_bytes: int = RUN_BYTES) -> None:
        self.folder = folder
        self.run_bytes = run_bytes
        self._held: list[Dated] = []
        self._held_bytes = 0
        self._runs: list[Path] = []
        self._written = 0

    def add(self, records: list[Dated]) -> None:
        """Take more records."""
        self._held += records
        self._held_bytes += sum(len(record[1]) for record in records) + OVERHEAD_BYTES * len(records)
        if self._held_bytes >= self.run_bytes:
            self._held.sort()
            self._spill(self._held)
            self._held, self._held_bytes = [], 0
            if len(self._runs) >= MAX_RUNS:
                runs, self._runs = self._runs, []
                self._spill(heapq.merge(*map(_read, runs)))
                for run in runs:
                    run.unlink()

    def merged(self) -> Iterator[list[Dated]]:
        """All records in order, in batches. Ends the taking."""
        self._held.sort()
        everything = heapq.merge(*map(_read, self._runs), self._held) if self._runs else iter(self._held)
        while batch := list(islice(everything, BATCH)):
            yield batch
        for run in self._runs:
            run.unlink()

    def _spill(self, records: Iterable[Dated]) -> None:
        path = self.folder / f"run-{self._written}"
        self._written += 1
        rest = iter(records)
        with path.open("wb") as file:
            while batch := list(islice(rest, BATCH)):
                data = _encode(batch)
                file.write(len(data).to_bytes(8, "little") + data)
        self._runs.append(path)


def _read(path: Path) -> Iterator[Dated]:
    with path.open("rb") as file:
        while batch := _batch(file):
            yield from batch


def _batch(file: BinaryIO) -> list[Dated]:
    length = file.read(8)
    return _decode(file.read(int.from_bytes(length, "little"))) if length else []
