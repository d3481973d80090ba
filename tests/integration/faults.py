"""What the fault tests share: a steady feed, a watch on progress, a proxy that misbehaves, and the judgement at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from deployment import Deployment, cells_of, everywhere, recount, undisturbed

from streams.runtime.kafka import topics

SOAK = bool(os.environ.get("OVERHEARD_SOAK"))  # the full form of each fault, for `make soak`


class Judgement(NamedTuple):
    """What came of it, held against one undisturbed pipeline over the same log and against a recount that uses nothing of ours."""

    redelivered: int
    wrong: int
    incidents: int
    cells: int


def judge(deployment: Deployment, records: Sequence[bytes]) -> Judgement:
    """Hold topics to the truth; `records` are the valid ones, each once."""
    found, again = deployment.results()
    incidents, cells = undisturbed(deployment.records(topics.COMPLAINTS), deployment.partitions)
    told = cells_of(found["cells"])
    wrong = sum(found["incidents"].get(key) != value for key, value in incidents.items())
    wrong += len(found["incidents"].keys() - incidents.keys())
    wrong += sum(told.get(key) != voices for key, voices in cells.items()) + len(told.keys() - cells.keys())
    people, right = everywhere(told), recount(records)
    wrong += sum(people.get(start) != count for start, count in right.items()) + len(people.keys() - right.keys())
    return Judgement(again, wrong, len(incidents), len(cells))


class Feed(threading.Thread):
    """Complaints at a steady pace, in the background."""

    def __init__(self, deployment: Deployment, records: Sequence[bytes], seconds: float) -> None:
        super().__init__(daemon=True)
        self.deployment, self.records, self.seconds = deployment, records, seconds
        self.start()

    def run(self) -> None:
        """Until all are sent."""
        self.deployment.append(self.records, len(self.records) / self.seconds)


class Watch(threading.Thread):
    """Looks at what the group has committed; knows the longest time in which a partition had something waiting and did not move."""

    def __init__(self, deployment: Deployment, every: float = 0.25) -> None:
        super().__init__(daemon=True)
        self.deployment, self.every = deployment, every
        self.longest: dict[int, float] = {}
        self.moved_at = 0.0  # monotonic, of the newest progress anywhere
        self._ending = threading.Event()
        self.start()

    def end(self) -> float:
        """Look no more; the longest standstill of any partition, in seconds."""
        self._ending.set()
        self.join()
        return max(self.longest.values(), default=0.0)

    def run(self) -> None:
        """Until `end`."""
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        address = self.deployment.address
        admin, consumer = AIOKafkaAdminClient(bootstrap_servers=address), AIOKafkaConsumer(bootstrap_servers=address)
        await asyncio.gather(admin.start(), consumer.start())
        name = self.deployment.name(topics.COMPLAINTS)
        tps = [TopicPartition(name, partition) for partition in range(self.deployment.partitions)]
        seen: dict[int, int] = {}
        since: dict[int, float] = {}
        try:
            while not self._ending.is_set():
                await asyncio.sleep(self.every)
                with contextlib.suppress(KafkaError, asyncio.TimeoutError):
                    committed = await admin.list_consumer_group_offsets(self.deployment.prefix)
                    ends = await asyncio.wait_for(consumer.end_offsets(tps), 5)
                    self._note({tp.partition: committed[tp].offset if tp in committed else 0 for tp in tps},
                               {tp.partition: end for tp, end in ends.items()}, seen, since)  # fmt: skip
        finally:
            await asyncio.gather(admin.close(), consumer.stop())

    def _note(self, done: dict[int, int], ends: dict[int, int], seen: dict[int, int], since: dict[int, float]) -> None:
        now = time.monotonic()
        for partition, offset in done.items():
            if offset > seen.get(partition, 0):
                self.moved_at = now
            if offset != seen.get(partition) or offset >= ends[partition]:
                seen[partition], since[partition] = offset, now
            self.longest[partition] = max(self.longest.get(partition, 0.0), now - since[partition])


class Proxy:
    """TCP between workers and the broker's port `behind`, on the port that listener tells clients to use."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.latency = 0.0  # seconds, each way
        self.swallowing = False  # takes everything, gives nothing
        self.passed_bytes = 0
        self._pairs: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def reset_all(self) -> int:
        """Break every connection with a reset; how many there were."""
        return asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(10)

    async def _reset(self) -> int:
        pairs, self._pairs = self._pairs, set()
        for writer in pairs:
            found = writer.get_extra_info("socket")
            if found.fileno() < 0:
                continue  # closed meanwhile
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return len(pairs) // 2

    def end(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.reset_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._pairs |= {writer, there_writer}
        await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        self._pairs -= {writer, there_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.latency:
                    await asyncio.sleep(self.latency)
                if self.swallowing:
                    continue
                writer.write(data)
                await writer.drain()
                self.passed_bytes += len(data)
        writer.close()


def restart(deployment: Deployment) -> None:
    """Start again the workers that ended, as a supervisor does."""
    for worker in [one for one in deployment.workers if one.poll() is not None]:
        deployment.workers.remove(worker)
        deployment.start()


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(fault: str, kills: str | int, judgement: Judgement, **more: Any) -> None:
    """The line each fault prints."""
    others = "".join(f", {name} {value}" for name, value in more.items())
    told = kills if isinstance(kills, str) else f"kills {kills}"
    print(
        f"{fault}: {told}, redelivered {judgement.redelivered}, wrong {judgement.wrong}"
        f" (of {judgement.incidents} incident revisions, {judgement.cells} cells){others}"
    )
