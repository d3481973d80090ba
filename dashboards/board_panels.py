"""What stands under the incidents on the first page: the map, what rises, new words, what ended today."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.map import Dot, world_map
from dashboards.matrix import NEAR, grade, known, told_of
from dashboards.words import people, usual
from streams.runtime.store.reader import Cell

RANK = {"confirmed": 0, "suspected": 1, "signal": 2}
MAP_DOTS = 150
RISING = 6
NEW_WORDS = 8


def _leaves(cells: Iterable[Cell], catalogue: Catalogue) -> list[Cell]:
    """The cells of any problem at the smallest places, each person once."""
    near = {c.place: c for c in cells if c.keyword == "*" and catalogue.place(c.place).level in NEAR}
    outer = {o for p in near for o in catalogue.above(p) if o in near and near[o].voices == near[p].voices}
    return [c for p, c in near.items() if p not in outer]


def unseen(board: Board) -> dict[str, list[str]]:
    """Places by id with the blind sources that usually report from there."""
    places: dict[str, list[str]] = {}
    for source in board.sources:
        for place in source.blind_places if source.blind_since is not None else ():
            places.setdefault(place, []).append(source.source)
    return places


def map_panel(board: Board, catalogue: Catalogue) -> Node:
    tiers: dict[str, str] = {}
    for incident in sorted(board.open, key=lambda i: -RANK.get(i.state, 3)):
        for place in (incident.scope.place, *(p.place for p in incident.places)):
            tiers[place] = incident.state
    blind = unseen(board)
    dots = []
    cells = {c.place: c for c in _leaves(board.cells, catalogue)}
    for place in {*cells, *(p for p in tiers if catalogue.place(p).level in NEAR), *blind}:
        found, cell = catalogue.place(place), cells.get(place)
        if found.coordinates is None or found.level not in NEAR:
            continue
        above = max(0.0, cell.voices - cell.expected) if cell and known(cell) else 0.0
        said = f"{found.name}: {told_of(cell) if cell else 'nobody'}"
        said += f", {' and '.join(blind[place])} not seen" if place in blind else ""
        name, tier_ = catalogue.short(place), tiers.get(place)
        dots.append(Dot(place, name, *found.coordinates, above, said, tier_, place in blind))
    dots.sort(key=lambda d: (d.tier is None, not d.blind, -d.above, d.place))
    wide = {"region", "country"}
    struck = {catalogue.place(p).name for p in tiers if catalogue.place(p).level in wide}
    hatched = {catalogue.place(p).name for p in blind if catalogue.place(p).level in wide}
    return world_map(dots[:MAP_DOTS], hatched, struck)


def rising(board: Board, catalogue: Catalogue) -> Node:
    """What grows but is no incident yet."""
    taken = {i.scope.place for i in board.open} | {p.place for i in board.open for p in i.places}
    found = [
        c
        for c in board.cells
        if c.voices >= 3
        and c.keyword != "*"
        and grade(c)
        and c.place not in taken
        and catalogue.place(c.place).level in NEAR
    ]
    found.sort(key=lambda c: (c.p_value, -c.voices, c.place, c.keyword))
    if not found:
        return panel("Rising, not yet unusual", h("p", "Nothing is growing just now.", class_="empty"))
    seen: list[str] = []
    lines: list[Node] = []
    for cell in found:
        inside = catalogue.contains
        if len(lines) == RISING or any(inside(p, cell.place) or inside(cell.place, p) for p in seen):
            continue
        seen.append(cell.place)
        name = f"{catalogue.short(cell.place)} · {catalogue.keyword(cell.keyword)}"
        link = h("a", name, href=f"/why-not?place={cell.place}&keyword={cell.keyword}")
        lines.append(h("li", link, h("span", f"{people(cell.voices)}, {usual(cell.expected)}", class_="quiet"),
                       key=f"{cell.place} {cell.keyword}"))  # fmt: skip
    return panel("Rising, not yet unusual", h("ul", lines, class_="lines"))


def new_words(board: Board, catalogue: Catalogue) -> Node:
    """What people began to say that no pack asked for, and where."""
    if board.past:
        return panel("New words", h("p", "Of past moments these are not kept.", class_="empty"))
    lines = [
        h(
            "li",
            h("b", f"“{one.word}”"),
            "" if one.place == "everywhere" else h("span", f" at {catalogue.short(one.place)}"),
            h("span", f"{people(one.people)}, {usual(one.expected)}", class_="quiet"),
            key=f"{one.word} {one.place}",
        )
        for one in board.status.new_words[:NEW_WORDS]
    ]
    if not lines:
        return panel("New words", h("p", "None in the last hour.", class_="empty"))
    return panel("New words", h("ul", lines, class_="lines"), note="last hour, beside the problems above")


def resolved(board: Board, view: View, catalogue: Catalogue) -> Node:
    """What is over; what became part of another incident goes on there."""
    told = [i for i in board.resolved if (i.confirmed_at or i.suspected_at) and i.merged_into is None]
    ended = sorted(told, key=lambda i: -(i.resolved_at or 0))
    title = f"Resolved {'that day' if board.past else 'today'}: {len(ended)}"
    return panel(title, incident_list(ended[:8], catalogue, view, board.now, "Nothing so far."), key="resolved")
