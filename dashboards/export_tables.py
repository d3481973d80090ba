"""What the tables of the pages show, as rows: the same choice, whole numbers instead of phrases, times with their zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dashboards.acts_said import about, told
from dashboards.board_panels import RANK
from dashboards.catalogue import Catalogue
from dashboards.csv_text import Value
from dashboards.frame import keyword_names
from dashboards.live import Board
from dashboards.matrix import Grid
from dashboards.series_page import Series
from dashboards.words import local, usual_range
from streams.runtime.store.audit import Entry


class Table(NamedTuple):
    """A head and its rows."""

    head: Sequence[str]
    rows: Iterable[Sequence[Value]]


def incident_table(board: Board, names: Catalogue, zone: str) -> Table:
    """Open incidents as the board ranks them, signals last."""
    ranked = sorted(board.open, key=lambda i: (RANK.get(i.state, 3), -i.people, i.id))
    head = ("state", "place", "problem", "people", "usually from", "usually to", "times the usual", "trend", "since", "channels",
            "acknowledged by", "assigned to", "verdict", "drill", "id")  # fmt: skip
    rows = [
        (i.state, i.scope.name, keyword_names(i, names), i.people, *usual_range(i.expected), i.factor, i.trend, stamp(i.onset, zone),
         " + ".join(sorted(i.channels)), i.acked_by, i.assigned_to, i.verdict, "yes" if i.drill else "no", i.id)
        for i in ranked
    ]  # fmt: skip
    return Table(head, rows)


def matrix_table(grid: Grid, names: Catalogue, unseen: Mapping[str, Sequence[str]]) -> Table:
    """Place by problem: how many people, and how many are expected; `unseen`: blind sources by place, for whose people a 0 says nothing."""
    head = ["place", "blind"]
    for keyword in grid.keywords:
        head += [names.keyword(keyword), f"{names.keyword(keyword)}, expected"]
    rows: list[list[Value]] = []
    for place in grid.places:
        row: list[Value] = [names.full_name(place), " + ".join(unseen.get(place, ()))]
        for keyword in grid.keywords:
            cell = grid.cells.get((place, keyword))
            row += [cell.voices, cell.expected] if cell else [0, None]
        rows.append(row)
    return Table(head, rows)


def series_table(series: Series, zone: str) -> Table:
    """Each bar of the chart, oldest first."""
    head = ("from", "seconds", "people", "messages", "expected", "band from", "band to", "a week earlier")
    rows = [
        (stamp(b.start, zone), b.seconds, b.people, b.messages, b.expected, *((b.low, b.upper) if b.expected is not None else (None, None)),
         series.ghost[n] if series.ghost else None)
        for n, b in enumerate(series.bars)
    ]  # fmt: skip
    return Table(head, rows)


def acts_table(log: Iterable[Entry], names: Catalogue, zone: str, now: float) -> Table:
    """The log of what people did, newest first."""
    head = ("time", "who", "what", "incident", "in words", "by way of")
    rows = [
        (stamp(c.at, zone), c.author, c.kind, c.incident, told(c, zone, now, about(c, names)), c.via)
        for c in (entry.control for entry in log)
    ]
    return Table(head, rows)


def stamp(at: float, zone: str) -> str:
    """ISO 8601 in the viewer's zone, with its offset."""
    return local(at, zone).isoformat(timespec="seconds")
