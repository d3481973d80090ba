"""Silences, planned events, verdicts and the audit log through the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, Field

from alerting.feedback import report
from alerting.model import Control, iso
from alerting.standing import silences, standing
from dashboards.acts import Acts
from dashboards.site import Site
from streams.runtime.store.audit import entries, verify

MOST_INCIDENTS = 10_000
Recorder = Callable[[Awaitable[Control]], Awaitable[Any]]
Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=50)]


class Matching(BaseModel):
    """Which places (what lies in them too) and keywords (kinds of them too); one of the two at least."""

    author: str = Field(min_length=1, max_length=80)
    places: Ids = []
    keywords: Ids = []
    reason: str = Field("", max_length=2000)


class NewSilence(Matching):
    """No messages for so long; what is silenced is still recorded."""

    seconds: float = Field(ge=60, le=30 * 86400)


class NewEvent(Matching):
    """So many times more complaints are expected."""

    start: AwareDatetime | None = None
    until: AwareDatetime
    factor: float = Field(gt=0, le=1000)


def add_standing(
    api: APIRouter, site: Site, acts: Acts, recorded: Recorder, operations: Callable[[Request], None]
) -> None:
    """Silences and planned events; `recorded` answers an act, `operations` refuses other roles."""

    def known(body: Matching) -> None:
        strange = [p for p in body.places if not site.catalogue.knows_place(p)]
        strange += [k for k in body.keywords if not site.catalogue.knows_keyword(k)]
        if strange:
            raise HTTPException(422, f"no such place or keyword: {', '.join(repr(one[:60]) for one in strange)}")

    def stands(kind: str) -> list[Control]:
        return [c for c in standing(site.live.controls(), site.live.now()) if c.kind == kind]

    @api.get("/silences", summary="Silences that stand, with the open incidents each holds back")
    async def list_silences(request: Request) -> list[dict[str, Any]]:
        operations(request)
        board = site.live.board or await site.live.refresh()
        hushed = [i for i in board.open if (i.silenced_until or 0.0) > board.now]
        found = await run_in_threadpool(stands, "silence")
        return [{**timed(c), "holds_back": [i.id for i in hushed if silences(c, i)]} for c in found]

    @api.post("/silences", status_code=202, summary="Silence places and problems")
    async def silence(body: NewSilence) -> Any:
        known(body)
        return await recorded(
            acts.silence_all(body.author, tuple(body.places), tuple(body.keywords), body.seconds, body.reason)
        )

    @api.get("/planned-events", summary="Planned events that go on or are to come")
    async def list_events(request: Request) -> list[dict[str, Any]]:
        operations(request)
        return [timed(c) for c in await run_in_threadpool(stands, "planned_event")]

    @api.post("/planned-events", status_code=202, summary="Expect more complaints for a time")
    async def event(body: NewEvent) -> Any:
        known(body)
        start = None if body.start is None else body.start.timestamp()
        places, keywords = tuple(body.places), tuple(body.keywords)
        until = body.until.timestamp()
        return await recorded(acts.planned_event(body.author, places, keywords, start, until, body.factor, body.reason))


def add_records(api: APIRouter, site: Site, operations: Callable[[Request], None]) -> None:
    """Verdicts and the audit log."""

    @api.get("/feedback", summary="How many incidents were real, by rule, tier and channel")
    async def feedback(request: Request) -> dict[str, Any]:
        operations(request)

        def read() -> dict[str, Any]:
            found: dict[str, Any] = msgspec.to_builtins(
                report(site.reader.incidents(limit=MOST_INCIDENTS), site.reader.told())
            )
            return found

        return await run_in_threadpool(read)

    @api.get("/audit", summary="The audit log: who did what, and whether the record is whole")
    async def audit(request: Request, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> dict[str, Any]:
        operations(request)

        def read() -> dict[str, Any]:
            engine = site.reader.engine
            rows = [{"number": e.number, "chain": e.chain, **timed(e.control)} for e in entries(engine, newest=limit)]
            return {"verdict": msgspec.to_builtins(verify(engine)), "entries": rows}

        return await run_in_threadpool(read)


def timed(control: Control) -> dict[str, Any]:
    """A control with its times as ISO 8601."""
    data: dict[str, Any] = msgspec.to_builtins(control)
    return {k: iso(v) if k in ("at", "until", "start") and v is not None else v for k, v in data.items()}
