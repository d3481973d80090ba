"""Quix Streams: a tumbling window reduced per place (the message key), final results to a topic, state in RocksDB with its changelog."""

from __future__ import annotations

from typing import Any

import orjson
from quixstreams import Application
from work import LATENESS, WINDOW, Meter, job, scanner

work = job()
app = Application(
    broker_address=work.address,
    consumer_group=work.group,
    auto_offset_reset="earliest",
    state_dir=f"{work.folder}/state",
    loglevel="ERROR",
    consumer_extra_config={"session.timeout.ms": 10_000},
)
meter, scan = Meter(work), scanner(work.phrases)


def event_time(value: bytes, headers: Any, timestamp: float, kind: Any) -> int:
    """Milliseconds."""
    return int(orjson.loads(value)["created_at"] * 1000)


def phrases(value: bytes) -> dict[str, Any]:
    meter.add()
    record = orjson.loads(value)
    return {"place": record["location"], "found": [phrase for _, phrase in scan(" " + record["text"].lower() + " ")]}


def add(total: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    counts = total["counts"]
    for phrase in value["found"]:
        counts[str(phrase)] = counts.get(str(phrase), 0) + 1
    return total


def rows(value: dict[str, Any]) -> list[list[Any]]:
    total = value["value"]
    return [[total["place"], int(phrase), value["start"] // 1000, count] for phrase, count in total["counts"].items()]


topic = app.topic(work.topic, value_deserializer="bytes", key_deserializer="str", timestamp_extractor=event_time)
out = app.topic(work.out, value_serializer="json")
counted = (
    app.dataframe(topic)
    .apply(phrases)
    .tumbling_window(WINDOW * 1000, grace_ms=LATENESS * 1000)
    .reduce(reducer=add, initializer=lambda value: add({"place": value["place"], "counts": {}}, value))
    .final(closing_strategy=work.options["closing"])
)
counted.apply(rows).to_topic(out)
app.run()
