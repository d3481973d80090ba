"""Sends what stands in the outbox. For now the log is the only channel: one line for each incident that opens, grows up or ends."""

from __future__ import annotations

import time

import msgspec
import structlog
from sqlalchemy import Engine, select, update

from alerting.model import Incident
from streams.runtime.store import tables

log = structlog.get_logger(__name__)
BATCH = 100


def deliver(engine: Engine) -> int:
    """Tell what is pending, oldest revision first; returns how many. At least once: a crash between may tell one again."""
    outbox, revisions = tables.outbox, tables.incident_revisions
    with engine.connect() as connection:
        pending = connection.execute(
            select(outbox.c.dedup_key, outbox.c.channel, revisions.c.body)
            .join(revisions, (revisions.c.id == outbox.c.incident) & (revisions.c.revision == outbox.c.revision))
            .where(outbox.c.state == "pending")
            .order_by(revisions.c.updated_at, outbox.c.dedup_key)
            .limit(BATCH)
        ).all()
    for key, channel, body in pending:
        incident = msgspec.json.decode(body, type=Incident)
        tell(incident)
        with engine.begin() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.dedup_key == key, outbox.c.channel == channel)
                .values(state="sent", sent_at=time.time(), attempts=outbox.c.attempts + 1)
            )
    return len(pending)


def tell(incident: Incident) -> None:
    """One line in the log."""
    log.warning(
        "incident",
        id=incident.id,
        revision=incident.revision,
        state=incident.state,
        title=incident.title,
        people=incident.people,
        expected=round(incident.expected, 1),
    )
