"""What people do through the API: each act is checked, appended to the log, and takes effect at the next close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from alerting.model import Control, Incident, iso
from dashboards.acts import Refused
from dashboards.api_desk import add_records, add_standing
from dashboards.site import Site

RETRY_SECONDS = 5


class Ack(BaseModel):
    """Someone takes it on."""

    author: str = Field(min_length=1, max_length=80)
    reason: str = Field("", max_length=2000)


class Feedback(Ack):
    """Whether it was real; teaches the evaluation, never silences."""

    verdict: Literal["real", "not_real", "known_event"]


class Note(BaseModel):
    """Words for the timeline."""

    author: str = Field(min_length=1, max_length=80)
    text: str = Field(min_length=1, max_length=2000)


class Intervention(BaseModel):
    """What was done about it."""

    author: str = Field(min_length=1, max_length=80)
    text: str = Field(min_length=1, max_length=2000)


class Silence(Ack):
    """No messages about this place and problem for so long."""

    seconds: float = Field(ge=60, le=30 * 86400)


class Assign(Ack):
    """Someone else takes it on."""

    to: str = Field(min_length=1, max_length=80)


class Promotion(Ack):
    """The words of an unnamed incident become a keyword of the pack."""

    keyword: str = Field(min_length=1, max_length=128, description="its id, a path of slugs: kiosks/frozen")
    label: str = Field(min_length=1, max_length=80, description="what people call it")
    phrases: list[Annotated[str, Field(min_length=1, max_length=120)]] = Field(min_length=1, max_length=50)


class Undo(BaseModel):
    """Takes an act back."""

    author: str = Field(min_length=1, max_length=80)
    control: str = Field(min_length=1, max_length=64)


class Recorded(BaseModel):
    """An act in the log; it takes effect at the first close after `at`."""

    control: str
    kind: str
    at: str
    replay: str | None = Field(None, description="of a promotion: the command that replays the past with it")


def add_acts(api: APIRouter, site: Site, operations: Callable[[Request], None]) -> None:
    """The routes of all acts; `operations` refuses other roles."""
    acts = site.acts.through("api")

    async def recorded(act: Any) -> Recorded:
        try:
            control: Control = await act
        except Refused as error:
            raise HTTPException(422, str(error)) from error
        except OSError as error:
            detail = "not recorded: the log takes nothing just now"
            raise HTTPException(503, detail, {"retry-after": str(RETRY_SECONDS)}) from error
        site.live.poke()
        return Recorded(control=control.id, kind=control.kind, at=iso(control.at), replay=acts.replay_of(control))

    @api.post("/incidents/{id}/ack", status_code=202, summary="Acknowledge")
    async def ack(id: str, body: Ack) -> Recorded:
        return await recorded(acts.ack(await _newest(site, id), body.author, body.reason))

    @api.post("/incidents/{id}/assign", status_code=202, summary="Assign to someone")
    async def assign(id: str, body: Assign) -> Recorded:
        return await recorded(acts.assign(await _newest(site, id), body.author, body.to, body.reason))

    @api.post("/incidents/{id}/feedback", status_code=202, summary="Real, not real, or a known event")
    async def feedback(id: str, body: Feedback) -> Recorded:
        return await recorded(acts.feedback(await _newest(site, id), body.author, body.verdict, body.reason))

    @api.post("/incidents/{id}/note", status_code=202, summary="Add a note")
    async def note(id: str, body: Note) -> Recorded:
        return await recorded(acts.note(await _newest(site, id), body.author, body.text))

    @api.post("/incidents/{id}/intervention", status_code=202, summary="Say what was done about it")
    async def intervention(id: str, body: Intervention) -> Recorded:
        return await recorded(acts.intervention(await _newest(site, id), body.author, body.text))

    @api.post("/incidents/{id}/silence", status_code=202, summary="Send no messages about it for a while")
    async def silence(id: str, body: Silence) -> Recorded:
        return await recorded(acts.silence(await _newest(site, id), body.author, body.seconds, body.reason))

    @api.post("/incidents/{id}/snooze", status_code=202, summary="Hear no more of it for a while")
    async def snooze(id: str, body: Silence) -> Recorded:
        return await recorded(acts.snooze(await _newest(site, id), body.author, body.seconds, body.reason))

    @api.post(
        "/incidents/{id}/promote", status_code=202, summary="Make an unnamed incident's words a keyword of the pack"
    )
    async def promote(id: str, body: Promotion) -> Recorded:
        incident = await _newest(site, id)
        phrases = "\n".join(" ".join(phrase.split()) for phrase in body.phrases)
        return await recorded(acts.promote(incident, body.author, body.keyword, body.label, phrases, body.reason))

    @api.post("/undo", status_code=202, summary="Take an act back")
    async def undo(body: Undo) -> Recorded:
        stored = await run_in_threadpool(site.reader.control, body.control)
        return await recorded(acts.undo(body.control, body.author, stored))

    add_standing(api, site, acts, recorded, operations)
    add_records(api, site, operations)


async def _newest(site: Site, id: str) -> Incident:
    revisions = await run_in_threadpool(site.reader.incident, id)
    if not revisions:
        raise HTTPException(404, "no such incident")
    return revisions[-1]
