"""The report for the morning meeting: one incident, or all of a time, on paper. What, where, since when, how sure and why, what was done."""

from __future__ import annotations

from collections.abc import Sequence

from alerting.model import Control, Incident
from alerting.standing import kept
from dashboards.acts import overlaid
from dashboards.acts_said import told
from dashboards.board_panels import RANK
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, banners, panel, tier
from dashboards.incident_page import Detail, incident_page, title_of
from dashboards.live import Board
from dashboards.words import clock, count_of, duration, local, people, usual
from streams.evaluation import decided

MOST = 40  # incidents told in full
DONE = ("ack", "assign", "intervention", "silence", "snooze")  # what tells that somebody took it up
DEEPER = {"h1": "h2", "h2": "h3", "h3": "h4", "nav": "div"}


def was_told(incident: Incident, since: float, until: float) -> bool:
    """Whether people were told of it, and it went on at any time in [since, until)."""
    begun = incident.suspected_at or incident.confirmed_at
    return begun is not None and begun < until and (incident.resolved_at is None or incident.resolved_at >= since)


def ranked(incidents: Sequence[Incident]) -> list[Incident]:
    """Those that go on first, then by people; drills last."""
    return sorted(incidents, key=lambda i: (i.drill, RANK.get(i.state, 3), -i.people, i.id))


def meeting_report(
    board: Board,
    view: View,
    names: Catalogue,
    details: Sequence[Detail],
    span: tuple[float, float] | None,
    more: int = 0,
) -> Node:
    """`details` in the order of `ranked`; `span`: the time it is about, None for one incident; `more`: told of too, not shown."""
    still = view._replace(at=board.now)  # nothing on it can be pressed
    found = [overlaid(d.revisions[-1], d.controls) for d in details]
    return h(
        "article",
        h("header", h("h1", _title(found, names, view, span)), h("p", _short(board, found, span, more), class_="lede"),
          h("p", f"As of {_day(board.now, view)}. overheard counts people who complain, not messages; examples are redacted.",
            class_="quiet small"),
          h("button", "Print", type="button", onclick="print()", class_="primary"), class_="reporthead"),
        banners(board, view),
        _summary(list(zip(found, details, strict=True)), view, names, board.now) if span else None,
        [_section(one, detail, still, names, board.now) for one, detail in zip(found, details, strict=True)],
        class_="report",
    )  # fmt: skip


def _day(at: float, view: View) -> str:
    here = local(at, view.zone)
    return f"{here:%A} {here.day} {here:%B %Y}, {here:%H:%M} {here:%Z}"


def _title(found: Sequence[Incident], names: Catalogue, view: View, span: tuple[float, float] | None) -> str:
    if span is None:
        return f"Incident report: {title_of(found[0], names)}"
    return f"Incidents from {_day(span[0], view)} to {_day(span[1], view)}"


def _short(board: Board, found: Sequence[Incident], span: tuple[float, float] | None, more: int) -> str:
    if span is None:
        return ""
    real = [i for i in found if not i.drill]
    over = sum(i.state == "resolved" for i in real)
    if not real:
        said = "Nothing was told to anybody in this time."
    else:
        first = (
            f"The first {len(found)} of {len(found) + more} told" if more else f"{count_of(len(real), 'incident')} told"
        )
        said = f"{first}, {len(real) - over} going on, {over} over."
    drills = f" {count_of(len(found) - len(real), 'drill')} beside." if len(found) > len(real) else ""
    blind = [s.source for s in board.sources if s.blind_since is not None]
    return said + drills + (f" Not seen just now: {', '.join(blind)}." if blind else "")


def _summary(told_of: Sequence[tuple[Incident, Detail]], view: View, names: Catalogue, now: float) -> Node | None:
    if not told_of:
        return None
    head = h(
        "tr",
        [h("th", t, scope="col") for t in ("State", "What and where", "Since", "People", "Told after", "Taken up")],
    )
    rows = [
        h("tr", h("td", tier(i.state)), h("th", title_of(i, names) + (" (drill)" if i.drill else ""), scope="row"),
          h("td", clock(i.onset, view.zone, now)), h("td", f"{i.people:,} ({usual(i.expected)})"),
          h("td", duration(decided(i) - i.onset)), h("td", _taken_up(i, d, view, now)), key=i.id)
        for i, d in told_of
    ]  # fmt: skip
    caption = h("caption", "Incidents of this time", class_="sr")
    table = h("table", caption, h("thead", head), h("tbody", rows), class_="figures")
    return panel(
        "In short", h("div", table, class_="wide", tabindex="0", role="group", aria_label="Incidents of this time")
    )


def _first_act(incident: Incident, detail: Detail) -> Control | None:
    """What told first that somebody took it up; a silence that stood before it began was not about it."""
    return next((c for c in kept(detail.controls) if c.kind in DONE and c.at >= incident.onset), None)


def _taken_up(incident: Incident, detail: Detail, view: View, now: float) -> str:
    first = _first_act(incident, detail)
    return f"{clock(first.at, view.zone, now)} by {first.author}" if first else incident.acked_by or "by nobody"


def _section(incident: Incident, detail: Detail, view: View, names: Catalogue, now: float) -> Node:
    page = incident_page(detail, view, names, now)
    head, *rest = page.children
    extra = h("div", _lead(incident, detail, view, now), _done(detail, view, now), class_="columns two", key="done")
    return h("section", _deeper(head), _deeper(extra), [_deeper(one) for one in rest], class_="told", key=incident.id)


def _lead(incident: Incident, detail: Detail, view: View, now: float) -> Node:
    at = decided(incident)
    lines = [
        f"First unusual at {clock(incident.onset, view.zone, now)}, told at {clock(at, view.zone, now)}: {duration(at - incident.onset)} later."
    ]
    if incident.confirmed_at and incident.confirmed_at > at:
        lines.append(f"Confirmed at {clock(incident.confirmed_at, view.zone, now)}.")
    first = _first_act(incident, detail)
    if first is None:
        lines.append(f"Acknowledged by {incident.acked_by}." if incident.acked_by else "Nobody has taken it up here.")
    elif first.at >= at:
        lines.append(f"{duration(first.at - at)} ahead of the first act on it.")
    else:
        lines.append(f"{first.author} had acted {duration(at - first.at)} before.")
    peak = f" At most {people(incident.peak)} in an hour." if incident.peak else ""
    end = incident.resolved_at
    lines.append(("It goes on." if end is None else f"Over after {duration(end - incident.onset)}.") + peak)
    return panel("How early", h("ul", [h("li", line) for line in lines]), key="lead")


def _done(detail: Detail, view: View, now: float) -> Node:
    """What people did about it, oldest first; what was taken back is left to the timeline."""
    acts = [c for c in kept(detail.controls) if c.kind != "undo"]
    rows = [h("li", h("b", clock(c.at, view.zone, now)), h("span", told(c, view.zone, now)), key=c.id) for c in acts]
    return panel(
        "What was done", h("ul", rows, class_="lines") if rows else h("p", "Nothing was noted here.", class_="empty")
    )


def _deeper(node: Node) -> Node:
    """The part of a page one heading lower; folds are left out, for paper cannot be unfolded."""
    inside = tuple(_deeper(child) for child in node.children if child.tag != "details")
    attrs = {k: v for k, v in node.attrs.items() if node.tag != "nav" or k != "aria-label"}
    return node._replace(tag=DEEPER.get(node.tag, node.tag), attrs=attrs, children=inside)
