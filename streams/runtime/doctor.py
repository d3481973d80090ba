"""What `overheard doctor` looks at on this machine and at the channels; it changes nothing and sends nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

from alerting.notify.alertmanager import AlertmanagerSettings
from alerting.notify.base import ChannelSettings, HttpSettings
from alerting.notify.email import EmailSettings
from alerting.notify.http import AddressError, address_of
from streams.pack import SHIPPED, PackError, load_pack, pack_file
from streams.runtime.serving import PortTakenError, bind
from streams.runtime.settings import Settings, SourceSettings

SECONDS = 5.0  # for each that is asked
MEBIBYTE = 1024 * 1024
OLDEST_NOW = 1_735_689_600.0  # 2025-01-01: a clock before that was never set


class Finding(NamedTuple):
    """One line: what was looked at, whether it is well, and what was found with, where it is not, what to do."""

    what: str
    good: bool
    says: str


def clock(now: float) -> Finding:
    """Whether this machine's clock can be right."""
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now >= OLDEST_NOW:
        return Finding("clock", True, told)
    return Finding("clock", False, f"it is not {told}: set this machine's clock (NTP), late and early are judged by it")


def pack(name: str) -> Finding:
    """Whether the pack can be listened for, and grow by promotions."""
    try:
        found, file = load_pack(name), pack_file(name)
    except (PackError, OSError) as error:
        return Finding("pack", False, f"{_line(error)}: correct it, or name another as pack")
    shipped = file.resolve().is_relative_to(SHIPPED.resolve())
    grows = "shipped: promotions need a copy of your own" if shipped else f"promotions go to {file}"
    return Finding("pack", True, f"{found.name}: {len(found.keywords)} keywords; {grows}")


def disk(settings: Settings) -> Finding:
    """Whether the data folder can be written to and has room."""
    folder, least = settings.service.data, settings.service.min_free_megabytes
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        return Finding("data", False, f"{there} is a file: remove it, or set service.data to a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("data", False, f"{there} cannot be written to: give this user the right, or set service.data")
    free = shutil.disk_usage(there).free // MEBIBYTE
    if free < 2 * least:
        return Finding(
            "data", False, f"{free:,} MiB free in {folder}, complaints are refused below {least:,}: make room"
        )
    backlog = 0.0 if settings.kafka is not None else settings.service.backlog_megabytes
    if free < least + backlog:
        wants = f"the journal may take {backlog:,.0f} while the store is away"
        return Finding(
            "data", False, f"{free:,} MiB free in {folder}, {wants}: make room, or set service.backlog_megabytes"
        )
    return Finding("data", True, f"{free:,} MiB free in {folder}")


async def port(settings: Settings) -> Finding:
    """Whether the page's port is free, or ours already."""
    service, what = settings.service, "page port"
    address = f"{service.host}:{service.port}"
    try:
        bind(service.host, service.port).close()
    except PortTakenError:
        if await _ours(service.port):
            return Finding(what, True, f"overheard answers on {address}")
        return Finding(what, False, f"{address} is in use by another program: set service.port, or end that program")
    except OSError as error:
        return Finding(
            what, False, f"cannot listen on {address}: {_line(error)}: set service.host to an address of this machine"
        )
    return Finding(what, True, f"{address} is free")


async def _ours(port: int) -> bool:
    async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
        for path in ("/-/healthy", "/healthz"):
            try:
                answer = await client.get(f"http://127.0.0.1:{port}{path}")
            except httpx.TransportError:
                return False
            if answer.status_code in (200, 503) and answer.headers.get("content-type", "").startswith(
                "application/json"
            ):
                return True
    return False


def source(one: SourceSettings) -> Finding:
    """Whether a followed file can be read."""
    what, path = f"source {one.name}", one.path
    assert path is not None
    if not path.exists():
        return Finding(what, False, f"no such file: {path}: it is followed once it is there; is the path right?")
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return Finding(what, False, f"{path}: {error.strerror}: give this user the right to read it")
    return Finding(what, True, f"{path}: {path.stat().st_size:,} bytes")


async def channel(name: str, settings: ChannelSettings) -> list[Finding]:
    """Whether each address of a channel leads to where messages may go; Alertmanagers are asked whether they are ready."""
    what = f"channel {name}"
    if not isinstance(settings, HttpSettings):
        return [Finding(what, True, f"{settings.kind}: nothing to reach")]
    if isinstance(settings, EmailSettings):
        return [await _leads(what, settings, settings.host, settings.port or 25)]
    found = []
    for address in _addresses(settings):
        target = httpx.URL(address)
        finding = await _leads(what, settings, target.host, target.port or 443)
        if finding.good and isinstance(settings, AlertmanagerSettings):
            finding = await _alertmanager(what, address)
        found.append(finding)
    return found or [Finding(what, True, f"{settings.kind}: where its addresses lead only a message shows")]


def _addresses(settings: HttpSettings) -> Iterator[str]:
    for field in type(settings).model_fields:
        value: Any = getattr(settings, field)
        for one in value if isinstance(value, tuple) else (value,):
            text = one.get_secret_value() if isinstance(one, SecretStr) else one
            if isinstance(text, str) and text.startswith(("https://", "http://")):
                yield text


async def _leads(what: str, settings: HttpSettings, host: str, port: int) -> Finding:
    """Only the host is told: an address as a whole may be the key."""
    try:
        async with asyncio.timeout(SECONDS):
            reached = await address_of(host, port, settings.allow_hosts)
    except AddressError as error:
        return Finding(what, False, str(error))
    except TimeoutError:
        says = f"{host}: no answer from the name server within {SECONDS:g} s: check this machine's DNS"
        return Finding(what, False, says)
    except socket.gaierror:
        says = f"{host}: no such host: is it written right, and does this machine's DNS know it?"
        return Finding(what, False, says)
    return Finding(what, True, f"{settings.kind}: {host} leads to {reached}; whether messages are taken only one shows")


async def _alertmanager(what: str, address: str) -> Finding:
    url = f"{address.rstrip('/')}/-/ready"
    try:
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            answer = await client.get(url)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return Finding(what, False, f"{url} cannot be reached: is Alertmanager running there? {_line(error)}")
    if answer.status_code != 200:
        return Finding(
            what, False, f"{url} answered {answer.status_code}: it is not ready, or not Alertmanager: see its log"
        )
    return Finding(what, True, f"alertmanager: {address} is ready")


def readable(path: Path | None, key: str) -> list[Finding]:
    """Whether a file the configuration names can be read; nothing where it names none."""
    if path is None:
        return []
    if os.access(path, os.R_OK):
        return [Finding(key, True, f"{path}: {path.stat().st_size:,} bytes")]
    return [Finding(key, False, f"{path} cannot be read: give this user the right")]


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
