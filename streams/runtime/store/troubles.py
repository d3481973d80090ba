"""Trouble of overheard's own as the store knows it: blind sources, messages that died; told when it begins and when it is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select

from alerting.message import Trouble
from alerting.messages import blind_line
from alerting.model import Blind
from alerting.outbox import GIVE_UP_SECONDS
from streams.runtime.store import tables
from streams.runtime.store.upsert import keeping, write
from streams.runtime.store.writer import read_meta, write_meta

KEY = "troubles"
MOST_BLIND = 5  # told one by one; more are one trouble, for one cause will be behind them
BLIND, OTHERS = "blind:", "blind-others"
SEE_WHETHER = "See whether it still brings complaints; what it reported of stays open until it does."


class Troubles:
    """`channels` are told, but never of themselves while there is another."""

    def __init__(self, engine: Engine, channels: Sequence[str], timezone: str) -> None:
        self.channels, self.timezone = tuple(channels), timezone
        with engine.connect() as connection:
            self._known = _read(connection)

    def found(self, connection: Connection, now: float) -> list[Trouble]:
        """Blind sources, and channels for which messages died within a day."""
        return [*self._blind(connection, now), *_dead(connection, now)]

    def _blind(self, connection: Connection, now: float) -> list[Trouble]:
        table = tables.sources
        query = select(table.c.source, table.c.blind_since, table.c.usual_per_hour).where(
            table.c.blind_since.is_not(None)
        )
        found = {}
        for source, since, usual in connection.execute(query.order_by(table.c.blind_since, table.c.source)):
            line = blind_line(Blind(source, since, usual), now, self.timezone)
            key = f"{BLIND}{source}"[:255]
            found[key] = Trouble(key=key, line=line, advice=SEE_WHETHER, since=since)
        one_by_one = [key for key in self._known if key in found]
        one_by_one += [key for key in found if key not in self._known][: max(0, MOST_BLIND - len(one_by_one))]
        others = [trouble for key, trouble in found.items() if key not in one_by_one]
        told = [found[key] for key in one_by_one]
        if others:
            names = ", ".join(one.key.removeprefix(BLIND) for one in others[:MOST_BLIND])
            more = f" and {len(others) - MOST_BLIND} more" if len(others) > MOST_BLIND else ""
            line = f"overheard is BLIND for more sources: {names}{more}."
            told.append(Trouble(key=OTHERS, line=line, advice=SEE_WHETHER, since=others[0].since))
        return told

    def are_known(self, troubles: Sequence[Trouble]) -> bool:
        """Whether nothing began and nothing is over."""
        return self._known.keys() == {one.key for one in troubles}

    def with_doubtful(self, troubles: Sequence[Trouble], doubtful: Collection[str]) -> list[Trouble]:
        """These, and what was told of before and may go on."""
        return [*troubles, *(one for key, one in self._known.items() if key in doubtful)]

    def tell(self, connection: Connection, troubles: Sequence[Trouble], now: float) -> None:
        """Rows for what began and what is over, and what is the matter now."""
        known, current = _read(connection), {one.key: one for one in troubles}
        rows = [_row(channel, one, _next(connection, channel, one.key), now)
                for one in current.values() if one.key not in known for channel in self._told_of(one)]  # fmt: skip
        for key in known.keys() - current.keys():
            over = msgspec.structs.replace(known[key], over=True)
            table = tables.outbox
            query = select(table.c.channel).where(table.c.key == key).distinct().order_by(table.c.channel)
            channels = connection.execute(query).scalars().all()
            rows += [_row(channel, over, _next(connection, channel, key), now) for channel in channels]
        write(connection, keeping(connection.dialect.name, tables.outbox), rows)
        write_meta(connection, {KEY: [msgspec.to_builtins(one) for one in current.values()]})

    def saved(self, troubles: Sequence[Trouble]) -> None:
        """The transaction is through."""
        self._known = {one.key: one for one in troubles}

    def _told_of(self, one: Trouble) -> Sequence[str]:
        kind, _, rest = one.key.partition(":")
        concerned = rest.partition(":")[0] if kind in ("channel", "dead", "instance") else None
        return [name for name in self.channels if name != concerned] or self.channels


def _read(connection: Connection) -> dict[str, Trouble]:
    return {one.key: one for one in msgspec.convert(read_meta(connection).get(KEY, []), list[Trouble])}


def _dead(connection: Connection, now: float) -> list[Trouble]:
    table = tables.outbox
    query = (
        select(table.c.channel, func.count(), func.max(table.c.error), func.min(table.c.ended_at))
        .where(table.c.state == "dead", table.c.ended_at > now - GIVE_UP_SECONDS)
        .group_by(table.c.channel)
        .order_by(table.c.channel)
    )
    found = []
    for channel, count, error, since in connection.execute(query):
        line = f"{count} message{'s' if count != 1 else ''} to {channel} could not be delivered within a day: {error}"
        advice = "Read them on the board; see why the channel takes nothing."
        found.append(Trouble(key=f"dead:{channel}", line=line, advice=advice, since=since))
    return found


def _next(connection: Connection, channel: str, key: str) -> int:
    """The number of the next message about it."""
    table = tables.outbox
    query = select(func.max(table.c.sequence)).where(table.c.channel == channel, table.c.key == key)
    return (connection.execute(query).scalar() or 0) + 1


def _row(channel: str, one: Trouble, sequence: int, now: float) -> dict[str, Any]:
    return {"channel": channel, "key": one.key, "sequence": sequence, "action": "resolve" if one.over else "open", "created_at": now,
            "state": "pending", "attempts": 0, "not_before": 0.0, "refused": False, "body": msgspec.json.encode(one).decode()}  # fmt: skip
