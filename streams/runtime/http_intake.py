"""Complaints and people's acts over HTTP. 202 is said when they are on the disk, never before."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from alerting.controls import check as check_control
from alerting.controls import clean
from alerting.model import Control
from streams.promotion import PromotionError
from streams.runtime.bodies import UnreadableError, check, split_body
from streams.runtime.entries import RECORD, Entry
from streams.runtime.exporter import exposition
from streams.runtime.journal import JournalFullError

if TYPE_CHECKING:
    from streams.runtime.embedded import Service

MAX_BODY_BYTES = 1024 * 1024
MAX_REPORTED = 100  # records that will be dead letters, told one by one
RETRY_SECONDS = 5
MAX_CLIENTS = 10_000


class Allowance:
    """A token bucket for each client: so many records a second, twice that at once."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, client: str, records: int, now: float) -> float:
        """Seconds the client must wait, 0 when it may go on. A request larger than the bucket passes when the bucket is full."""
        full = 2 * self.per_second
        left, at = self._left.pop(client, (full, now))
        left = min(full, left + (now - at) * self.per_second)
        wait = (min(records, full) - left) / self.per_second
        self._left[client] = (left - records if wait <= 0 else left, now)
        if len(self._left) > MAX_CLIENTS:
            self._left.pop(next(iter(self._left)))
        return max(0.0, wait)


def router(service: Service) -> APIRouter:
    """The routes of the intake; page and API may share their app."""
    routes = APIRouter()
    guard = [Depends(_signed_in(service.settings.service.read_token()))]
    _complaints(routes, service, guard)
    _acts(routes, service, guard)
    _state(routes, service, guard)
    return routes


def _signed_in(token: str | None) -> Callable[[Request], None]:
    def signed_in(request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            raise HTTPException(403, "a page of another site may not post here")
        if token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise HTTPException(401, "a bearer token is required", {"WWW-Authenticate": "Bearer"})

    return signed_in


def _complaints(routes: APIRouter, service: Service, guard: list[Any]) -> None:
    per_second = service.settings.service.records_per_second
    allowance = Allowance(per_second)

    @routes.post("/complaints", status_code=202, dependencies=guard, tags=["intake"])
    async def complaints(request: Request) -> Response:
        """One complaint, an array, or one a line. 202: all are kept; `rejected` tells those that cannot be counted."""
        body = await _body(request)
        try:
            records = split_body(body, request.headers.get("content-type", ""))
        except UnreadableError as error:
            raise HTTPException(400, str(error)) from None
        if not records:
            raise HTTPException(400, "the body holds no record")
        client = request.client.host if request.client else ""
        wait = allowance.take(client, len(records), time.monotonic())
        if wait > 0:
            raise HTTPException(429, f"over {per_second} records a second", _retry(wait))
        _ready(service)
        bad = [(line, found) for line, record in records if (found := check(record, service.zone)) is not None]
        now = time.time()
        with _kept():
            await service.append([Entry(RECORD, record, now) for _, record in records])
        told = [{"line": line, "reason": reason, "detail": detail} for line, (reason, detail) in bad[:MAX_REPORTED]]
        return JSONResponse({"accepted": len(records) - len(bad), "dead_letters": len(bad), "rejected": told}, 202)


def _acts(routes: APIRouter, service: Service, guard: list[Any]) -> None:
    @routes.post("/controls", status_code=202, dependencies=guard, tags=["intake"])
    async def controls(request: Request) -> Response:
        """A person's act: the fields of a control, of which `id` and `at` may be left out."""
        try:
            given = msgspec.json.decode(await _body(request), type=dict[str, Any])
            control = msgspec.convert({"id": uuid4().hex, "at": time.time(), "via": "api", **given}, Control)
            control = clean(control)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HTTPException(400, str(error)) from None
        try:
            check_control(control)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        try:
            with _kept():
                await service.append_control(control)
        except PromotionError as error:
            raise HTTPException(422, str(error)) from None
        except OSError as error:  # what an undo takes back is asked of the store
            raise HTTPException(503, f"not kept: {error}", _retry(RETRY_SECONDS)) from None
        return JSONResponse(msgspec.to_builtins(control), 202)


def _state(routes: APIRouter, service: Service, guard: list[Any]) -> None:
    @routes.get("/-/healthy", tags=["service"])
    async def healthy(response: Response) -> dict[str, Any]:
        """200 while everything works, 503 with the reason while something is broken. `backlog`: accepted, not in the store yet."""
        red = service.health.red
        response.status_code = 503 if red else 200
        return {"red": red, "backlog": service.unwritten}

    @routes.get("/metrics", dependencies=guard, tags=["service"])
    async def metrics() -> Response:
        """For Prometheus."""
        text, content_type = await asyncio.to_thread(lambda: exposition(service.figures()))
        return Response(text, media_type=content_type)


@contextmanager
def _kept() -> Iterator[None]:
    """What cannot be written is answered with 503: the client keeps it and sends it again."""
    try:
        yield
    except JournalFullError as error:
        raise HTTPException(503, f"not kept: {error.strerror}", _retry(RETRY_SECONDS)) from None


def _ready(service: Service) -> None:
    """Raises 503 when what comes in could not be kept or counted, 429 when it could not be counted soon."""
    if service.disk_low():
        raise HTTPException(503, "the disk is full", _retry(RETRY_SECONDS))
    if refused := service.refused:
        raise HTTPException(503, refused, _retry(RETRY_SECONDS))
    if service.behind:
        raise HTTPException(429, "too much is waiting to be counted", _retry(RETRY_SECONDS))


def _retry(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(seconds)))}


async def _body(request: Request) -> bytes:
    """The body, as far as it is allowed to go. Raises 413."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise HTTPException(413, f"over {MAX_BODY_BYTES} bytes: send fewer records at once")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"over {MAX_BODY_BYTES} bytes: send fewer records at once")
        parts.append(part)
    return b"".join(parts)
