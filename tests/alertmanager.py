"""Alertmanagers of the tests' own: free ports, a folder that goes with them, ended by process id; and a wire between two that can be cut."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

PROGRAMS = ("prometheus-alertmanager", "amtool")
HOST = "127.0.0.1"
START_SECONDS = 20.0
QUICK = (
    "--cluster.peer-timeout=1s",
    "--cluster.settle-timeout=1s",
    "--cluster.gossip-interval=50ms",
    "--cluster.pushpull-interval=1s",
    "--cluster.reconnect-interval=1s",
)
CONFIG = """
route:
  receiver: sink
  group_by: [alertname, region]
  group_wait: {group_wait}
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: sink
    webhook_configs:
      - url: {sink}
        send_resolved: true
"""


def free_port() -> int:
    """One that is free for TCP and UDP now."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind((HOST, 0))
            port: int = stream.getsockname()[1]
            try:
                datagram.bind((HOST, port))
            except OSError:
                continue
            return port


def started(command: Sequence[str], folder: Path, url: str) -> subprocess.Popen[bytes]:
    """A server that is ready at `url`; it works and logs in `folder`."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    end = time.monotonic() + START_SECONDS
    while not _is_ready(url):
        assert process.poll() is None, (folder / "log").read_text(errors="replace")
        assert time.monotonic() < end, (folder / "log").read_text(errors="replace")
        time.sleep(0.05)
    return process


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1.0).is_success
    except httpx.TransportError:
        return False


class Alertmanager:
    """One instance, which notifies `sink`. `gossip`: where it listens and what it tells others of that; None: it is alone."""

    def __init__(
        self, sink: str, *, group_wait: str = "1s", gossip: tuple[int, int] | None = None, peers: Sequence[int] = ()
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="overheard-alertmanager-")
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        (Path(self._folder.name) / "config.yml").write_text(CONFIG.format(sink=sink, group_wait=group_wait))
        self._cluster = ["--cluster.listen-address="]
        if gossip is not None:
            listens, told = gossip
            self._cluster = [
                f"--cluster.listen-address={HOST}:{listens}",
                f"--cluster.advertise-address={HOST}:{told}",
                *QUICK,
            ]
            self._cluster += [f"--cluster.peer={HOST}:{port}" for port in peers]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Started, and ready to be posted to."""
        folder = Path(self._folder.name)
        options = [
            f"--config.file={folder}/config.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address={HOST}:{self.port}",
        ]
        self._process = started([PROGRAMS[0], *options, *self._cluster], folder, self.url)
        return self

    def kill(self) -> None:
        """At once, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def send_signal(self, number: int) -> None:
        """Freeze it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._folder.cleanup()

    def get(self, what: str) -> Any:
        """An answer of the API: "alerts", "status"."""
        answer = httpx.get(f"{self.url}/api/v2/{what}", timeout=5.0)
        answer.raise_for_status()
        return answer.json()

    def post(self, what: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/api/v2/{what}", json=body, timeout=5.0)


class Wire(asyncio.DatagramProtocol):
    """Passes on to `to` what comes in at `port`, TCP and UDP, and answers back; until it is cut."""

    def __init__(self, to: int) -> None:
        self.to, self.port = to, free_port()
        self.is_cut = False
        self._ways: dict[Any, asyncio.DatagramTransport] = {}  # by who sent: the socket on which we stand for it
        self._pipes: set[asyncio.Task[None]] = set()
        self._back: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._stream, HOST, self.port)
        self._back, _ = await loop.create_datagram_endpoint(lambda: self, (HOST, self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)
        for transport in (self._back, *self._ways.values()):
            if transport is not None:
                transport.close()

    def cut(self) -> None:
        self.is_cut = True
        for pipe in self._pipes:
            pipe.cancel()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.is_cut:
            self._keep(asyncio.get_running_loop().create_task(self._pass_on(data, addr)))

    async def _pass_on(self, data: bytes, sender: Any) -> None:
        if sender not in self._ways:
            loop, back = asyncio.get_running_loop(), self._back
            assert back is not None
            way, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(self, back, sender), remote_addr=(HOST, self.to)
            )
            self._ways.setdefault(sender, way)
        self._ways[sender].sendto(data)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._keep(task)
        try:
            if self.is_cut:
                return
            there, other = await asyncio.open_connection(HOST, self.to)
            try:
                await asyncio.gather(_pipe(reader, other), _pipe(there, writer))
            finally:
                other.close()
        except OSError as error:
            print("wire:", error)
        finally:
            writer.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)


class _Answers(asyncio.DatagramProtocol):
    """What comes back to one sender."""

    def __init__(self, wire: Wire, back: asyncio.DatagramTransport, sender: Any) -> None:
        self._wire, self._back, self._sender = wire, back, sender

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self._wire.is_cut:
            self._back.sendto(data, self._sender)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
