"""What each partition has handed over and DETECT has not closed, given out in an order that does not depend on how partitions interleave.

Every part's watermark is a step. Steps are taken in ascending order once all partitions have passed them, and each sees of every
partition what it had handed over when it passed that step: no more where it runs ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import msgspec
import numpy as np

from alerting.model import Evidence
from streams.part import Part, Rows, SourceCount, Words
from streams.rollup import MergedEvidence, together
from streams.words import in_all

NEVER = float("-inf")


class Pending(msgspec.Struct):
    """One partition's; lists are in the order of its parts, each entry with the watermark of its part."""

    watermark: float = NEVER
    next_seq: int = 0
    windows: dict[int, Rows] = {}
    evidence: dict[int, Mapping[tuple[int, int], Evidence]] = {}
    late: list[tuple[float, Rows]] = []
    sources: list[tuple[float, dict[str, SourceCount]]] = []
    steps: list[float] = []
    words: dict[int, Words] = {}
    heard: float = NEVER  # the watermark up to which sources were handed out


class GapInPartsError(RuntimeError):
    """A partition's part is missing: the log is damaged or was cut."""


class Partitions:
    """The current set. Until it is declared, parts are taken and no step is."""

    def __init__(self, partitions: tuple[int, ...]) -> None:
        """An empty `partitions`: the set is declared later, by `widen`."""
        self.pending = {partition: Pending() for partition in partitions}
        self.declared = bool(partitions)

    def widen(self, count: int, closed_until: float) -> None:
        """The set is at least 0 .. count - 1; what new ones have for windows closed before is late."""
        for partition in range(count):
            if partition not in self.pending:
                self.pending[partition] = Pending(watermark=closed_until)
        self.declared = True

    def came(self, part: Part) -> bool:
        """Whether it was taken before."""
        pending = self.pending.get(part.partition)
        return pending is not None and part.seq < pending.next_seq

    def take(self, part: Part, closed_until: float) -> bool:
        """Keep a part; False when it came before. A partition not heard of joins the set. Raises GapInPartsError."""
        if part.partition not in self.pending:
            self.pending[part.partition] = Pending()
            if self.declared:
                self.widen(part.partition + 1, closed_until)
                self.pending[part.partition].watermark = closed_until
        pending = self.pending[part.partition]
        if part.seq < pending.next_seq:
            return False
        if part.seq > pending.next_seq:
            raise GapInPartsError(f"partition {part.partition}: part {part.seq} came, {pending.next_seq} was next")
        pending.next_seq += 1
        pending.watermark = max(pending.watermark, part.watermark)
        pending.steps.append(part.watermark)
        pending.sources.append((part.watermark, part.sources))
        for start in np.unique(part.rows.window).tolist():
            if start < closed_until:
                pending.late.append((part.watermark, part.rows.at(start)))
            else:
                pending.windows[start] = part.rows.at(start)
        pending.evidence.update({start: found for start, found in part.evidence.items() if start >= closed_until})
        pending.words.update({start: found for start, found in part.words.items() if start >= closed_until})
        if len(part.late.window):
            pending.late.append((part.watermark, part.late))
        return True

    def due(self) -> Iterator[float]:
        """The steps that every partition has passed, each once, ascending."""
        if not self.declared:
            return
        passed = min(pending.watermark for pending in self.pending.values())
        found: set[float] = set()
        for pending in self.pending.values():
            found.update(step for step in pending.steps if step <= passed)
            pending.steps = [step for step in pending.steps if step > passed]
        yield from sorted(found)

    def first_window(self) -> int | None:
        """The start of the earliest window with rows or words."""
        waiting = [chain(pending.windows, pending.words) for pending in self.pending.values()]
        return min(chain.from_iterable(waiting), default=None)

    def merge(self, start: int) -> tuple[Rows, Mapping[tuple[int, int], Evidence]]:
        """Hand out the rows and evidence of one window."""
        blocks: list[Rows] = []
        evidence: list[Mapping[tuple[int, int], Evidence]] = []
        for _, pending in sorted(self.pending.items()):
            block = pending.windows.pop(start, None)
            if block is not None:
                blocks.append(block)
            if (found := pending.evidence.pop(start, None)) is not None:
                evidence.append(found)
        return together(blocks), evidence[0] if len(evidence) == 1 else MergedEvidence(evidence)

    def words(self, start: int) -> Words:
        """Hand out the terms of one window."""
        return in_all(pending.words.pop(start, Words()) for _, pending in sorted(self.pending.items()))

    def sources(self, step: float) -> dict[str, SourceCount]:
        """Hand out what sources brought up to the part with which each partition passed `step`, all partitions together."""
        found: dict[str, SourceCount] = {}
        for _, pending in sorted(self.pending.items()):
            while pending.sources and pending.heard < step:
                pending.heard, counts = pending.sources.pop(0)
                for name, count in counts.items():
                    found.setdefault(name, SourceCount(name)).add(count)
        return found

    def late(self, step: float) -> list[Rows]:
        """Hand out the late rows that came up to `step`."""
        found: list[Rows] = []
        for _, pending in sorted(self.pending.items()):
            found += [rows for watermark, rows in pending.late if watermark <= step]
            pending.late = [(watermark, rows) for watermark, rows in pending.late if watermark > step]
        return found
