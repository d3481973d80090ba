"""Incidents the store holds as open and a pipeline that counts anew does not know: they end, saying why."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from alerting.model import Incident, State
from streams.runtime.store.reader import Reader

OPEN: tuple[State, ...] = ("signal", "suspected", "confirmed")


def ended_orphans(reader: Reader, open_now: Sequence[Incident]) -> list[Incident]:
    """A last revision, as of the store's last close, for each open incident of the store that is not among `open_now`."""
    at = float(reader.meta().get("last_close", 0.0))
    known = {incident.id for incident in open_now}
    return [
        msgspec.structs.replace(
            one,
            revision=one.revision + 1,
            state="resolved",
            resolved_at=at,
            updated_at=at,
            reason="configuration changed",
        )
        for one in reader.incidents(states=OPEN, limit=10_000)
        if one.id not in known
    ]
