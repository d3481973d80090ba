"""The board as it looked at a past moment: revisions, counts, acts and blind sources known then, none that came later."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from alerting.model import Incident
from dashboards.acts import overlaid
from dashboards.live import HOUR, SPARKS, Board, Live, midnight, spark
from dashboards.settings import PageSettings
from dashboards.words import parse_minute
from streams.runtime.store.reader import Cell, Status

FIRST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()  # nothing older is ever counted
EVERYONE = ("everywhere", "nowhere")


def parse_at(said: str, zone: str, now: float) -> float | None:
    """The moment an address asks for (`2026-11-20T07:30Z`, or without a zone in the viewer's); None where there is no such past."""
    at = parse_minute(said.strip().replace(" ", "+"), zone)
    return at if at is not None and FIRST <= at <= now else None


async def board_at(live: Live, settings: PageSettings, at: float | None) -> Board:
    """The board at a past moment, read once for all who look at it; the present one where `at` is None."""
    if at is None:
        return live.board or await live.refresh()
    return await live.shared(("past", at), lambda: read_past(live, at, settings.lateness_seconds, settings.timezone))


def read_past(live: Live, at: float, lateness: float, zone: str) -> Board:
    """Reads the store; `lateness` (seconds) says which window had closed by then. Runs in a thread.

    Late records that came after `at` are in the counts: cells do not keep when each person was added.
    Of words that were new, of the budget and of the service's own troubles only the present is kept.
    """
    reader, kept = live.reader, live.reader.meta()
    window = int(kept.get("window_seconds", 60))
    closed = math.floor((at - lateness) / window) * float(window)
    since, until = at - HOUR, closed
    if since < kept.get("cells_from", -math.inf):  # only whole hours are left of it
        until = math.floor(closed / HOUR) * HOUR
        since = until - HOUR
    cells = tuple(reader.matrix(since, until)) if since < until else ()
    controls = [c for c in live.controls(since=at - 7 * 86400) if c.at <= at]
    begin = midnight(at, zone)
    found = [overlaid(i, controls) for i in reader.incidents(since=begin, at=at)]
    going_on = tuple(i for i in found if i.state != "resolved")
    return Board(
        version=0,
        now=at,
        status=_status(cells, closed, window, kept.get("learning_until")),
        sources=tuple(reader.sources_then(closed)),
        open=going_on,
        resolved=tuple(i for i in found if i.state == "resolved" and (i.resolved_at or 0) >= begin),
        cells=cells,
        sparks={i.id: spark(reader, i, at, closed) for i in going_on[:SPARKS] if i.state != "signal"},
        past=True,
    )


def _status(cells: tuple[Cell, ...], closed: float, window: int, learning: float | None) -> Status:
    everyone = [c for c in cells if c.keyword == "*" and c.place in EVERYONE]
    return Status(
        last_close=closed,
        window_seconds=window,
        learning_until=learning,
        people_last_hour=sum(c.voices for c in everyone),
        usual_last_hour=sum(c.expected for c in everyone),
    )


def until_then(revisions: list[Incident], at: float | None) -> list[Incident]:
    """The revisions written until then; all where `at` is None."""
    return revisions if at is None else [one for one in revisions if one.updated_at <= at]
