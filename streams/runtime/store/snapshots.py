"""Snapshots of the pipeline, in two slots by turns, each with its checksum: a spoilt one leaves the one before."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from streams.runtime.store import tables
from streams.runtime.store.upsert import replacing, write

COMPRESSION = 1


class Snapshot(msgspec.Struct, frozen=True):
    """The pipeline's state after the entries of the log before `position`, and how far followed files were read."""

    position: int
    made_at: float
    config: str
    cursors: dict[str, Any]
    state: bytes


def save_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Write it over the older of the two slots."""
    table = tables.snapshots
    slots = connection.execute(select(table.c.slot).order_by(table.c.position.desc())).scalars().all()
    free = next((slot for slot in (0, 1) if slot not in slots), None)
    packed = zlib.compress(snapshot.state, COMPRESSION)
    row = {
        "slot": slots[-1] if free is None else free,
        "position": snapshot.position,
        "made_at": snapshot.made_at,
        "config": snapshot.config,
        "cursors": json.dumps(snapshot.cursors),
        "checksum": _checksum(packed, snapshot.position),
        "state": packed,
    }
    write(connection, replacing(connection.dialect.name, table), [row])


def load_snapshots(engine: Engine) -> tuple[list[Snapshot], list[str]]:
    """The intact snapshots, newest first, and a line on each that is not."""
    intact, spoilt = [], []
    with engine.connect() as connection:
        for row in connection.execute(select(tables.snapshots).order_by(tables.snapshots.c.position.desc())):
            if _checksum(row.state, row.position) != row.checksum:
                spoilt.append(f"snapshot at {row.position} (slot {row.slot}) does not match its checksum")
                continue
            intact.append(
                Snapshot(row.position, row.made_at, row.config, json.loads(row.cursors), zlib.decompress(row.state))
            )
    return intact, spoilt


def _checksum(packed: bytes, position: int) -> str:
    return hashlib.blake2b(packed, digest_size=16, key=str(position).encode()).hexdigest()
