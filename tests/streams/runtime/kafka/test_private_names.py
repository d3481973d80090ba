"""What the transports rely on that Faust and aiokafka do not promise: when an upgrade breaks one, this says which."""

from __future__ import annotations

import inspect
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from faust.tables.recovery import Recovery
from faust.transport import drivers
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage

from streams.runtime.kafka import batch_transport, memory_transport

OVERRIDDEN = [  # we override these: they must be there, be called, and take what we take
    (Consumer, "perform_seek", ["self"]),
    (Consumer, "getmany", ["self", "timeout"]),
    (Consumer, "ack", ["self", "message"]),
    (Consumer, "_filter_tps_with_pending_acks", ["self", "topics"]),
    (Consumer, "_new_offset", ["self", "tp"]),
    (Consumer, "verify_event_path", ["self", "now", "tp"]),
    (Consumer, "_getmany", ["self", "active_partitions", "timeout"]),
    (Consumer, "_commit", ["self", "offsets"]),
    (driver.Consumer, "_new_consumer_thread", ["self"]),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
    (driver.AIOKafkaConsumerThread, "_commit", ["self", "offsets"]),
    (driver.AIOKafkaConsumerThread, "on_start", ["self"]),
    (PartitionRecords, "_consumer_record", ["self", "tp", "record"]),
]
USED = [  # where Faust or aiokafka must still use a name, for our use of it to have an effect
    (Consumer._wait_next_records, "_getmany"),
    (Consumer._drain_messages, "_read_offset"),
    (Consumer._should_commit, "_committed_offset"),
    (Consumer.on_buffer_full, "_buffered_partitions"),
    (Consumer.track_message, "_unacked_messages"),
    (Consumer._wait_for_ack, "_waiting_for_ack"),
    (Consumer.force_commit, "_filter_tps_with_pending_acks"),
    (Consumer._filter_committable_offsets, "_new_offset"),
    (Recovery._resume_streams, "perform_seek"),
    (driver.AIOKafkaConsumerThread.commit, "_commit"),
    (driver.AIOKafkaConsumerThread._create_consumer, "_create_worker_consumer"),
    (driver.AIOKafkaConsumerThread.getmany, "_max_poll_records"),
    (driver.AIOKafkaConsumerThread.assignment, "_ensure_consumer"),
    (driver.AIOKafkaConsumerThread.on_start, "_consumer.start"),
    (Fetcher._proc_fetch_request, "self._records[tp] = FetchResult"),
    (Fetcher._proc_fetch_request, "backoff=self._prefetch_backoff"),
    (Fetcher.fetched_records, "self._records"),
    (FetchResult.__init__, "_partition_records"),
    (PartitionRecords._unpack_records, "self._consumer_record(tp, record)"),
    (AIOKafkaConsumer.start, "_fetcher"),
    (AIOKafkaConsumer.start, "_fetch_max_wait_ms"),
    (AIOKafkaConsumer.start, "_partition_assignment_strategy"),
]


def test_the_versions_are_those_this_was_written_for() -> None:
    assert (faust.__version__, aiokafka.__version__) == ("0.15.3", "0.14.0"), "read this file, then change it"


@pytest.mark.parametrize(("owner", "name", "parameters"), OVERRIDDEN)
def test_what_we_override_still_has_its_shape(owner: type, name: str, parameters: list[str]) -> None:
    found = getattr(owner, name, None)
    assert found is not None, f"{owner.__name__}.{name} is gone"
    assert [*inspect.signature(found).parameters][: len(parameters)] == parameters


@pytest.mark.parametrize(("function", "name"), USED)
def test_what_we_set_is_still_read(function: Any, name: str) -> None:
    assert name in inspect.getsource(function), f"{function.__qualname__} no longer uses {name}"


def test_the_flow_is_resumed_only_after_positions_were_set() -> None:
    source = inspect.getsource(Recovery._resume_streams)
    assert source.index("perform_seek") < source.index("consumer.resume_flow")


def test_a_message_can_be_made_of_a_batch() -> None:
    names = ["topic", "partition", "offset", "timestamp", "timestamp_type", "headers", "key", "value", "checksum",
             "serialized_key_size", "serialized_value_size", "tp"]  # fmt: skip
    assert [*inspect.signature(ConsumerMessage.__init__).parameters][1:13] == names


def test_an_assignor_is_asked_for_these() -> None:
    assert AbstractPartitionAssignor.__abstractmethods__ == {"name", "assign", "metadata", "on_assignment"}


def test_the_transports_are_found_by_name() -> None:
    assert drivers.by_name("kafka+batch") is batch_transport.Transport
    assert drivers.by_name("memory") is memory_transport.Transport
