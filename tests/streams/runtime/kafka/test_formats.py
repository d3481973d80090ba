"""Snapshots that earlier programs wrote are read and counted on from, or refused with a line that says what they are.

Run this file to write those of today's format: `python tests/streams/runtime/kafka/test_formats.py`. Old ones are never written again.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from streams.pipeline import REPLAY_SECRET, PipelineConfig
from streams.runtime.kafka.detect_agent import DetectEngine
from streams.runtime.kafka.intake_agent import IntakeEngine
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.snapshots import FORMAT, Snapshot, choose, chunks
from streams.runtime.kafka.wire import HISTORY_HEADERS, Keyed

FOLDER = Path(__file__).parent / "formats"
WRITTEN = sorted(FOLDER.glob("format-*.msgpack"))
CITIES = ("Houston", "Dallas", "Boston")


class Entry(NamedTuple):
    offset: int
    value: bytes
    headers: Any = ()
    timestamp: float = 0.0
    key: bytes = b""


def complaints() -> list[Entry]:
    rng = random.Random(1)
    return [
        Entry(n, json.dumps({"id": f"n{n}", "source": "twitter:test", "author": f"p{n % 150}", "created_at": 1_704_585_600.0 + n * 97,
                             "text": f"no power in {rng.choice(CITIES)}"}).encode(), HISTORY_HEADERS)
        for n in range(400)
    ]  # fmt: skip


class Stages:
    """INTAKE of a partition, and DETECT behind it."""

    def __init__(self) -> None:
        self.kit = Kit(PipelineConfig(pack=str(FOLDER / "pack.toml")), REPLAY_SECRET)
        self.intake, self.detect = IntakeEngine(self.kit, 0, "t.complaints"), DetectEngine(self.kit)
        self.detect.detect.partitions.widen(1, float("-inf"))
        self.parts = 0

    def take(self, records: list[Entry]) -> list[Keyed]:
        sent = self.intake.take(records)
        parts = [Entry(self.parts + at, one.value) for at, one in enumerate(sent) if one.topic.name == "parts"]
        self.parts += len(parts)
        return sent + self.detect.take(parts)


def written(stages: Stages) -> list[tuple[bytes, bytes]]:
    """The records of today's snapshots after half of the complaints."""
    stages.take(complaints()[:200])
    found = []
    for name, engine, offset in (("intake", stages.intake, 200), ("detect", stages.detect, stages.parts)):
        made = Snapshot(name, 0, offset, 1, stages.kit.digest, engine.state())
        found += [(piece.key, piece.value) for piece in chunks(made, 0, 1)]
    return found


def test_todays_format_is_among_them() -> None:
    assert f"format-{FORMAT}.msgpack" in {path.name for path in WRITTEN}, "run this file"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_it_is_counted_on_from_or_refused_by_name(path: Path) -> None:
    number = int(path.stem.removeprefix("format-"))
    pieces = msgspec.msgpack.decode(path.read_bytes(), type=list[tuple[bytes, bytes]])
    records = [Entry(at, value, key=key) for at, (key, value) in enumerate(pieces)]
    found = {stage: choose(records, stage, 0) for stage in ("intake", "detect")}
    if number != FORMAT:
        for loaded in found.values():
            assert loaded.snapshot is None
            assert f"format {number}, this program knows {FORMAT}" in loaded.spoilt[0]
        return
    stages, fresh = Stages(), Stages()
    for stage, engine in (("intake", stages.intake), ("detect", stages.detect)):
        snapshot = found[stage].snapshot
        assert snapshot is not None
        engine.restore(snapshot.state)
        if stage == "detect":
            stages.parts = snapshot.next_offset
    fresh.take(complaints()[:200])
    wanted, counted = fresh.take(complaints()[200:]), stages.take(complaints()[200:])
    assert [(one.topic.name, one.key) for one in counted] == [(one.topic.name, one.key) for one in wanted]
    if found["intake"].snapshot is not None and found["intake"].snapshot.config == fresh.kit.digest:
        assert counted == wanted


if __name__ == "__main__":
    (FOLDER / f"format-{FORMAT}.msgpack").write_bytes(msgspec.msgpack.encode(written(Stages())))
