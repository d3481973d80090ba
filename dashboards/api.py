"""The JSON API: what the pages show, and what they do. Times are ISO 8601 UTC; described at /api/openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse

from alerting.model import State, iso
from dashboards.acts import overlaid
from dashboards.api_acts import add_acts
from dashboards.api_desk import timed
from dashboards.api_docs import docs_page
from dashboards.privacy import GRID_LEVEL, public_cells, public_hour, public_incident
from dashboards.site import Site
from dashboards.words import parse_minute
from streams.runtime.why_then import plain, plain_cell

LONGEST_SECONDS = 92 * 86400.0
MOST = 1000


def router(site: Site) -> APIRouter:
    """All routes under /api."""
    api = APIRouter(prefix="/api", tags=["overheard"])
    _incidents(api, site)
    _counts(api, site)
    _service(api, site)
    add_acts(api, site, _operations_only)
    return api


def _public(request: Request, role: str | None) -> bool:
    return role == "public" or getattr(request.state, "role", "operations") == "public"


RoleQuery = Annotated[Literal["public"] | None, Query(description="Show what the role public is shown.")]


def _time(said: str | None, default: float) -> float:
    if not said:
        return default
    found = parse_minute(said.replace(" ", "+"), "UTC")
    if found is None:
        raise HTTPException(422, f"not a time: {said[:40]!r}; write 2026-03-01T07:43:00Z")
    return found


def _operations_only(request: Request, role: str | None = None) -> None:
    if _public(request, role):
        raise HTTPException(403, "not for the role public")


def _incidents(api: APIRouter, site: Site) -> None:
    @api.get("/incidents", summary="Incidents, the newest revision of each")
    async def incidents(
        request: Request,
        state: Annotated[list[State] | None, Query()] = None,
        since: str | None = None,
        until: str | None = None,
        place: str | None = None,
        keyword: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        role: RoleQuery = None,
    ) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            found = site.reader.incidents(
                states=state,
                since=_time(since, 0.0) if since else None,
                until=_time(until, 0.0) if until else None,
                place=place,
                keyword=keyword,
                limit=limit,
            )
            if _public(request, role):
                return [public_incident(i) for i in found if i.state != "signal" and not i.drill]
            controls = site.live.controls(since=site.live.now() - 7 * 86400)
            return [overlaid(i, controls).to_json() for i in found]

        return await run_in_threadpool(read)

    @api.get("/incidents/{id}", summary="One incident with its revisions and the acts on it")
    async def incident(request: Request, id: str, role: RoleQuery = None) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            revisions = site.reader.incident(id)
            if not revisions:
                raise HTTPException(404, "no such incident")
            if _public(request, role):
                return public_incident(revisions[-1])
            controls = site.live.controls(id)
            return {
                "incident": overlaid(revisions[-1], controls).to_json(),
                "revisions": [i.to_json() for i in revisions],
                "controls": [timed(c) for c in controls],
            }

        return await run_in_threadpool(read)


def _counts(api: APIRouter, site: Site) -> None:
    @api.get("/cells", summary="Counts of one place and keyword, window by window")
    async def cells(
        request: Request,
        place: str,
        keyword: str = "*",
        since: str | None = None,
        until: str | None = None,
        role: RoleQuery = None,
    ) -> list[dict[str, Any]]:
        _operations_only(request, role)  # a second grid beside the matrix could be subtracted from it
        end = _time(until, site.live.now())
        start = _time(since, end - 86400)
        if not 0 < end - start <= LONGEST_SECONDS:
            raise HTTPException(422, "since must lie before until, by at most 92 days")
        found = await run_in_threadpool(site.reader.series, place, keyword, start, end)
        return [plain_cell(c) for c in found]

    @api.get("/matrix", summary="Place by keyword over a time, by default the last hour")
    async def matrix(
        request: Request,
        since: str | None = None,
        until: str | None = None,
        level: str | None = None,
        role: RoleQuery = None,
    ) -> list[dict[str, Any]]:
        if _public(request, role):
            begin, end_ = public_hour(site.live.now())
            found = await run_in_threadpool(lambda: site.reader.matrix(begin, end_, level=GRID_LEVEL))
            return public_cells(found, site.catalogue)
        end = _time(until, site.live.now())
        start = _time(since, end - 3600)
        if not 0 < end - start <= LONGEST_SECONDS:
            raise HTTPException(422, "since must lie before until, by at most 92 days")
        found = await run_in_threadpool(lambda: site.reader.matrix(start, end, level=level))
        return [plain_cell(c) for c in found]


def _service(api: APIRouter, site: Site) -> None:
    @api.get("/sources", summary="How each source does")
    async def sources(request: Request) -> list[dict[str, Any]]:
        _operations_only(request)
        found = await run_in_threadpool(site.reader.sources, site.live.now())
        return [_timed(msgspec.to_builtins(s), ("last_event", "last_arrival", "blind_since")) for s in found]

    @api.get("/status", summary="How the service does")
    async def status(request: Request) -> dict[str, Any]:
        now = site.live.now()
        found = _timed(
            msgspec.to_builtins(await run_in_threadpool(site.reader.status, now)),
            ("last_close", "watermark", "learning_until"),
        )
        if _public(request, None):
            return {"now": iso(now), "last_close": found["last_close"]}
        return {"now": iso(now), **found}

    @api.get("/why-not", summary="Why nothing was opened at a place, for a keyword, at a minute")
    async def why_not(request: Request, place: str, keyword: str = "*", at: str | None = None) -> dict[str, Any]:
        _operations_only(request)
        if not site.catalogue.knows_place(place) or not site.catalogue.knows_keyword(keyword):
            raise HTTPException(404, "no such place or keyword")
        moment = _time(at, site.live.now())
        told = await run_in_threadpool(site.why, place, keyword, moment)
        return {"place": place, "keyword": keyword, "at": iso(moment), **plain(told)}

    @api.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(request.app.openapi()))

    @api.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())


def _timed(data: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {k: iso(v) if k in keys and v is not None else v for k, v in data.items()}
