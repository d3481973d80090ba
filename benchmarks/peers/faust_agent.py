"""Stock Faust without a table: an agent that counts in a dictionary, forgotten when the process dies, and sends closed windows."""

from __future__ import annotations

import sys
from typing import Any

import faust
import orjson
from work import Counter, Meter, job

work = job()
app = faust.App(
    work.group,
    broker=f"kafka://{work.address}",
    datadir=work.folder,
    value_serializer="raw",
    topic_partitions=work.partitions,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    broker_session_timeout=10.0,
    broker_heartbeat_interval=3.0,
    web_enabled=False,
    **work.options,
)
topic = app.topic(work.topic, partitions=work.partitions, value_serializer="raw", key_serializer="raw")
out = app.topic(work.out, partitions=1, value_serializer="raw")
meter = Meter(work)
closed: list[list[list[Any]]] = []
counters: dict[int, Counter] = {}


@app.agent(topic)
async def count(stream: faust.Stream) -> None:
    async for event in stream.events():
        meter.add()
        counter = counters.get(event.message.partition)
        if counter is None:
            counter = counters[event.message.partition] = Counter(work.phrases, closed.append)
        counter.one(event.value)
        while closed:
            await out.send(value=orjson.dumps(closed.pop(0)))


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "-l", "error", "--without-web"]
    app.main()
