"""One problem: over time everywhere, the places that have it now, its parts, past incidents; for `*` all of them."""

from __future__ import annotations

from alerting.model import Incident
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.matrix import NEAR
from dashboards.series_page import SPANS, Series, series_chart, shares, span_switch
from streams.runtime.store.reader import Cell


def keyword_page(
    board: Board,
    view: View,
    catalogue: Catalogue,
    keyword: str,
    everywhere: str,
    span: str,
    series: Series,
    past: list[Incident],
) -> Node:
    """`everywhere` is the id of the root of the places; `past` newest first."""
    name = catalogue.keyword(keyword)
    crumbs: list[Node] = []
    above = catalogue.keyword_parent(keyword)
    while above is not None:
        crumbs.append(h("a", catalogue.keyword(above), href=f"/keyword/{above}"))
        above = catalogue.keyword_parent(above)
    path = [piece for crumb in crumbs for piece in (crumb, h("span", "‹", aria_hidden="true"))][:-1]
    here = [c for c in board.cells if c.keyword == keyword and c.voices and catalogue.place(c.place).level in NEAR]
    outer = {o for c in here for o in catalogue.above(c.place)}
    here = [c for c in here if c.place not in outer]
    parts = set(catalogue.keyword_parts(keyword))
    problems = [c for c in board.cells if c.place == everywhere and c.keyword in parts and c.voices]
    since = board.now - SPANS[span][1]
    return h(
        "article",
        h("nav", h("span", "problem"), path, class_="crumbs", aria_label="Part of"),
        h("div", h("h1", name[:1].upper() + name[1:]), class_="titleline"),
        _team(catalogue, keyword),
        panel(
            "People over time, all places",
            span_switch(f"/keyword/{keyword}?span=", span),
            series_chart(series, view.zone, [i for i in past if i.onset >= since and i.state == "confirmed"][:4]),
            csv=f"/export/series.csv?place={everywhere}&keyword={keyword}&span={span}",
        ),
        h(
            "div",
            panel("Where", _where(here, catalogue, keyword), note="last hour"),
            panel(
                "Problems" if keyword == "*" else "Kinds of it",
                _kinds(problems, sorted(parts), catalogue),
                note="last hour",
            ),
            class_="columns two",
        ),
        panel("Incidents", incident_list(past, catalogue, view, board.now, "None stored.")),
    )


def _team(catalogue: Catalogue, keyword: str) -> Node | None:
    team, _, question = catalogue.team(keyword)
    said = " · ".join(filter(None, [f"Team: {team}" if team else None, f"Ask first: {question}" if question else None]))
    return h("p", said, class_="lede") if said else None


def _where(cells: list[Cell], catalogue: Catalogue, keyword: str) -> Node:
    names = {c.place: catalogue.short(c.place) for c in cells}
    links = {c.place: f"/place/{c.place}?keyword={keyword}" for c in cells}
    return shares(cells, names, links, "place", "Heard of nowhere in the last hour.")


def _kinds(cells: list[Cell], parts: list[str], catalogue: Catalogue) -> Node:
    names = {k: catalogue.keyword(k) for k in parts}
    heard = shares(cells, names, {k: f"/keyword/{k}" for k in parts}, "keyword", "None heard of in the last hour.")
    quiet = [k for k in parts if k not in {c.keyword for c in cells}]
    links = [h("li", h("a", names[k], href=f"/keyword/{k}")) for k in quiet]
    return h("div", heard, h("p", "Quiet:", class_="quiet small") if links else None,
             h("ul", links, class_="parts") if links else None)  # fmt: skip
