"""A Faust transport for Kafka that hands an agent one fetched batch as one event, and commits only what a stage has made durable.

Registered as `kafka+batch` (entry point `faust.transports`). It rests on private names of Faust and aiokafka; a test names each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import notify

from streams.runtime.kafka.assignor import Assignor

log = structlog.get_logger(__name__)
FETCH_MAX_WAIT_MS = 100  # a fetch in flight keeps others waiting: Faust's 1,500 ms would show in every latency
PREFETCH_BACKOFF_SECONDS = 0.02  # records of one partition that wait keep others from being fetched for so long


class Positions(Protocol):
    """Who knows where each partition is to be read on, and up to where it need never be read again."""

    async def positions(self, assigned: set[TP]) -> Mapping[TP, int]:
        """The next offset to read of each partition; those not named go on from the committed one."""

    def durable(self) -> Mapping[TP, int]:
        """The offset of each partition before which everything is durable: what may be committed."""


class Batch(NamedTuple):
    """What was fetched of one partition; of an `epoch` before the newest it is stale, and read again."""

    epoch: int
    records: Sequence[Any]


class BatchSchema(faust.Schema[Any, Any]):
    """The value is a `Batch`: nothing is decoded here, so nothing can fail to decode."""

    def loads_key(self, app: Any, message: Any, **given: Any) -> Any:
        """No key: the records have theirs."""
        return None

    def loads_value(self, app: Any, message: Any, **given: Any) -> Any:
        """The batch."""
        return message.value


class Batches:
    """Mixed into a Faust consumer: batches as events, our own commits, and no stale fetch after a seek.

    A fetch in flight while positions are reset would be delivered ahead of the rewound data, and that data then dropped; so each
    reset begins a new epoch, and what was fetched in an earlier one is discarded and read again: here where it is still on its way, by the
    stages where it waits for its agent.
    """

    app: Any
    epoch = 0
    progress = 0  # batches handed over, for the watchdog

    async def perform_seek(self: Any) -> None:
        """Go to the committed offsets, then to where the stages want to read on."""
        self.epoch += 1
        await super().perform_seek()  # type: ignore[misc]
        wanted = await self.app.stages.positions(self.assignment())
        if wanted:
            await self.seek_wait(wanted)
            self._committed_offset.update(dict.fromkeys(wanted))  # a rewind commits smaller offsets again
        self.epoch += 1

    async def getmany(self: Any, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """One message a partition that has records; its offset is the last one's."""
        epoch = self.epoch
        records, active = await self._wait_next_records(timeout)
        if not records or self.should_stop or not self.flow_active:
            return  # before the flow is resumed, positions are set anew
        if epoch != self.epoch:
            await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        for tp, batch in records.items():
            if not self.flow_active or generation != self.app.consumer_generation_id or epoch != self.epoch:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                last = batch[-1]
                self._read_offset[tp] = last.offset  # so that Faust looks for no gap
                self.progress += 1
                value: Any = Batch(epoch, batch)
                yield (
                    tp,
                    ConsumerMessage(
                        tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
                        None, None, value, None, 0, 0, tp, generation_id=generation,
                    ),
                )  # fmt: skip

    def ack(self: Any, message: Any) -> bool:
        """The batch was taken. What may be committed is not told by this, but by the stages."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return True

    def _filter_tps_with_pending_acks(self: Any, topics: Any = None) -> Iterator[TP]:
        durable = self.app.stages.durable()
        return (tp for tp in durable if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self: Any, tp: TP) -> int | None:
        durable: int | None = self.app.stages.durable().get(tp)
        return durable

    def verify_event_path(self, now: float, tp: TP) -> None:
        """The watchdog sees to it."""


class AsRead(OrderedDict[Any, Any]):
    """What aiokafka's fetcher holds of each partition until it is asked for, told to hand out records as its parser made them.

    Copying each into a larger object that also names topic and partition, which we know, costs more than parsing it.
    """

    def __setitem__(self, tp: Any, fetched: Any) -> None:
        if (unread := getattr(fetched, "_partition_records", None)) is not None:
            unread._consumer_record = _as_read
        super().__setitem__(tp, fetched)


def _as_read(tp: Any, record: Any) -> Any:
    return record


class KafkaThread(driver.AIOKafkaConsumerThread):
    """The thread aiokafka's consumer lives in."""

    async def on_start(self) -> None:
        """Start the consumer, and take its records as they are read."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetcher._records = AsRead()
        fetcher._prefetch_backoff = PREFETCH_BACKOFF_SECONDS

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        consumer._partition_assignment_strategy = (Assignor,)
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; a broker that does not answer is no reason to end, for commits decide nothing."""
        consumer = self._ensure_consumer()
        mine = {driver.ensure_aiokafka_TP(tp): offset for tp, offset in offsets.items() if tp in self.assignment()}
        try:
            await consumer.commit(mine)
        except KafkaError as error:
            log.info("offsets not committed", reason=type(error).__name__)
            return False
        return True


class BatchConsumer(Batches, driver.Consumer):
    """Faust's consumer of Kafka, in batches."""

    def _new_consumer_thread(self) -> KafkaThread:
        return KafkaThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """`kafka+batch://host:port`."""

    Consumer = BatchConsumer
