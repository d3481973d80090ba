"""Acts that need words: they come from the pages as forms, and go back to where they came from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from alerting.model import Control, Incident
from dashboards.acts import Refused
from dashboards.dom import h, to_html
from dashboards.live_page import view_of
from dashboards.site import Site
from dashboards.theme import plain_page

Text = Annotated[str, Form()]


def add_forms(site: Site, app: FastAPI) -> None:
    """The forms of the incident page."""
    acts = site.acts

    async def reply(id: str, make: Callable[[Incident], Awaitable[Control]]) -> Response:
        async def act() -> Control:
            found = await site.live.shared(("incident", id), lambda: site.reader.incident(id))
            if not found:
                raise Refused("There is no such incident.")
            return await make(found[-1])

        return await answered(site, f"/incident/{quote(id)}", act)

    @app.post("/incident/{id}/assign", include_in_schema=False)
    async def assign(request: Request, id: str, to: Text = "", reason: Text = "") -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.assign(incident, who, to, reason))

    @app.post("/incident/{id}/snooze", include_in_schema=False)
    async def snooze(request: Request, id: str, seconds: Annotated[float, Form()], reason: Text = "") -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.snooze(incident, who, seconds, reason))

    @app.post("/incident/{id}/silence", include_in_schema=False)
    async def silence(request: Request, id: str, seconds: Annotated[float, Form()], reason: Text = "") -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.silence(incident, who, seconds, reason))

    @app.post("/incident/{id}/note", include_in_schema=False)
    async def note(request: Request, id: str, text: Text = "") -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.note(incident, who, text))

    @app.post("/incident/{id}/promote", include_in_schema=False)
    async def promote(
        request: Request, id: str, keyword: Text = "", label: Text = "", phrases: Text = "", reason: Text = ""
    ) -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.promote(incident, who, keyword, label, phrases, reason))

    @app.post("/incident/{id}/intervention", include_in_schema=False)
    async def intervention(request: Request, id: str, text: Text = "") -> Response:
        who = view_of(request, site.settings).who
        return await reply(id, lambda incident: acts.intervention(incident, who, text))


async def answered(site: Site, back: str, act: Callable[[], Awaitable[Control]]) -> Response:
    """Do it and go back to the page, which says what was done; or say why not."""
    try:
        made = await act()
    except Refused as error:
        return _refused(back, str(error), 400)
    except OSError:
        return _refused(back, "The log takes nothing just now. Go back and try again in a moment.", 503)
    await site.live.refresh()
    return RedirectResponse(f"{back}?did={made.id}", 303)


def _refused(back: str, sentence: str, status: int) -> Response:
    body = h("article", h("h1", "Not recorded"), h("p", sentence, class_="lede"),
             h("p", h("a", "Back", href=back)))  # fmt: skip
    return HTMLResponse(plain_page("Not recorded", to_html(body)), status)
