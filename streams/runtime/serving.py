"""Runs a service and its app in one event loop: the port first, so that a taken one is told before anything else happens."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Protocol

import structlog
import uvicorn
from fastapi import FastAPI

from streams.runtime.embedded import Service
from streams.runtime.http_intake import router

log = structlog.get_logger(__name__)
GRACE_SECONDS = 1
NEXT_PORTS = 100
PATHS = ("/complaints", "/controls", "/metrics", "/-/")  # ours, with a guard of their own

Mount = Callable[[FastAPI, Service], None]


class PortTakenError(OSError):
    """Something else listens there; the message names host and port."""


def bind(host: str, port: int, *, next_free: bool = False) -> socket.socket:
    """A listening socket; `next_free` tries the following ports too. Raises PortTakenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + (NEXT_PORTS if next_free else 1)):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, number))
            bound.listen(512)
            return bound
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE:
                raise
    raise PortTakenError(f"port {port} on {host} is in use by another program: set service.port, or end that program")


class Server(uvicorn.Server):
    """Leaves signals to `run_app`: uvicorn would raise them again before the service has written its last snapshot."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


class Startable(Protocol):
    """Something that works in a loop."""

    def start(self) -> None:
        """Begin, in the running loop."""

    async def stop(self) -> None:
        """End."""


async def run_app(service: Service, bound: socket.socket, mount: Mount | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then end within 5 s."""
    app = FastAPI(title="overheard", openapi_url="/openapi.json" if mount is None else None)
    app.include_router(router(service))
    if mount is not None:
        mount(app, service)
    await serve(app, service, bound)
    log.info("stopped", next_entry=service.journal.next_seq)


async def serve(app: FastAPI, service: Startable, bound: socket.socket) -> None:
    """The app and what stands behind it, until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS, lifespan="on"
    )
    server = Server(config)
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    service.start()
    host, port = bound.getsockname()[:2]
    log.info("listening", address=f"http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        await server.serve(sockets=[bound])
    finally:
        await service.stop()


def run(service: Service, bound: socket.socket, mount: Mount | None = None) -> None:
    """`run_app` in a loop of its own."""
    asyncio.run(run_app(service, bound, mount))
