"""A receiver on loopback that answers by script: well, badly, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Self

import orjson

HOST = "127.0.0.1"


class Request(NamedTuple):
    """One that was made of us."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


class Answer(NamedTuple):
    """What a request gets. `how`: as a whole; reset in the middle of the body; never; or bytes that are not HTTP."""

    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    how: Literal["whole", "reset", "never", "garbage"] = "whole"


class Receiver:
    """Takes what stands first in `script`, else what `usual` gives; keeps the requests."""

    def __init__(self, usual: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.usual, self._tls = usual, tls
        self.script: list[Answer] = []
        self.requests: list[Request] = []
        self.port = 0
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for one in self._handlers:
            one.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                answer = self.script.pop(0) if self.script else self.usual(request)
                if not await _write(writer, answer):
                    break
        except asyncio.CancelledError:
            writer.transport.abort()  # the end of the test
        finally:
            self._handlers.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> bool:
    """Whether the connection goes on."""
    if answer.how == "never":
        await asyncio.sleep(3600)
    if answer.how == "garbage":
        writer.write(b"\x00\xff\x16\x03 not HTTP\r\n\r\n")
        await writer.drain()
        return False
    whole = len(answer.body) + (1000 if answer.how == "reset" else 0)
    lines = [f"HTTP/1.1 {answer.status} Scripted", f"content-length: {whole}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
    await writer.drain()
    if answer.how == "reset":
        writer.transport.abort()
        return False
    return True
