"""The desk's address, and the forms that come from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import Response
from nicegui import ui

from alerting.model import Control
from dashboards.acts import Refused
from dashboards.desk_page import desk_forms, desk_page, read_desk
from dashboards.dom import Node
from dashboards.forms import Text, answered
from dashboards.frame import View
from dashboards.live import Board
from dashboards.live_page import Build, view_of
from dashboards.site import Site
from dashboards.words import parse_minute

Show = Callable[[Site, Request, str, str, Build], Awaitable[Response | None]]


def add_desk(site: Site, app: FastAPI, show: Show) -> None:
    """The page, and what it sends."""

    @ui.page("/desk")
    async def desk(request: Request) -> None:
        async def build(board: Board, view: View) -> Node:
            found = await site.live.shared(("desk",), lambda: read_desk(site.live, board.now))
            return desk_page(board, view, site.catalogue, found)

        await show(site, request, "/desk", "Desk", build)

    @app.post("/desk/silence", include_in_schema=False)
    async def silence(
        request: Request,
        seconds: Annotated[float, Form()],
        place: Text = "",
        keyword: Text = "",
        reason: Text = "",
    ) -> Response:
        view = view_of(request, site.settings)

        async def act() -> Control:
            return await site.acts.silence_all(
                view.who, _places(site, place), _keywords(site, keyword), seconds, reason
            )

        return await answered(site, request, "/desk", act, desk_forms(site.catalogue, view))

    @app.post("/desk/event", include_in_schema=False)
    async def event(
        request: Request,
        factor: Annotated[float, Form()],
        place: Text = "",
        keyword: Text = "",
        start: Text = "",
        end: Text = "",
        reason: Text = "",
    ) -> Response:
        view = view_of(request, site.settings)

        async def act() -> Control:
            until = parse_minute(end, view.zone)
            begin = parse_minute(start, view.zone) if start.strip() else None
            if until is None or (start.strip() and begin is None):
                raise Refused("Say when it ends.")
            places, keywords = _places(site, place), _keywords(site, keyword)
            return await site.acts.planned_event(view.who, places, keywords, begin, until, factor, reason)

        return await answered(site, request, "/desk", act, desk_forms(site.catalogue, view))


def _places(site: Site, said: str) -> tuple[str, ...]:
    if not said.strip():
        return ()
    found = site.catalogue.find_places(said)
    if not found:
        raise Refused(f"No place is known as “{said.strip()[:80]}”. Try a city, a region, or an airport code.")
    if len(found) > 1:
        names = "; ".join(", ".join(site.catalogue.path(p)[:3]) for p in found[:4])
        raise Refused(f"“{said.strip()[:80]}” may be {names}. Write it with its region, as in “Springfield, Illinois”.")
    return (found[0],)


def _keywords(site: Site, said: str) -> tuple[str, ...]:
    if not said:
        return ()
    if not site.catalogue.knows_keyword(said):
        raise Refused("No such problem.")
    return (said,)
