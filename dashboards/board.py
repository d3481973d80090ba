"""The first page: what is wrong, where, since when, and whether the watcher itself is well."""

from __future__ import annotations

from alerting.model import Incident
from dashboards.board_panels import RANK, map_panel, new_words, resolved, rising, unseen
from dashboards.catalogue import Catalogue
from dashboards.chart import spark
from dashboards.dom import Node, h
from dashboards.frame import View, banners, incident_list, name_of, panel, tier
from dashboards.live import SPARK_SECONDS, Board
from dashboards.matrix import choose, matrix
from dashboards.words import TRENDS, ago, count_of, listed, local, moment, number, people, times, usual, usual_range

WALL_ROWS, WALL_COLUMNS = 6, 6  # what is read from three metres
Folded = tuple[Incident, list[Incident]]
PLURALS = {
    "airport": "airports",
    "city": "cities",
    "county": "counties",
    "region": "regions",
    "spot": "spots",
    "country": "countries",
}


def board_page(board: Board, view: View, catalogue: Catalogue) -> Node:
    """The whole page under the bar."""
    ranked = sorted(board.open, key=lambda i: (RANK.get(i.state, 3), -i.people, i.id))
    loud = [i for i in ranked if i.state != "signal"]
    signals = [i for i in ranked if i.state == "signal"]
    rows = folded(loud, catalogue)
    more = max(0, len(rows) - WALL_ROWS) if view.wall else 0
    if view.wall:
        grid = choose(board.cells, catalogue, "near", max(5, 11 - 2 * len(rows)), WALL_COLUMNS)
    else:
        grid = choose(board.cells, catalogue, view.level)
    where = "people above the expected, last hour" + (" · hatched: partly blind" if unseen(board) else "")
    return h(
        "div",
        banners(board, view),
        _headline(board, view, loud, signals),
        _incidents(rows[: len(rows) - more], more, board, view, catalogue),
        _signals(signals, board, view, catalogue),
        None if view.wall else _take_away(),
        h(
            "div",
            panel("Where", map_panel(board, catalogue), note=where, class_="wheremap"),
            panel(
                "Place × problem",
                matrix(grid, catalogue, view.level, unseen(board)),
                note="last hour",
                class_="wherewhat",
                csv=None if view.wall else f"/export/matrix.csv?level={view.level}",
            ),
            h(
                "div",
                rising(board, catalogue),
                new_words(board, catalogue),
                resolved(board, view, catalogue),
                class_="side",
            ),
            class_="columns",
        ),
        class_="board wall" if view.wall else "board",
    )


def _headline(board: Board, view: View, loud: list[Incident], signals: list[Incident]) -> Node:
    real = [i for i in board.open if not i.drill]
    drills = [i for i in loud if i.drill]
    counts = [(state, sum(i.state == state for i in real)) for state in ("confirmed", "suspected", "signal")]
    if len(drills) < len(loud):
        said = [
            h("span", f"{n} {state if state != 'signal' or n == 1 else 'signals'}", class_=f"chip {state}", key=state)
            for state, n in counts
            if n
        ]
        title = h("h1", said)
    else:
        title = h("h1", _calm_title(board), class_="calm")
    drill = (
        f"A drill is going on: {count_of(len(drills), 'incident')} of it below, counted with nothing real."
        if drills
        else None
    )
    told = [h("p", text, class_="lede") for text in (_heard(board, view), drill) if text]
    return h("div", title, told, class_="headline", role="status")


def _take_away() -> Node:
    links = [h("a", "Report for the meeting", href="/report"), h("a", "Incidents as CSV", href="/export/incidents.csv")]
    return h("p", links, class_="takeaway small")


def _calm_title(board: Board) -> str:
    blind = [s for s in board.sources if s.blind_since is not None]
    if board.past and not board.cells:
        return "Nothing is known of this time"
    if board.trouble or board.status.red or board.status.disk_full:
        return "Not watching"
    if blind and len(blind) == len(board.sources):
        return "Nothing can be seen"
    if blind:
        return "Nothing unusual in what is seen"
    learning = board.status.learning_until is not None and board.status.learning_until > board.now
    return "Nothing unusual so far" if learning else "Nothing unusual"


def _heard(board: Board, view: View) -> str:
    """`4 sources live, last complaint moments ago, 1,204 people heard in the last hour (usual for Monday morning).`"""
    status = board.status
    live = [s for s in board.sources if s.blind_since is None]
    newest = max((s.last_event for s in board.sources if s.last_event), default=None)
    parts = [f"{count_of(len(live), 'source')} live"]
    if newest is not None:
        parts.append(f"last complaint {ago(board.now - newest)}")
    heard = f"{people(status.people_last_hour)} heard in the last hour"
    if status.usual_last_hour >= 0.5:
        low, high = usual_range(status.usual_last_hour)
        here = local(board.now, view.zone)
        part = (
            "night" if here.hour < 6 else "morning" if here.hour < 12 else "afternoon" if here.hour < 18 else "evening"
        )
        fits = low <= status.people_last_hour <= high
        heard += f" (usual for {here:%A} {part})" if fits else f" ({usual(status.usual_last_hour)})"
    return ", ".join([*parts, heard]) + "."


def folded(incidents: list[Incident], catalogue: Catalogue) -> list[Folded]:
    """Each incident with those that lie inside it (in place and in problem), told once under the outer one."""
    parents: dict[str, list[Incident]] = {}
    inside: set[str] = set()
    for outer in incidents:
        parts = [i for i in incidents if i.id != outer.id and i.id not in inside and _within(i, outer, catalogue)]
        if outer.id not in inside:
            parents[outer.id] = parts
            inside.update(i.id for i in parts)
    return [(i, parents[i.id]) for i in incidents if i.id not in inside]


def _within(inner: Incident, outer: Incident, catalogue: Catalogue) -> bool:
    wider = catalogue.contains(outer.scope.place, inner.scope.place) and outer.scope.place != inner.scope.place
    return wider and all(any(_covers(o, k, catalogue) for o in outer.keywords) for k in inner.keywords)


def _covers(outer: str, keyword: str | None, catalogue: Catalogue) -> bool:
    while keyword is not None:
        if keyword == outer:
            return True
        keyword = catalogue.keyword_parent(keyword)
    return False


def _incidents(told: list[Folded], more: int, board: Board, view: View, catalogue: Catalogue) -> Node | None:
    if not told:
        return None
    rows = [_row(i, parts, board, view, catalogue) for i, parts in told]
    rest = h("p", f"and {count_of(more, 'smaller incident')}", class_="quiet") if more else None
    listed_ = h("ol", rows, class_="incidents")
    return h("section", h("h2", "Open incidents", class_="sr"), listed_, rest, key="incidents")


def _row(incident: Incident, parts: list[Incident], board: Board, view: View, catalogue: Catalogue) -> Node:
    link = h("a", name_of(incident, catalogue), href=f"/incident/{incident.id}", class_="title")
    curve = spark(board.sparks[incident.id], board.now, SPARK_SECONDS) if incident.id in board.sparks else None
    figures = h(
        "div",
        h("b", people(incident.people), class_="people"),
        h("span", usual(incident.expected), class_="quiet"),
        class_="figures",
        title=f"{times(incident.factor)}: {incident.people} people where {number(incident.expected)} were expected",
    )
    facts = h(
        "div",
        h("span", f"{TRENDS[incident.trend]} {incident.trend}", class_=f"trend {incident.trend}"),
        moment(incident.onset, view.zone, board.now, since=True, lasted=True),
        h("span", listed(sorted(incident.channels)), class_="quiet channels") if incident.channels else None,
        class_="rowfacts",
    )
    what = h("div", h("h3", link), _marks(incident, board.now), class_="what")
    under = _under(incident, parts, board, view, catalogue)
    return h("li", tier(incident.state), what, figures, curve or h("span", class_="spark"), facts,
             None if view.wall or view.at is not None else _ack(incident, catalogue), under,
             class_=f"incident {incident.state}", key=incident.id)  # fmt: skip


def _marks(incident: Incident, now: float) -> Node | None:
    said = [m.replace("_", " ") for m in incident.marks]
    said += ["drill"] if incident.drill else []
    said += ["silenced"] if (incident.silenced_until or 0.0) > now else []
    said += [f"judged {incident.verdict.replace('_', ' ')}"] if incident.verdict else []
    return h("span", [h("span", s, class_="mark") for s in said], class_="marks") if said else None


def _ack(incident: Incident, catalogue: Catalogue) -> Node:
    if incident.acked_by:
        return h("span", f"✓ {incident.acked_by}", class_="acked", title=f"acknowledged by {incident.acked_by}")
    label = f"Acknowledge {name_of(incident, catalogue)}"
    return h("button", "Ack", type="button", act=("ack", incident.id), class_="button", aria_label=label)


def _under(i: Incident, parts: list[Incident], board: Board, view: View, catalogue: Catalogue) -> Node | None:
    """The parts of a wide incident, folded: one line on the board, all of them one click away."""
    places = [p for p in i.places if p.place != i.scope.place]
    if not places and not parts:
        return None
    if places:
        levels = {p.level for p in places}
        noun = PLURALS.get(levels.pop(), "places") if len(levels) == 1 else "places"
        said = f"{len(places)} {noun} under it" if len(places) > 1 else "1 place under it"
    else:
        said = f"{count_of(len(parts), 'incident')} under it"
    items: list[Node] = [
        h("li", h("a", p.name, href=f"/place/{p.place}"), h("span", f"{p.people:,}" if p.people else None), key=p.place)
        for p in sorted(places, key=lambda p: -p.people)
    ]
    nested = incident_list(parts, catalogue, view, board.now, "") if parts else None
    return h("details", h("summary", said), h("ul", items, class_="parts") if items else None, nested, class_="under")


def _signals(signals: list[Incident], board: Board, view: View, catalogue: Catalogue) -> Node | None:
    if not signals:
        return None
    summary = h("summary", h("b", count_of(len(signals), "signal")), h("span", "watched, told to nobody yet"))
    return h(
        "details", summary, incident_list(signals, catalogue, view, board.now, ""), class_="signals", key="signals"
    )
