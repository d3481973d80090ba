"""Stock Faust as its documentation shows it: an agent that adds to a tumbling windowed table; the table's changelog is its output."""

from __future__ import annotations

import sys

import faust
import orjson
from work import WINDOW, Meter, job, scanner

work = job()
app = faust.App(
    work.group,
    broker=f"kafka://{work.address}",
    store="memory://",
    datadir=work.folder,
    value_serializer="raw",
    topic_partitions=work.partitions,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    broker_session_timeout=10.0,
    broker_heartbeat_interval=3.0,
    table_cleanup_interval=86_400.0,  # by its own clock it would drop windows that are still filling
    web_enabled=False,
    **work.options,
)
topic = app.topic(work.topic, partitions=work.partitions, value_serializer="raw", key_serializer="raw")
now = [0.0]
counts = app.Table("counts", default=int, partitions=work.partitions).tumbling(WINDOW, expires=86_400.0)
counts = counts.relative_to(lambda event=None: now[0])
meter, scan = Meter(work), scanner(work.phrases)


@app.agent(topic)
async def count(stream: faust.Stream) -> None:
    async for value in stream:
        meter.add()
        record = orjson.loads(value)
        now[0] = record["created_at"]
        place = record["location"]
        for _, phrase in scan(" " + record["text"].lower() + " "):
            counts[(place, phrase)] += 1


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "-l", "error", "--without-web"]
    app.main()
