"""The addresses of the pages that look back over weeks: what suffers together, and whether it is any good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response
from nicegui import ui

from dashboards.dom import Node
from dashboards.frame import View
from dashboards.live import Board
from dashboards.live_page import Build
from dashboards.network_page import network_page
from dashboards.quality import read_quality
from dashboards.quality_page import quality_page
from dashboards.site import Site
from streams.runtime.store.network import read

Show = Callable[[Site, Request, str, str, Build], Awaitable[Response | None]]


def add_review(site: Site, show: Show) -> None:
    """Both pages."""

    @ui.page("/network")
    async def network(request: Request) -> Response | None:
        async def build(board: Board, view: View) -> Node:
            found = await site.live.shared(("network",), lambda: read(site.reader.engine))
            return network_page(view, site.catalogue, found, board.now)

        return await show(site, request, "/network", "Network", build)

    @ui.page("/quality")
    async def quality(request: Request) -> Response | None:
        async def build(board: Board, view: View) -> Node:
            key = ("quality", view.zone)
            found = await site.live.shared(key, lambda: read_quality(site.live, board.now, view.zone))
            return quality_page(board, view, site.catalogue, found)

        return await show(site, request, "/quality", "Quality", build)
