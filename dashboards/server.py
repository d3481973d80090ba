"""Puts pages and API on a FastAPI app; the caller runs it with uvicorn in its own event loop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui

from alerting.model import Control, KeywordTree, PlaceTree
from alerting.policy import Policy
from dashboards.acts import Acts
from dashboards.api import router
from dashboards.catalogue import Catalogue
from dashboards.guard import Guard
from dashboards.live import Live
from dashboards.pages import register
from dashboards.settings import PageSettings
from dashboards.site import Site
from streams.runtime.store.reader import Reader

FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M2 14h4l2-6 3 11 3-14 2.5 9H22" fill="none" '
    'stroke="#2f7fc1" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


def mount(
    app: FastAPI,
    reader: Reader,
    act: Callable[[Control], Awaitable[None]],
    settings: PageSettings,
    *,
    places: PlaceTree,
    keywords: KeywordTree,
    policy: Policy,
    now: Callable[[], float] = time.time,
    exempt: tuple[str, ...] = (),
    replay: Callable[[str], str] | None = None,
) -> Live:
    """Add pages, API and guard to `app`; add all other routes before, for the pages take every other path.

    `act` appends a control to the log and raises when it cannot. `policy`: what incidents are judged by. `now` is the
    clock of the service. `exempt`: path prefixes with tokens of their own. `replay`: the command that replays the past
    with a new keyword. Call `poke()` of the result after a close to be shown at once; it polls the reader otherwise.
    Once a process.
    """
    acts = Acts(act, now, replay=replay)
    live = Live(reader, acts, now, settings.timezone, settings.refresh_seconds)
    site = Site(reader, live, acts, Catalogue(places, keywords), settings, policy)
    live.catalogue = site.catalogue
    app.include_router(router(site))
    register(site, app)
    ui.run_with(
        app,
        title=settings.title,
        favicon=FAVICON,
        dark=None,
        language="en-US",
        tailwind=False,
        reconnect_timeout=20.0,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )
    app.add_middleware(Guard, settings=settings, exempt=exempt)
    nicegui_app.on_startup(live.start)
    nicegui_app.on_shutdown(live.stop)
    return live
