"""DELIVER's sending half, put together: channels of the configuration, the outbox in the store, and the loop between them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from alerting.notify.sending import Sending
from streams.runtime.store.lease import Lease
from streams.runtime.store.outbox import StoreOutbox
from streams.runtime.store.troubles import Troubles
from streams.runtime.store.writer import Writer

if TYPE_CHECKING:
    from streams.runtime.notify_settings import NotifySettings


def sending(writer: Writer, lease: Lease, notify: NotifySettings) -> Sending:
    """What sends the rows that `writer` writes, as long as `lease` holds. Raises SQLAlchemyError."""
    outbox = StoreOutbox(
        writer.engine,
        lease,
        writer.planner,
        Troubles(writer.engine, notify.trouble_channels, notify.timezone),
        links=notify.links,
        timezone=notify.timezone,
    )
    return Sending(outbox, notify.make(), time.time)
