"""Acts that need words: they come from the pages as forms, and go back to where they came from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from alerting.model import Control, Incident
from dashboards.acts import Refused
from dashboards.dom import Node, h, to_html, walk
from dashboards.incident_actions import actions
from dashboards.live_page import view_of
from dashboards.site import Site
from dashboards.theme import plain_page

Text = Annotated[str, Form()]


def add_forms(site: Site, app: FastAPI) -> None:
    """The forms of the incident page."""
    acts = site.acts

    async def reply(request: Request, id: str, make: Callable[[Incident, str], Awaitable[Control]]) -> Response:
        found = await site.live.shared(("incident", id), lambda: site.reader.incident(id))
        back, who = f"/incident/{quote(id)}", view_of(request, site.settings).who
        if not found:
            return _refused(back, "There is no such incident.", 400)
        return await answered(site, request, back, lambda: make(found[-1], who), actions(found[-1]))

    @app.post("/incident/{id}/assign", include_in_schema=False)
    async def assign(request: Request, id: str, to: Text = "", reason: Text = "") -> Response:
        return await reply(request, id, lambda incident, who: acts.assign(incident, who, to, reason))

    @app.post("/incident/{id}/snooze", include_in_schema=False)
    async def snooze(request: Request, id: str, seconds: Annotated[float, Form()], reason: Text = "") -> Response:
        return await reply(request, id, lambda incident, who: acts.snooze(incident, who, seconds, reason))

    @app.post("/incident/{id}/silence", include_in_schema=False)
    async def silence(request: Request, id: str, seconds: Annotated[float, Form()], reason: Text = "") -> Response:
        return await reply(request, id, lambda incident, who: acts.silence(incident, who, seconds, reason))

    @app.post("/incident/{id}/note", include_in_schema=False)
    async def note(request: Request, id: str, text: Text = "") -> Response:
        return await reply(request, id, lambda incident, who: acts.note(incident, who, text))

    @app.post("/incident/{id}/promote", include_in_schema=False)
    async def promote(
        request: Request, id: str, keyword: Text = "", label: Text = "", phrases: Text = "", reason: Text = ""
    ) -> Response:
        return await reply(
            request, id, lambda incident, who: acts.promote(incident, who, keyword, label, phrases, reason)
        )

    @app.post("/incident/{id}/intervention", include_in_schema=False)
    async def intervention(request: Request, id: str, text: Text = "") -> Response:
        return await reply(request, id, lambda incident, who: acts.intervention(incident, who, text))


async def answered(
    site: Site, request: Request, back: str, act: Callable[[], Awaitable[Control]], forms: Node
) -> Response:
    """Do it and go back to the page, which says what was done; or say why not, with the form of `forms` it came from as it was filled in."""
    try:
        made = await act()
    except (Refused, OSError) as error:
        full = "The log takes nothing just now. Try again in a moment."
        said, status = (str(error), 400) if isinstance(error, Refused) else (full, 503)
        typed = {name: str(value) for name, value in (await request.form()).items()}
        own = (node for node in walk(forms) if node.attrs.get("action") == request.url.path)
        return _refused(back, said, status, next((filled(form, typed) for form in own), None))
    await site.live.refresh()
    return RedirectResponse(f"{back}?did={made.id}", 303)


def filled(form: Node, typed: Mapping[str, str]) -> Node:
    """The form with what was typed in its fields."""
    value = typed.get(str(form.attrs.get("name")))
    if value is None:
        return form._replace(children=tuple(filled(child, typed) for child in form.children))
    if form.tag == "select":
        options = [
            option._replace(attrs={**option.attrs, "selected": True}) if option.attrs.get("value") == value else option
            for option in form.children
        ]
        return form._replace(children=tuple(options))
    return form._replace(text=value) if form.tag == "textarea" else form._replace(attrs={**form.attrs, "value": value})


def _refused(back: str, sentence: str, status: int, form: Node | None = None) -> Response:
    again = h("section", form, class_="panel again", aria_label="What you wrote") if form else None
    body = h("article", h("h1", "Not recorded"), h("p", sentence, class_="lede"), again,
             h("p", h("a", "Back", href=back)))  # fmt: skip
    return HTMLResponse(plain_page("Not recorded", to_html(body)), status)
