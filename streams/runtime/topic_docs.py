"""Writes the page about the topics: what stands on each, its JSON Schema and an example. `python -m streams.runtime.topic_docs FILE`.

Examples are made by the stages themselves from a simulated storm; lists are cut to two entries, figures to three digits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from alerting.model import Control
from streams.pipeline import REPLAY_SECRET, PipelineConfig
from streams.runtime.kafka import wire
from streams.runtime.kafka.detect_agent import DetectEngine
from streams.runtime.kafka.intake_agent import IntakeEngine
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.topics import COMPLAINTS, DAY_SECONDS, TOPICS, Topic
from streams.runtime.kafka.wire import HISTORY_HEADERS, RECORDS, Headers, Keyed
from streams.runtime.routing import key_of
from streams.runtime.simulate import simulator
from streams.scenarios import SCENARIOS

PREFIX = "overheard"
SHOWN = 2  # entries of a list in an example
HEAD = """# Topics

*Made by `make docs`; do not edit.* A deployment's topics begin with its `kafka.prefix`, `overheard` if it sets none. Values are JSON in UTF-8
(those of `snapshots` are not), one record type a topic or told apart as said here. Times are Unix seconds or ISO 8601 in UTC. The same thing
always has the same key and the same bytes: a reader that keeps the last value of each key has everything once. Fields may be added; readers
ignore those they do not know.
"""


class Entry(NamedTuple):
    """A record as a stage is given it."""

    offset: int
    value: bytes
    headers: Headers
    timestamp: float  # milliseconds


class Example(NamedTuple):
    """A record as it stands on its topic."""

    key: str
    value: Any


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a record type."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}


def examples() -> dict[str, Example]:
    """One of each record type, by its name."""
    found: dict[str, Example] = {}
    for one in _made():
        for kind in RECORDS[one.topic]:
            if kind.__name__ not in found and _fits(one.value, kind):
                found[kind.__name__] = Example(one.key.decode().replace("\0", " NUL "), _cut(json.loads(one.value)))
    return found


def page() -> str:
    """The whole page."""
    shown = examples()
    return HEAD + "".join(f"\n{part}" for topic in TOPICS for part in _about(topic, shown))


def _about(topic: Topic, shown: dict[str, Example]) -> Iterator[str]:
    partitions = "as many as wanted when it is made; more may be added" if topic.sized else "1"
    kept = "for ever" if topic.retention_seconds is None else f"{topic.retention_seconds // DAY_SECONDS} days"
    compacted = ", the last value of each key" if topic.compacted else ""
    yield f"## {topic.full(PREFIX)}\n"
    yield f"{topic.holds[0].upper()}{topic.holds[1:]}.\n"
    yield f"| key | {topic.key} |\n| --- | --- |\n| partitions | {partitions} |\n| kept | {kept}{compacted} |\n"
    for kind in RECORDS.get(topic, ()):
        yield f"### {kind.__name__}\n"
        yield f"{(kind.__doc__ or '').strip()}\n"
        if example := shown.get(kind.__name__):
            key = f"Key `{example.key}`" if example.key else "No key"
            yield f"{key}, value:\n\n```json\n{json.dumps(example.value, ensure_ascii=False, indent=1)}\n```\n"
        written = json.dumps(schema(kind), indent=1)
        yield f"<details><summary>JSON Schema</summary>\n\n```json\n{written}\n```\n\n</details>\n"


def _made() -> Iterator[Keyed]:
    """What a storm leaves on the topics: the richest records first where there are many."""
    kit = Kit(PipelineConfig(pack="power"), REPLAY_SECRET)
    intake, detect = IntakeEngine(kit, 0, COMPLAINTS.full(PREFIX)), DetectEngine(kit)
    complaints = _complaints()
    yield Keyed(COMPLAINTS, key_of(complaints[0].value) or b"", complaints[0].value)
    end = wire.tick(complaints[-1].timestamp / 1000 + 7200, 0, final=True)
    yield end
    yield wire.pack(1, 'name = "power"\nwindow_seconds = 300\n…', 0)
    late = Entry(
        len(complaints), complaints[len(complaints) // 2].value.replace(b'"id":"', b'"id":"late-'), HISTORY_HEADERS, 0
    )
    entries = [
        *complaints,
        late,
        Entry(late.offset + 1, b"not JSON", (), 0),
        Entry(late.offset + 2, end.value, end.headers, 0),
    ]
    given = intake.take(entries)
    controls = [
        wire.control(Control(id="partitions:1", kind="partitions", at=0.0, author="overheard", value="1")),
        wire.control(
            Control(id="c1", kind="note", at=complaints[-1].timestamp / 1000, author="desk", value="crews are out")
        ),
    ]
    parts = [one for one in given if one.topic.name == "parts"]
    told = detect.take([Entry(at, one.value, (), 0) for at, one in enumerate([*controls, *parts])])
    records = [*given, *controls[1:], *told]
    yield from sorted(records, key=lambda one: -min(len(one.value), 6_000))


def _complaints() -> Sequence[Entry]:
    scenario = msgspec.structs.replace(SCENARIOS["power-storm"], learn_days=2.0, days=1.0)
    lines = [(arrival, line) for arrival, line in simulator(scenario, 7).records()]
    return [Entry(at, line, HISTORY_HEADERS, arrival * 1000) for at, (arrival, line) in enumerate(lines)]


def _fits(value: bytes, kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.json.decode(value, type=kind)
    except msgspec.ValidationError:
        return False
    return True


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        numbered = all(key.isdecimal() for key in value)  # a map by number, not a record
        return {key: _cut(one) for key, one in list(value.items())[: SHOWN if numbered else None]}
    if isinstance(value, float):
        return round(value, 3) if abs(value) >= 1 else float(f"{value:.3g}")
    return [_cut(one) for one in value[:SHOWN]] if isinstance(value, list) else value


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
