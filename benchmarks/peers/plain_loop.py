"""No framework: confluent-kafka, a batch at a time, counted in a dictionary, offsets committed by themselves."""

from __future__ import annotations

import orjson
from confluent_kafka import Consumer, Producer
from work import Counter, Meter, job

work = job()
consumer = Consumer(
    {
        "bootstrap.servers": work.address,
        "group.id": work.group,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 10_000,
        **work.options,
    }
)
producer = Producer({"bootstrap.servers": work.address})
consumer.subscribe([work.topic])
meter = Meter(work)
counters = {
    partition: Counter(work.phrases, lambda rows: producer.produce(work.out, orjson.dumps(rows)))
    for partition in range(work.partitions)
}
while True:
    messages = consumer.consume(5000, 1.0)
    for message in messages:
        if message.error() is None:
            counters[message.partition()].one(message.value())
    producer.poll(0)
    if messages:
        meter.add(len(messages))
