"""The addresses of the pages, and the forms that come back from them."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from nicegui import context, ui

from alerting.model import Incident
from dashboards.board import board_page
from dashboards.desk_routes import add_desk
from dashboards.dom import Node, h
from dashboards.exports import add_exports
from dashboards.forms import add_forms
from dashboards.frame import View
from dashboards.incident_page import incident_page, read_detail, title_of
from dashboards.keyword_page import keyword_page
from dashboards.live import Board
from dashboards.live_page import THEMES, Build, LivePage, view_of
from dashboards.place_page import place_page
from dashboards.review_routes import add_review
from dashboards.series_page import SPANS, read_series
from dashboards.since import LOUD, changes, since_line, with_changes
from dashboards.site import Site
from dashboards.theme import style_sheet
from dashboards.whynot_page import read_around, whynot_page
from dashboards.words import parse_minute, zone_of

PAST = 20
YEAR_SECONDS = 365 * 86400


def register(site: Site, app: FastAPI) -> None:
    """All pages; forms go to `app` itself, for they answer with a redirect."""
    _board(site)
    _incident(site)
    _place(site)
    _keyword(site)
    _whynot(site)
    add_forms(site, app)
    add_exports(site, app)
    add_desk(site, app, _show)
    add_review(site, _show)
    _preferences(app)

    @app.get("/overheard.css", include_in_schema=False)
    async def style() -> Response:
        return Response(style_sheet(), media_type="text/css", headers={"cache-control": "no-cache"})

    ui.add_head_html('<link rel="stylesheet" href="/overheard.css">', shared=True)


async def _show(
    site: Site, request: Request, here: str, title: str, build: Build, *, past: bool = False
) -> Response | None:
    """`past`: the page can be looked at as it was, at the moment `at` of its address."""
    ui.page_title(f"{title} · overheard" if title else "overheard")
    asked = {key: value for key, value in request.query_params.items() if key not in ("at", "did")}
    page = LivePage(
        site.live, site.acts, site.settings, here, view_of(request, site.settings), build, asked if past else None
    )
    page.tell(site.acts.find(request.query_params.get("did", "")))
    if past and request.query_params.get("at"):
        better = page.look_back(request.query_params["at"])
        if better is not None:
            return RedirectResponse(better)
    if here == "/":
        page.since(request.cookies.get("overheard_looked", ""))
    await page.open(context.client)
    return None


def _missing(what: str) -> Node:
    link = h("a", "Back to the board", href="/")
    return h("article", h("h1", what), h("p", "It may be older than what is kept, or mistyped."), h("p", link))


def _board(site: Site) -> None:
    @ui.page("/")
    async def board(request: Request) -> Response | None:
        known: dict[float, list[Incident]] = {}  # incidents as they were at this viewer's last look

        async def build(board: Board, view: View) -> Node:
            # who looks, since when and in which colours makes no difference to what is drawn: all viewers share one tree
            key = view._replace(who="", theme="auto", anonymous=False, looked=None)
            page = await site.live.shared(("board", key), lambda: board_page(board, view, site.catalogue))
            looked = view.looked
            if looked is None or board.past or view.wall:
                return page
            if looked not in known:
                known[looked] = await asyncio.to_thread(site.reader.incidents, states=LOUD, at=looked)
            found = changes(looked, known[looked], board)
            line = since_line(found, view, site.catalogue, board.now)
            return page if line is None else with_changes(page, line, found.marks)

        now = await site.live.refresh()
        told = [f"{n} {s}" for s in ("confirmed", "suspected") if (n := sum(i.state == s for i in now.open))]
        return await _show(site, request, "/", ", ".join(told), build, past=True)


def _incident(site: Site) -> None:
    @ui.page("/incident/{id}")
    async def incident(request: Request, id: str) -> Response | None:
        async def build(board: Board, view: View) -> Node:
            detail = await site.live.shared(
                ("detail", id, view.at), lambda: read_detail(site.live, id, board.until, view.at)
            )
            if detail is None:
                return _missing("Not opened yet then" if found and board.past else "No such incident")
            fresh = frozenset(one.word for one in board.status.new_words)
            return incident_page(detail, view, site.catalogue, board.now, fresh)

        found = await site.live.shared(("incident", id), lambda: site.reader.incident(id))
        title = title_of(found[-1], site.catalogue) if found else "No such incident"
        return await _show(site, request, f"/incident/{id}", title, build, past=True)


def _place(site: Site) -> None:
    @ui.page("/place/{place:path}")
    async def place_(request: Request, place: str) -> Response | None:
        keyword = request.query_params.get("keyword", "*")
        span = request.query_params.get("span", "day")
        span = span if span in SPANS else "day"

        async def build(board: Board, view: View) -> Node:
            if not site.catalogue.knows_place(place):
                return _missing("No such place")
            since = board.now - SPANS[span][1]
            series = await site.live.shared(
                ("series", place, keyword, span, view.at),
                lambda: read_series(site.reader, place, keyword, since, board.until),
            )
            past = await site.live.shared(("before", place, view.at), lambda: _past(site, view.at, place=place))
            return place_page(board, view, site.catalogue, place, keyword, span, series, past)

        return await _show(site, request, f"/place/{place}", site.catalogue.place(place).name, build, past=True)


def _keyword(site: Site) -> None:
    @ui.page("/keyword/{keyword:path}")
    async def keyword_(request: Request, keyword: str) -> Response | None:
        span = request.query_params.get("span", "day")
        span = span if span in SPANS else "day"

        async def build(board: Board, view: View) -> Node:
            if not site.catalogue.knows_keyword(keyword):
                return _missing("No such problem")
            root, since = "everywhere", board.now - SPANS[span][1]
            series = await site.live.shared(
                ("series", root, keyword, span, view.at),
                lambda: read_series(site.reader, root, keyword, since, board.until),
            )
            past = await site.live.shared(("before", keyword, view.at), lambda: _past(site, view.at, keyword=keyword))
            return keyword_page(board, view, site.catalogue, keyword, root, span, series, past)

        return await _show(site, request, f"/keyword/{keyword}", site.catalogue.keyword(keyword), build, past=True)


def _past(site: Site, at: float | None, place: str | None = None, keyword: str | None = None) -> list[Incident]:
    """Newest first, as they looked at `at`; of a place those too that lie in it."""
    found = site.reader.incidents(keyword=None if keyword == "*" else keyword, at=at)
    if place is not None:
        within = site.catalogue.contains
        found = [i for i in found if within(place, i.scope.place) or any(within(place, p.place) for p in i.places)]
    return sorted(found, key=lambda i: (-i.onset, i.id))[:PAST]


def _whynot(site: Site) -> None:
    @ui.page("/why-not")
    async def whynot(request: Request) -> None:
        said = {k: v.strip()[:120] for k, v in request.query_params.items() if k in ("place", "keyword", "at")}

        async def build(board: Board, view: View) -> Node:
            keyword = said.get("keyword") or "*"
            found = site.catalogue.find_places(said["place"]) if said.get("place") else []
            if len(found) != 1 or not site.catalogue.knows_keyword(keyword):
                return whynot_page(board, view, site.catalogue, said, found, None)
            at = parse_minute(said.get("at", ""), view.zone) or board.now
            told = await site.live.shared(
                ("why", found[0], keyword, at),
                lambda: (
                    site.why(found[0], keyword, at),
                    read_around(site.reader, found[0], keyword, at, board.now),
                ),
            )
            return whynot_page(board, view, site.catalogue, {**said, "place": found[0]}, found, told)

        await _show(site, request, "/why-not", "Why not?", build)


def _preferences(app: FastAPI) -> None:
    @app.post("/preferences", include_in_schema=False)
    async def preferences(
        who: Annotated[str, Form()] = "",
        theme: Annotated[str, Form()] = "auto",
        zone: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "/",
    ) -> Response:
        """Keeps a viewer's name, colours and zone in cookies of their own."""
        if zone and zone_of(zone).key != zone:
            return PlainTextResponse(f"no such time zone: {zone[:60]}", 400)
        # only a path of this site: anything else would send the viewer away
        target = back if back.startswith("/") and not back.startswith("//") and "\\" not in back else "/"
        answer_ = RedirectResponse(quote(target, safe="/:*%?=&"), 303)
        kept = {"who": " ".join(who.split())[:80], "theme": theme if theme in THEMES else "auto", "zone_chosen": zone}
        for name, value in kept.items():
            answer_.set_cookie(
                f"overheard_{name}", quote(value), max_age=YEAR_SECONDS, samesite="strict", httponly=True
            )
        return answer_
