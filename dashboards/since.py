"""What changed since a viewer's last look: a line under the headline, a mark at each incident; laid over the board all share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from alerting.model import Incident, State
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, name_of
from dashboards.live import Board
from dashboards.words import clock, count_of

VISIT_SECONDS = 900.0  # who comes back within it is still at the same look
GROWN = 2.0  # times the people: what messages call grown
SHOWN = 6  # names of what is over
LOUD: tuple[State, ...] = ("suspected", "confirmed")


class Looks(NamedTuple):
    """What a browser remembers: the end of the look before this one, and the newest sight (Unix seconds)."""

    before: float
    newest: float


def looks_of(cookie: str, now: float) -> Looks:
    """This look, by the cookie of the one before; a first one begins now."""
    said = [float(part) for part in cookie.split(".") if part.isascii() and part.isdigit() and len(part) < 12]
    if len(said) != 2 or max(said) > now:
        return Looks(now, now)
    before, newest = said
    return Looks(before if now - newest < VISIT_SECONDS else newest, now)


def cookie_of(looks: Looks) -> str:
    return f"{int(looks.before)}.{int(looks.newest)}"


class Changes(NamedTuple):
    """Incidents by what became of them since `looked`; drills are not counted, signals are told to nobody."""

    looked: float
    marks: dict[str, str]  # by incident that is open: "new", "confirmed", "grew from 12 people"
    opened: int
    confirmed: int
    grew: int
    joined: int  # turned out to be part of another
    over: list[Incident]


def changes(looked: float, then: Iterable[Incident], board: Board) -> Changes:
    """`then`: incidents as they were at `looked`."""
    known = {i.id: i for i in then if i.state in LOUD and not i.drill}
    loud = {i.id: i for i in board.open if i.state in LOUD and not i.drill}
    marks = {id: mark for id, i in loud.items() if (mark := _mark(i, known))}
    kinds = [mark.split()[0] for mark in marks.values()]
    gone = known.keys() - {i.id for i in board.open}
    joined = gone & {i.id for i in board.resolved if i.merged_into is not None}
    over = [known[id] for id in sorted(gone - joined)]
    return Changes(looked, marks, kinds.count("new"), kinds.count("confirmed"), kinds.count("grew"), len(joined), over)


def _mark(now: Incident, known: Mapping[str, Incident]) -> str | None:
    then = known.get(now.id)
    if then is None:
        return "new"
    if now.state == "confirmed" and then.state == "suspected":
        return "confirmed since"
    return f"grew from {then.people:,} people" if now.people >= GROWN * max(1, then.people) else None


def since_line(found: Changes, view: View, names: Catalogue, now: float) -> Node | None:
    """`Since your last look, 07:10: 2 opened, 1 over, 1 grew`; None where the look still lasts and nothing happened."""
    counts = [(found.opened, "opened"), (found.confirmed, "confirmed"), (found.grew, "grew"),
              (found.joined, "joined another"), (len(found.over), "over")]  # fmt: skip
    said = ", ".join(f"{n} {what}" for n, what in counts if n)
    if not said and now - found.looked < VISIT_SECONDS:
        return None
    ended = [h("a", name_of(i, names), href=f"/incident/{i.id}", key=i.id) for i in found.over[:SHOWN]]
    more = f"and {count_of(len(found.over) - SHOWN, 'more')}" if len(found.over) > SHOWN else None
    return h(
        "p",
        h("span", f"Since your last look, {clock(found.looked, view.zone, now)}: "),
        h("b", said or "nothing new"),
        h("span", " · over: ", [piece for link in ended for piece in (link, " ")], more) if ended else None,
        h("button", "Seen", type="button", act=("seen",), title="Count from now on") if said else None,
        class_="sincelook",
        key="since",
    )


def with_changes(page: Node, line: Node, marks: Mapping[str, str]) -> Node:
    """The board with the line in its headline and the marks in its rows; all else stays the very same tree."""
    kind = str(page.attrs.get("class", "")).split()
    if "headline" in kind:
        return page._replace(children=(*page.children, line))
    if page.tag == "li" and "incident" in kind:
        mark = marks.get(page.key or "")
        return page if mark is None else _with_mark(page, mark)
    if page.tag == "ol" or page.key == "incidents" or "board" in kind:
        return page._replace(children=tuple(with_changes(child, line, marks) for child in page.children))
    return page


def _with_mark(row: Node, mark: str) -> Node:
    told = h("span", mark, class_="sincemark", key="since")
    what = [c._replace(children=(*c.children, told)) if c.attrs.get("class") == "what" else c for c in row.children]
    return row._replace(children=tuple(what))
