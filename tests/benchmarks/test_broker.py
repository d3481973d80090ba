"""The broker the other tests rely on keeps what it acknowledged, on the same port, through a kill -9."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.broker import Broker

SENT = [b"%d" % number for number in range(500)]


async def send(address: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        for value in SENT:
            await producer.send("kept", value)
        await producer.flush()


async def received(address: str) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("kept", 0)])
        return [(await asyncio.wait_for(anext(consumer), 20)).value for _ in SENT]


def test_what_was_acknowledged_is_there_after_a_kill(own_broker: Broker) -> None:
    asyncio.run(send(own_broker.address))
    address = own_broker.address
    own_broker.kill()
    own_broker.start()
    assert own_broker.address == address
    assert asyncio.run(received(address)) == SENT
