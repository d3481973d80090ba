"""One place: any of its problems over time, the parts it has, the problems heard there, past incidents."""

from __future__ import annotations

from alerting.model import Incident
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.series_page import SPANS, Series, series_chart, shares, span_switch
from streams.runtime.store.reader import Cell


def place_page(
    board: Board,
    view: View,
    catalogue: Catalogue,
    place: str,
    keyword: str,
    span: str,
    series: Series,
    past: list[Incident],
) -> Node:
    """`past` are the incidents at this place or in it, newest first."""
    known = catalogue.place(place)
    crumbs = [h("a", catalogue.place(p).name, href=f"/place/{p}") for p in catalogue.above(place)]
    path = [piece for crumb in crumbs for piece in (crumb, h("span", "‹", aria_hidden="true"))][:-1]
    parts = [c for c in board.cells if c.keyword == keyword and catalogue.place(c.place).parent == place and c.voices]
    top = {"*", *catalogue.top_keywords()}
    problems = [c for c in board.cells if c.place == place and c.voices and c.keyword in top and c.keyword != "*"]
    what = catalogue.keyword(keyword)
    inside = {p.place for i in past for p in i.places} | {i.scope.place for i in past}
    since = board.now - SPANS[span][1]
    marked = [i for i in past if i.onset >= since and (keyword == "*" or keyword in i.keywords) and place in inside]
    asked = "Why was nothing opened here?" if all(i.state == "resolved" for i in past) else "Why not something else?"
    return h(
        "article",
        h("nav", h("span", known.level), path, class_="crumbs", aria_label="Where it lies"),
        h("div", h("h1", f"{known.name}: {what}"), class_="titleline"),
        h("p", h("a", asked, href=f"/why-not?place={place}&keyword={keyword}"), class_="lede"),
        panel(
            "People over time",
            span_switch(f"/place/{place}?keyword={keyword}&span=", span),
            series_chart(series, view.zone, marked[:4]),
            csv=f"/export/series.csv?place={place}&keyword={keyword}&span={span}",
        ),
        h(
            "div",
            panel("Problems", _problems(problems, catalogue, place), note="last hour"),
            panel("Parts of it", _parts(parts, catalogue, keyword), note="last hour"),
            class_="columns two",
        ),
        panel("Incidents here", incident_list(past, catalogue, view, board.now, "None stored.")),
    )


def _problems(cells: list[Cell], catalogue: Catalogue, place: str) -> Node:
    names = {c.keyword: catalogue.keyword(c.keyword) for c in cells}
    links = {c.keyword: f"/place/{place}?keyword={c.keyword}" for c in cells}
    return shares(cells, names, links, "keyword", "Nobody complained here in the last hour.")


def _parts(cells: list[Cell], catalogue: Catalogue, keyword: str) -> Node:
    names = {c.place: catalogue.short(c.place) for c in cells}
    links = {c.place: f"/place/{c.place}?keyword={keyword}" for c in cells}
    return shares(cells, names, links, "place", "No part of it was heard of in the last hour.")
