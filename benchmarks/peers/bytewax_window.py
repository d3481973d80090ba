"""Bytewax: fold_window on event time per place, closed windows to a topic, its own recovery store for what a crash would lose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as windowing
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from work import LATENESS, WINDOW, Meter, job, scanner

work = job()
meter, scan = Meter(work), scanner(work.phrases)
AS_OF = datetime(2015, 1, 1, tzinfo=UTC)
Found = tuple[datetime, list[int]]


def phrases(message: Any) -> tuple[str, Found]:
    meter.add()
    record = orjson.loads(message.value)
    at = datetime.fromtimestamp(record["created_at"], UTC)
    return record["location"], (at, [phrase for _, phrase in scan(" " + record["text"].lower() + " ")])


def add(counts: dict[int, int], value: Found) -> dict[int, int]:
    for phrase in value[1]:
        counts[phrase] = counts.get(phrase, 0) + 1
    return counts


def merge(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {phrase: one.get(phrase, 0) + other.get(phrase, 0) for phrase in one | other}


def closed(item: tuple[str, tuple[int, dict[int, int]]]) -> KafkaSinkMessage:
    place, (window, counts) = item
    start = int(AS_OF.timestamp()) + window * WINDOW
    rows = [[place, phrase, start, count] for phrase, count in counts.items()]
    return KafkaSinkMessage(place.encode(), orjson.dumps(rows))


flow = Dataflow("count")
source = KafkaSource([work.address], [work.topic], tail=work.events is None, batch_size=1000)
found = op.map("phrases", op.input("in", flow, source), phrases)
clock = EventClock(ts_getter=lambda value: value[0], wait_for_system_duration=timedelta(seconds=LATENESS))
windows = windowing.fold_window(
    "count",
    found,
    clock,
    TumblingWindower(length=timedelta(seconds=WINDOW), align_to=AS_OF),
    builder=dict,
    folder=add,
    merger=merge,
    ordered=False,
)
kafka.output("out", op.map("closed", windows.down, closed), brokers=[work.address], topic=work.out)
recovery = None
if work.options["recovery"]:
    store = Path(work.folder) / "recovery"
    if not store.is_dir():
        store.mkdir()
        init_db_dir(store, 1)
    recovery = RecoveryConfig(store)
cli_main(flow, epoch_interval=timedelta(seconds=10), recovery_config=recovery)
