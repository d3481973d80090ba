"""The audit log: every control ever taken, numbered, each row chained to the one before by SHA-256.

A row that is changed, taken out, put in or put elsewhere breaks the chain; `meta` holds its head, so rows missing at the end
show too. Whoever may write to the database could chain it all anew: against that, note the head elsewhere now and then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from alerting.model import Control
from streams.runtime.store import tables
from streams.runtime.store.upsert import replacing, write

HEAD = "audit_head"
START = "0" * 64
_table = tables.controls
_of_body = ("id", "at", "kind", "incident")


class Entry(msgspec.Struct, frozen=True):
    """A control as it stands in the log."""

    number: int
    chain: str
    control: Control


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` found: how many rows are whole, the chain's head, and in words what is not, None where all is well."""

    rows: int
    head: str
    broken: str | None = None


def append(connection: Connection, controls: Sequence[Control]) -> None:
    """Add controls at the end; those already there are left alone."""
    if not controls:
        return
    ids = [one.id for one in controls]
    known = set(connection.execute(select(_table.c.id).where(_table.c.id.in_(ids))).scalars())
    number, chain = _last(connection)
    rows = []
    for one in controls:
        if one.id in known:
            continue
        known.add(one.id)
        number += 1
        row = _row(one)
        chain = link(chain, number, row["body"])
        rows.append({**row, "number": number, "chain": chain})
    if rows:
        connection.execute(_table.insert(), rows)
        _save_head(connection, number, chain)


def chain_anew(connection: Connection) -> None:
    """Number and chain rows of a store from before there was a chain, in the order people acted."""
    bodies = connection.execute(select(_table.c.id, _table.c.body).order_by(_table.c.at, _table.c.id)).all()
    chain = START
    for number, (id, body) in enumerate(bodies, 1):
        chain = link(chain, number, body)
        connection.execute(_table.update().where(_table.c.id == id).values(number=number, chain=chain))
    if bodies:
        _save_head(connection, len(bodies), chain)


def verify(engine: Engine) -> Verdict:
    """Go through the whole log, row by row; stops at the first that is not as it was written."""
    chain, count = START, 0
    with engine.connect() as connection:
        head = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == HEAD)).scalar()
        for row in connection.execute(select(_table).order_by(_table.c.number)).mappings():
            if row["number"] != count + 1:
                return Verdict(
                    count, chain, f"after row {count} comes row {row['number']}: one is missing or was put in"
                )
            wanted = link(chain, count + 1, row["body"])
            if row["chain"] != wanted or _columns(row["body"]) != {name: row[name] for name in _of_body}:
                return Verdict(count, chain, f"row {count + 1} is not as it was written")
            chain, count = wanted, count + 1
    last = json.loads(head) if head else [0, START]
    if last != [count, chain]:
        return Verdict(count, chain, f"the log should end with row {last[0]}, it ends with row {count}")
    return Verdict(count, chain)


def entries(engine: Engine, *, since: float | None = None, newest: int | None = None) -> list[Entry]:
    """The log, oldest first; `newest`: only so many."""
    query = select(_table.c.number, _table.c.chain, _table.c.body).order_by(_table.c.number.desc()).limit(newest)
    if since is not None:
        query = query.where(_table.c.at >= since)
    with engine.connect() as connection:
        found = [Entry(number, chain, _control(body)) for number, chain, body in connection.execute(query)]
    return found[::-1]


def lines(found: Sequence[Entry]) -> Iterator[str]:
    """JSON lines; each control as it was written, with its number and chain."""
    for one in found:
        yield msgspec.json.encode(
            {"number": one.number, "chain": one.chain, **msgspec.to_builtins(one.control)}
        ).decode()


def link(before: str, number: int, body: str) -> str:
    """The chain of a row: SHA-256 over that of the row before, the number and the body."""
    return hashlib.sha256(f"{before}\n{number}\n{body}".encode()).hexdigest()


def _last(connection: Connection) -> tuple[int, str]:
    row = connection.execute(select(_table.c.number, _table.c.chain).order_by(_table.c.number.desc()).limit(1)).first()
    return (0, START) if row is None else (row.number, row.chain)


def _save_head(connection: Connection, number: int, chain: str) -> None:
    write(
        connection,
        replacing(connection.dialect.name, tables.meta),
        [{"key": HEAD, "value": json.dumps([number, chain])}],
    )


def _control(body: str) -> Control:
    return msgspec.json.decode(body, type=Control)


def _row(one: Control) -> dict[str, Any]:
    body = msgspec.json.encode(one).decode()
    return {"body": body, **_columns(body)}


def _columns(body: str) -> dict[str, Any]:
    one = _control(body)
    return {name: getattr(one, name) for name in _of_body}
