"""The outbox in the database: rows claimed and ended under the lease, and what each says, out of the incidents beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, and_, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from alerting.message import Action, Links, Message, Trouble
from alerting.model import Incident
from alerting.outbox import Delivery, ReplacedError, UnreachableError
from streams.runtime.store import tables
from streams.runtime.store.lease import FencedError, Lease
from streams.runtime.store.planner import Planner
from streams.runtime.store.troubles import Troubles
from streams.runtime.store.writer import read_meta, write_meta

RESTS = "channel_rests"
WAITING = ("pending", "sending")
KEPT = ("state", "attempts", "not_before", "refused", "thread", "error", "ended_at")
PRUNE_SECONDS = 3600.0
KEEP_SECONDS = 90 * 86400.0  # of what was told of incidents that have ended


class StoreOutbox:
    """What `alerting.outbox.Outbox` asks for."""

    def __init__(
        self, engine: Engine, lease: Lease, planner: Planner, troubles: Troubles, *, links: Links, timezone: str
    ) -> None:
        self._engine, self._lease, self._planner, self._troubles = engine, lease, planner, troubles
        self._links, self._timezone = links, timezone
        self._pruned_at = 0.0

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise UnreachableError(reason_of(error)) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                self._lease.check(connection)
                yield connection
        except FencedError as error:
            raise ReplacedError(str(error)) from error
        except SQLAlchemyError as error:
            raise UnreachableError(reason_of(error)) from error

    # -- rows ----------------------------------------------------------------------------------------------------

    def waiting(self, after: int) -> list[Delivery]:
        """Rows with a higher id that are pending or were being sent, by id."""
        table = tables.outbox
        columns = [table.c[name] for name in Delivery.__struct_fields__]
        query = select(*columns).where(table.c.state.in_(WAITING), table.c.id > after).order_by(table.c.id)
        with self._reading() as connection:
            return [Delivery(**row._mapping) for row in connection.execute(query)]

    def rests(self) -> dict[str, float]:
        """Until when channels asked to be left alone."""
        with self._reading() as connection:
            return dict(read_meta(connection).get(RESTS, {}))

    def claim(self, rows: Sequence[Delivery], ended: Sequence[Delivery]) -> list[Message]:
        """Keep what ended, and that `rows` are being sent; what each says, with the newest facts."""
        with self._writing() as connection:
            _keep(connection, [*ended, *rows])
            return [self._message(connection, row) for row in rows]

    def keep(self, rows: Sequence[Delivery], channel: str, rest_until: float | None = None) -> None:
        """Keep rows as they stand now, and until when their channel asked to be left alone."""
        with self._writing() as connection:
            _keep(connection, rows)
            rests = read_meta(connection).get(RESTS, {})
            if rest_until is not None and rest_until > rests.get(channel, 0.0):
                write_meta(connection, {RESTS: {**rests, channel: rest_until}})

    def prune(self, now: float) -> int:
        """Forget what was told of incidents long ended; returns how many rows."""
        table = tables.outbox
        open_now = select(tables.incidents.c.id).where(tables.incidents.c.state != "resolved")
        old = and_(table.c.ended_at < now - KEEP_SECONDS, table.c.key.not_in(open_now))
        with self._writing() as connection:
            return connection.execute(table.delete().where(old)).rowcount

    # -- what they say -------------------------------------------------------------------------------------------

    def _message(self, connection: Connection, row: Delivery) -> Message:
        """A resolve says how it ended then; all else what is known now, up to what the next row will say."""
        table = tables.outbox
        of_key = and_(table.c.channel == row.channel, table.c.key == row.key)
        thread = connection.execute(
            select(table.c.thread)
            .where(of_key, table.c.thread.is_not(None), table.c.sequence < row.sequence, table.c.state == "sent")
            .order_by(table.c.sequence.desc())
            .limit(1)
        ).scalar()
        made = self._maker(row.channel, row.key, row.sequence, row.action, row.created_at, thread)
        body = connection.execute(select(table.c.body).where(table.c.id == row.id)).scalar()
        if body is not None:
            return made(trouble=msgspec.json.decode(body, type=Trouble))
        later = and_(of_key, table.c.sequence > row.sequence, table.c.state != "superseded")
        following = connection.execute(select(func.min(table.c.sequence)).where(later)).scalar()
        revisions = tables.incident_revisions
        query = select(revisions.c.body).where(revisions.c.id == row.key, revisions.c.revision >= row.sequence)
        if row.action == "resolve":
            query = query.where(revisions.c.revision == row.sequence)
        elif following is not None:
            query = query.where(revisions.c.revision < following)
        found = connection.execute(query.order_by(revisions.c.revision.desc()).limit(1)).scalar_one()
        return made(incident=msgspec.json.decode(found, type=Incident))

    def _maker(
        self, channel: str, key: str, sequence: int, action: Action, created_at: float, thread: str | None = None
    ) -> Callable[..., Message]:
        def made(*, incident: Incident | None = None, trouble: Trouble | None = None) -> Message:
            return Message(
                channel=channel, key=key, sequence=sequence, action=action, created_at=created_at, incident=incident,
                trouble=trouble, links=self._links, timezone=self._timezone, thread=thread,
            )  # fmt: skip

        return made

    def standing(self, channel: str, ended_since: float) -> list[Message]:
        """What the channel was told of and goes on, newest facts; and what ended since and it was told so."""
        table, incidents = tables.outbox, tables.incidents
        open_now = select(incidents.c.id).where(incidents.c.state != "resolved")
        recent = or_(table.c.key.in_(open_now), table.c.ended_at >= ended_since, table.c.body.is_not(None))
        newest = (
            select(func.max(table.c.id).label("id"))
            .where(table.c.channel == channel, table.c.state == "sent", recent)
            .group_by(table.c.key)
            .subquery()
        )
        query = (
            select(table, incidents.c.body.label("incident"))
            .join(newest, newest.c.id == table.c.id)
            .outerjoin(incidents, incidents.c.id == table.c.key)
            .order_by(table.c.id)
        )
        with self._reading() as connection:
            found = connection.execute(query).all()
        return [message for row in found if (message := self._standing(row, ended_since)) is not None]

    def _standing(self, row: Row[Any], ended_since: float) -> Message | None:
        if row.action == "resolve" and row.ended_at < ended_since:
            return None
        if row.body is not None:
            made = self._maker(row.channel, row.key, row.sequence, row.action, row.created_at, row.thread)
            return made(trouble=msgspec.json.decode(row.body, type=Trouble))
        incident = msgspec.json.decode(row.incident, type=Incident)
        over = row.action == "resolve" or incident.state in ("resolved", "signal")
        action: Action = "resolve" if over else "update"
        made = self._maker(row.channel, row.key, incident.revision, action, row.created_at, row.thread)
        return made(incident=incident)

    # -- trouble of our own, and pages without the store ---------------------------------------------------------

    def found_troubles(self, now: float) -> list[Trouble]:
        """Blind sources, and channels for which messages died lately."""
        if now - self._pruned_at >= PRUNE_SECONDS:
            self._pruned_at = now
            self.prune(now)
        with self._reading() as connection:
            return self._troubles.found(connection, now)

    def tell_troubles(self, troubles: Sequence[Trouble], now: float, doubtful: Collection[str] = ()) -> None:
        """Write rows for what began and what is over; what is `doubtful`, by key, is not over where it had begun."""
        troubles = self._troubles.with_doubtful(troubles, doubtful)
        if self._troubles.are_known(troubles):
            return
        with self._writing() as connection:
            self._troubles.tell(connection, troubles, now)
        self._troubles.saved(troubles)

    def straight(self, incident: Incident, now: float) -> list[tuple[Delivery, Message]]:
        """What is to be told of a page that cannot be written yet; needs no store, and is remembered for when it is written."""
        found = []
        for channel, action in self._planner.straight(incident):
            row = Delivery(
                id=0, channel=channel, key=incident.id, sequence=incident.revision, action=action, created_at=now
            )
            message = self._maker(channel, row.key, row.sequence, action, now)(incident=incident)
            found.append((row, message))
        return found


def _keep(connection: Connection, rows: Sequence[Delivery]) -> None:
    """What has ended stays as it is."""
    for row in rows:
        values = {name: getattr(row, name) for name in KEPT}
        table = tables.outbox
        connection.execute(update(table).where(table.c.id == row.id, table.c.state.in_(WAITING)).values(values))


def reason_of(error: SQLAlchemyError) -> str:
    """The database's own words, one line."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
