"""DELIVER in a process of its own, to be killed: writes numbered incidents at a pace, going on where the store is, and sends them.

`python deliver_process.py STORE PORT INCIDENTS PER_SECOND`; posts to a receiver on loopback, a path for each channel.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import orjson
from sqlalchemy import func, select

from alerting.message import Message
from alerting.model import Incident, Scope
from alerting.notify.base import ChannelSettings, Sent
from alerting.notify.http import Poster
from alerting.routing import Route
from streams.runtime.deliver import sending
from streams.runtime.notify_settings import NotifySettings
from streams.runtime.store import tables
from streams.runtime.store.lease import Lease
from streams.runtime.store.migrations import open_store
from streams.runtime.store.planner import Planner
from streams.runtime.store.writer import Work, Writer

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 1.0
ROUTES = (Route(channels=("hook", "chat")), Route(channels=("pager",), tier="confirmed"))


class NoNames:
    """Trees without places and keywords."""

    parent: tuple[int, ...] = ()


class PostSettings(ChannelSettings):
    """A channel that posts a line for each message."""

    kind: str = "post"
    url: str
    every_seconds: float = 0.0
    digests: bool = False
    keyed: bool = True

    def make(self, name: str) -> PostChannel:
        return PostChannel(self)


class PostChannel:
    """The real poster, under a body that the receiver can judge."""

    def __init__(self, settings: PostSettings) -> None:
        self.every_seconds, self.digests, self.keyed = settings.every_seconds, settings.digests, settings.keyed
        self._url = settings.url
        self._poster = Poster(allow_hosts=(HOST,), timeout_seconds=TIMEOUT_SECONDS)

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        told = [{"id": one.id, "key": one.key, "action": one.action, "at": one.created_at} for one in messages]
        await self._poster.post(self._url, content=orjson.dumps(told))
        return Sent()

    async def close(self) -> None:
        await self._poster.close()


def notify(port: int, every_seconds: float) -> NotifySettings:
    """Three channels: two that know a dedup key, one that does not and takes digests."""
    base = f"http://{HOST}:{port}"
    return NotifySettings(
        channels={
            "hook": PostSettings(url=f"{base}/hook", every_seconds=every_seconds),
            "pager": PostSettings(url=f"{base}/pager", every_seconds=every_seconds),
            "chat": PostSettings(url=f"{base}/chat", every_seconds=every_seconds, digests=True, keyed=False),
        },
        routes=ROUTES,
        trouble_channels=("hook",),
    )


def incident(number: int, revision: int) -> Incident:
    """Revision 1 suspects, 2 confirms, 3 resolves."""
    state = ("suspected", "confirmed", "resolved")[revision - 1]
    return Incident(
        id=f"incident-{number}", revision=revision, state=state, onset=0.0, opened_at=0.0, updated_at=float(revision),  # type: ignore[arg-type]
        suspected_at=1.0, confirmed_at=2.0 if revision > 1 else None, resolved_at=3.0 if revision == 3 else None,
        scope=Scope("city:1", "A", "city", ("A",)), keywords=("*",), title="power out at A", people=9, messages=9, expected=1.0,
        factor=9.0, p_value=0.0, reason=state,
    )  # fmt: skip


async def run(store: str, port: int, incidents: int, per_second: float) -> None:
    """Until it is killed."""
    engine = open_store(store)
    lease = Lease(engine)
    settings = notify(port, every_seconds=0.01)
    writer = Writer(engine, NoNames(), NoNames(), str, planner=Planner(engine, settings.routes))  # type: ignore[arg-type]
    loop = sending(writer, lease, settings)
    loop.start()
    with engine.connect() as connection:
        done = connection.execute(select(func.count()).select_from(tables.incident_revisions)).scalar_one()
    for step in range(done, incidents * 3):  # a new one opens, an older one is confirmed, a still older one ends
        number, revision = divmod(step, 3)
        await asyncio.to_thread(writer.commit, Work(incidents=[incident(number, revision + 1)]), None, lease.check)
        loop.wake()
        await asyncio.sleep(1 / (3 * per_second))
    print("written", time.time(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
