"""What can be taken away: tables as CSV, and the report for the morning meeting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from dashboards.board_panels import unseen
from dashboards.csv_text import csv_text
from dashboards.dom import h, to_html
from dashboards.export_tables import Table, acts_table, incident_table, matrix_table, series_table
from dashboards.frame import View
from dashboards.incident_page import read_detail
from dashboards.live import Board, midnight
from dashboards.live_page import view_of
from dashboards.matrix import VIEWS, choose
from dashboards.meeting_report import MOST, meeting_report, ranked, was_told
from dashboards.past import board_at, parse_at
from dashboards.series_page import SPANS, read_series
from dashboards.site import Site
from dashboards.theme import plain_page
from dashboards.words import local
from streams.runtime.store.audit import entries

DAY_SECONDS = 86400.0
MOST_ACTS = 10_000
NO_MOMENT = "“at” is no moment of the past. Write it as 2026-02-23T07:30Z."


def add_exports(site: Site, app: FastAPI) -> None:
    """GET alone; a past moment by `at`, as the pages have it."""

    @app.get("/export/incidents.csv", include_in_schema=False)
    async def incidents(request: Request) -> Response:
        return await _csv(
            site, request, "incidents", lambda board, view: incident_table(board, site.catalogue, view.zone)
        )

    @app.get("/export/matrix.csv", include_in_schema=False)
    async def matrix(request: Request) -> Response:
        def made(board: Board, view: View) -> Table:
            level = view.level if view.level in VIEWS else "near"
            return matrix_table(choose(board.cells, site.catalogue, level), site.catalogue, unseen(board))

        return await _csv(site, request, "matrix", made)

    @app.get("/export/series.csv", include_in_schema=False)
    async def series(request: Request, place: str = "everywhere", keyword: str = "*", span: str = "day") -> Response:
        if not site.catalogue.knows_place(place) or not site.catalogue.knows_keyword(keyword) or span not in SPANS:
            return PlainTextResponse("no such place, problem or span", 404)

        def made(board: Board, view: View) -> Table:
            since = board.now - SPANS[span][1]
            return series_table(read_series(site.reader, place, keyword, since, board.until), view.zone)

        return await _csv(site, request, "series", made)

    @app.get("/export/acts.csv", include_in_schema=False)
    async def acts(request: Request) -> Response:
        def made(board: Board, view: View) -> Table:
            log = entries(site.reader.engine, newest=MOST_ACTS)[::-1]
            return acts_table(log, site.catalogue, view.zone, board.now)

        return await _csv(site, request, "acts", made)

    @app.get("/report", include_in_schema=False)
    async def report(request: Request, incident: str = "", day: str = "") -> Response:
        return await _report(site, request, incident, day)


async def _seen(site: Site, request: Request) -> tuple[Board, View] | None:
    """The board of now, or of the moment asked for; None where there is no such past: a table of now would be taken for it."""
    view = view_of(request, site.settings)
    said = request.query_params.get("at", "")
    at = parse_at(said, view.zone, site.live.now()) if said else None
    if said and at is None:
        return None
    return await board_at(site.live, site.settings, at), view._replace(at=at)


async def _csv(site: Site, request: Request, name: str, made: Callable[[Board, View], Table]) -> Response:
    seen = await _seen(site, request)
    if seen is None:
        return PlainTextResponse(NO_MOMENT, 400)
    board, view = seen
    table = await run_in_threadpool(made, board, view)
    file = f"overheard-{name}-{local(board.now, view.zone):%Y-%m-%d-%H%M}.csv"
    headers = {"content-disposition": f'attachment; filename="{file}"', "cache-control": "no-store"}
    return Response(csv_text(*table), media_type="text/csv; charset=utf-8", headers=headers)


async def _report(site: Site, request: Request, incident: str, day: str) -> Response:
    seen = await _seen(site, request)
    if seen is None:
        return _nothing(NO_MOMENT, 400)
    board, view = seen
    span = None
    if not incident:
        span = _span(day, view, board.now)
        if span is None:
            return _nothing(f"“{day[:40]}” is no day of the past. Write it as 2026-02-23.", 400)

    def read() -> str | None:
        at = board.now if board.past else None
        if span is None:
            found, more = [incident], 0
        else:
            alive = site.reader.incidents(since=span[0], until=span[1], at=at)
            told = ranked([i for i in alive if was_told(i, *span)])
            found, more = [i.id for i in told[:MOST]], len(told[MOST:])
        details = [d for id in found if (d := read_detail(site.live, id, board.until, at)) is not None]
        if incident and not details:
            return None
        return to_html(meeting_report(board, view, site.catalogue, details, span, more))

    made = await run_in_threadpool(read)
    if made is None:
        return _nothing("There is no such incident.", 404)
    return HTMLResponse(plain_page("Report", made))


def _span(day: str, view: View, now: float) -> tuple[float, float] | None:
    """A whole day of the viewer's zone as far as it has come; without one the last 24 hours."""
    if not day:
        return now - DAY_SECONDS, now
    try:
        chosen = date.fromisoformat(day)
        begin = parse_at(f"{chosen.isoformat()}T00:00", view.zone, now)
    except ValueError:
        return None
    if begin is None:
        return None
    return begin, min(now, midnight(begin + 1.5 * DAY_SECONDS, view.zone))


def _nothing(said: str, status: int) -> Response:
    body = h(
        "article", h("h1", "No report"), h("p", said, class_="lede"), h("p", h("a", "Back to the board", href="/"))
    )
    return HTMLResponse(plain_page("No report", to_html(body)), status)
