"""What `overheard doctor` asks of the store and of Kafka; it makes no table, no role and no topic."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from streams.runtime.doctor import SECONDS, Finding
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.topics import COMPLAINTS, TOPICS
from streams.runtime.store import tables
from streams.runtime.store.answering import CONNECT, answering
from streams.runtime.store.migrations import STEPS, is_store
from streams.runtime.store.views import ROLES

OLDEST_POSTGRESQL = 130_000
MOST_CLOCK_SECONDS = 5.0


def store(url: str) -> list[Finding]:
    """Whether the store can be reached and is one we can write to."""
    what = "store"
    try:
        parsed = make_url(url)
        shown, sqlite = parsed.render_as_string(hide_password=True), parsed.get_backend_name() == "sqlite"
        if sqlite and (parsed.database is None or not _exists(parsed.database)):
            return [Finding(what, True, f"{shown}: not there yet, it is made at the first start")]
        engine = create_engine(url, connect_args={} if sqlite else CONNECT)
        if not sqlite:
            answering(engine)
    except (ArgumentError, NoSuchModuleError) as error:
        return [Finding(what, False, f"service.store is no address of a database: {_first(error)}")]
    try:
        with engine.connect() as connection:
            found = [_version(connection, shown)]
            return found if sqlite else found + _postgresql(connection)
    except SQLAlchemyError as error:
        return [Finding(what, False, f"{shown} cannot be used: {_first(error)}: is it running, and may this user in?")]
    finally:
        engine.dispose()


def _exists(path: str) -> bool:
    from pathlib import Path

    return Path(path).exists()


def _version(connection: Connection, shown: str) -> Finding:
    if not is_store(connection.engine):
        return Finding("store", True, f"{shown}: empty, its tables are made at the first start")
    version = connection.execute(select(func.max(tables.versions.c.version))).scalar() or 0
    if version > len(STEPS):
        says = f"{shown} has version {version}, this program knows {len(STEPS)}: use the newer program that wrote it"
        return Finding("store", False, says)
    older = f", brought to {len(STEPS)} at the next start" if version < len(STEPS) else ""
    return Finding("store", True, f"{shown}: version {version}{older}")


def _postgresql(connection: Connection) -> list[Finding]:
    found = []
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if number < OLDEST_POSTGRESQL:
        says = f"PostgreSQL {number // 10_000} is too old: use {OLDEST_POSTGRESQL // 10_000} or newer"
        found.append(Finding("store server", False, says))
    rights = "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    may = bool(connection.execute(text(rights)).scalar())
    there = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    for role in ROLES.values():
        if role in there or may:
            found.append(Finding(f"role {role}", True, "there" if role in there else "made at the next start"))
            continue
        says = f"missing, and this user may not make it: CREATE ROLE {role} NOLOGIN, as an administrator"
        found.append(Finding(f"role {role}", False, says))
    theirs = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    apart = abs(theirs - time.time())
    if apart > MOST_CLOCK_SECONDS:
        says = f"{apart:,.0f} s apart from this machine's: set both by NTP"
        found.append(Finding("clock of the store", False, says))
    return found


async def kafka(settings: KafkaSettings) -> list[Finding]:
    """Whether the brokers answer and have the topics."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    where = ", ".join(settings.brokers)
    try:
        admin = AIOKafkaAdminClient(**settings.client(), request_timeout_ms=int(SECONDS * 1000))
    except (OSError, ssl.SSLError, ValueError) as error:
        return [Finding("kafka", False, f"kafka.ca_file, certificate_file, password_file: {_first(error)}")]
    try:
        async with asyncio.timeout(3 * SECONDS):
            await admin.start()
            names = [topic.full(settings.prefix) for topic in TOPICS]
            described = await admin.describe_topics(names)
            brokers = len((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError) as error:
        says = f"{where} cannot be reached: is Kafka running there, and is kafka.security right? {_first(error)}"
        return [Finding("kafka", False, says)]
    finally:
        await admin.close()
    return _topics(settings, where, brokers, {one["topic"]: len(one["partitions"]) for one in described})


def _topics(settings: KafkaSettings, where: str, brokers: int, counts: dict[str, int]) -> list[Finding]:
    found = [Finding("kafka", True, f"{where}: {brokers} broker{'s' if brokers > 1 else ''}")]
    if brokers < settings.replication:
        says = f"kafka.replication is {settings.replication}, there are {brokers} brokers: set it lower, or add brokers"
        found.append(Finding("kafka replication", False, says))
    missing = [topic.full(settings.prefix) for topic in TOPICS if not counts.get(topic.full(settings.prefix))]
    if missing and not settings.create_topics:
        says = f"no such topics: {', '.join(missing)}: make them as docs/topics.md says, or set kafka.create_topics"
        found.append(Finding("kafka topics", False, says))
    elif missing:
        found.append(Finding("kafka topics", True, f"{len(missing)} are made at the first start"))
    complaints = counts.get(COMPLAINTS.full(settings.prefix), 0)
    if complaints:
        found.append(Finding("kafka topics", True, f"complaints have {complaints} partitions"))
    for topic in TOPICS:
        have, name = counts.get(topic.full(settings.prefix), 0), topic.full(settings.prefix)
        if topic.sized and have and complaints and have < complaints:
            says = f"{name} has {have} partitions, the complaints {complaints}: give it as many"
            found.append(Finding("kafka topics", False, says))
        if not topic.sized and have > 1:
            found.append(
                Finding("kafka topics", False, f"{name} has {have} partitions and must have one: make it anew")
            )
    return found


def _first(error: Any) -> str:
    return " ".join(str(error).split())[:200].partition("(Background on this error")[0].strip() or type(error).__name__
