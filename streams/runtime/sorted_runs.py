"""External sort: records are sorted in memory as far as it reaches, spilled to temporary files as sorted runs, and merged."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import msgspec

Dated: TypeAlias = tuple[float, bytes, int, int]  # event time, record, number of its file, line; sorts as it stands
RUN_BYTES = 64 * 1024 * 1024
OVERHEAD_BYTES = 200  # of a record in memory, beside its own bytes
MAX_RUNS = 128  # merged at once: files held open
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
            self._spill(_cut(self._held))
            self._held, self._held_bytes = [], 0
            if len(self._runs) >= MAX_RUNS:
                runs, self._runs = self._runs, []
                self._spill(_merge(map(_read, runs)))
                for run in runs:
                    run.unlink()

    def merged(self) -> Iterator[list[Dated]]:
        """All records in order, in batches. Ends the taking."""
        self._held.sort()
        if not self._runs:
            yield from _cut(self._held)
            return
        self._spill(_cut(self._held))  # as long as the records are heard, no run stays in memory
        self._held = []
        yield from _merge(map(_read, self._runs))
        for run in self._runs:
            run.unlink()

    def _spill(self, batches: Iterable[list[Dated]]) -> None:
        path = self.folder / f"run-{self._written}"
        self._written += 1
        with path.open("wb") as file:
            for batch in batches:
                data = _encode(batch)
                file.write(len(data).to_bytes(8, "little") + data)
        self._runs.append(path)


def _merge(runs: Iterable[Iterator[list[Dated]]]) -> Iterator[list[Dated]]:
    """Sorted runs as one. Of each a batch is held; what none can still come before is sorted, which is quick with sorted pieces."""
    held = [(batch, run) for run in runs for batch in islice(run, 1)]
    while held:
        last = min(batch[-1] for batch, _ in held)
        ready: list[Dated] = []
        rest = []
        for batch, run in held:
            cut = bisect_right(batch, last)
            ready += batch[:cut]
            following = batch[cut:] or next(run, [])
            if following:
                rest.append((following, run))
        held = rest
        ready.sort()
        yield from _cut(ready)


def _cut(records: list[Dated]) -> Iterator[list[Dated]]:
    for first in range(0, len(records), BATCH):
        yield records[first : first + BATCH]


def _read(path: Path) -> Iterator[list[Dated]]:
    with path.open("rb") as file:
        while length := file.read(8):
            yield _decode(file.read(int.from_bytes(length, "little")))
