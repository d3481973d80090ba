"""One viewer's page: the shared trees mounted into NiceGUI, patched when the board moves, acts sent to the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote, unquote, urlencode

from fastapi import Request
from nicegui import background_tasks, ui
from nicegui.client import Client
from nicegui.element import Element

from alerting.model import Control
from dashboards.acts import Acts, Refused
from dashboards.acts_said import said
from dashboards.dom import Act, Mounted, Node, h
from dashboards.frame import View, bar
from dashboards.guard import cookies
from dashboards.live import Board, Live, midnight
from dashboards.past import board_at, parse_at
from dashboards.scrubber import DayLine, read_day, staying, stepped, strip
from dashboards.settings import PageSettings
from dashboards.since import Looks, cookie_of, looks_of
from dashboards.words import at_text, zone_of

log = logging.getLogger(__name__)
Build = Callable[[Board, View], Awaitable[Node]]
MOVES = frozenset({"step", "keys", "slide", "now"})
THEMES = ("auto", "light", "dark")


def view_of(request: Request, settings: PageSettings) -> View:
    """What the viewer's cookies and address say about how to show it."""
    kept = {key: unquote(value) for key, value in request.cookies.items()}
    who = kept.get("overheard_who", "").strip()[:80]
    theme = kept.get("overheard_theme", "auto")
    return View(
        zone=_zone(kept, settings),
        who=who or settings.author,
        theme=theme if theme in THEMES else "auto",
        level=request.query_params.get("level", "near"),
        wall="wall" in request.query_params,
        anonymous=not who,
    )


def _zone(kept: dict[str, str], settings: PageSettings) -> str:
    """The chosen zone, else the device's, else the service's."""
    for name in (kept.get("overheard_zone_chosen"), kept.get("overheard_zone")):
        if name and zone_of(name).key == name:
            return name
    return settings.timezone


def address(here: str, asked: dict[str, str], at: float | None) -> str:
    """Path and query of a page, at a past moment where there is one."""
    told = {**asked, **({} if at is None else {"at": at_text(at)})}
    return quote(here, safe="/:*%") + (f"?{urlencode(told, safe=':/*')}" if told else "")


def remember(looks: Looks | None) -> str:
    """Kept on the device itself: its time zone and, of the board, the looks at it; and the address of what is shown."""
    keep = "';path=/;max-age=31536000;samesite=strict'"
    device = "encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)"
    zone = f"document.cookie='overheard_zone='+{device}+{keep};"
    looked = f"document.cookie='overheard_looked={cookie_of(looks)}'+{keep};" if looks else ""
    moved = (
        f"d.looked&&(document.cookie='overheard_looked='+d.looked+{keep});"
        "d.address&&history.replaceState(history.state,'',d.address)"
    )
    watch = "observe(document,{subtree:true,attributeFilter:['data-address','data-looked']})"
    return f"<script>{zone}{looked}new MutationObserver(([{{target:{{dataset:d}}}}])=>{{{moved}}}).{watch}</script>"


class LivePage:
    """Shows `build(board, view)` under the bar and keeps it fresh until the viewer leaves; of a past moment too, where it has one."""

    def __init__(
        self,
        live: Live,
        acts: Acts,
        settings: PageSettings,
        here: str,
        view: View,
        build: Build,
        asked: dict[str, str] | None = None,
    ) -> None:
        """`asked`: what the address of a page that can look back asks for beside the moment; None for other pages."""
        self._live, self._acts, self._settings = live, acts, settings
        self._here, self._view, self._build, self._asked = here, view, build, asked
        self._did: Node | None = None
        self._day: DayLine | None = None  # on the slider
        self._looks: Looks | None = None
        self._busy = self._again = False

    def tell(self, control: Control | None) -> None:
        """Say what this act did; nothing where there was none."""
        self._did = done(control, self._acts, self._view.zone, self._live.now()) if control else None

    def since(self, cookie: str) -> None:
        """Mark what changed since this browser's last look."""
        self._looks = looks_of(cookie, self._live.now())
        self._view = self._view._replace(looked=self._looks.before)

    def look_back(self, said: str) -> str | None:
        """Show the moment that the address asks for; gives the address that everybody understands, where it is another."""
        at = parse_at(said, self._view.zone, self._live.now())
        if at is None:
            told = f"“{said[:40]}” is no moment of the past: this is now."
            self._did = h("p", h("span", told), class_="did refused", key="refused")
            return None
        self._view = self._view._replace(at=at)
        return None if said == at_text(at) else address(self._here, self._asked or {}, at)

    async def open(self, client: Client) -> None:
        """Build the first sight of it into `client`, whose request is being answered."""
        board, content = await self._content()
        with client.layout:
            header = Element("header")
        header.move(target_index=0)
        with header:
            self._bar = Mounted(self._top(board), self._act)
        client.content.props.update({"id": "main", "tabindex": "-1"})
        with client.content:
            self._mounted = Mounted(content, self._act)
        ui.add_head_html(remember(self._looks))
        unlisten = self._live.listen(self._changed)
        client.on_delete(unlisten)
        client.on_connect(self._connected)

    def _top(self, board: Board) -> Node:
        top = bar(board, self._view, self._here, back=self._asked is not None)
        if self._asked is None:
            return top
        if self._view.at is not None:
            top = staying(top, self._view.at)
        told = {"data-address": address(self._here, self._asked, self._view.at)}
        if self._looks is not None:
            told["data-looked"] = cookie_of(self._looks)
        return top._replace(attrs={**top.attrs, **told})

    async def _content(self) -> tuple[Board, Node]:
        board = await board_at(self._live, self._settings, self._view.at)
        page = await self._build(board, self._view)
        told = h("div", self._did, role="status", class_="didregion", key="did")
        at, zone = self._view.at, self._view.zone
        if at is None:
            return board, h("div", told, page)
        now = self._live.now()
        self._day = await self._live.shared(
            ("day", midnight(at, zone), zone), lambda: read_day(self._live, at, zone, now)
        )
        return board, h("div", told, strip(at, self._day, self._view, self._asked or {}), staying(page, at))

    def _connected(self, client: Client) -> None:
        """The socket brings the cookies the page has just set: on a first visit, the device's time zone."""
        header = str((client.environ or {}).get("HTTP_COOKIE", ""))
        zone = _zone({key: unquote(value) for key, value in cookies(header).items()}, self._settings)
        if zone != self._view.zone:
            self._view = self._view._replace(zone=zone)
            self._changed(again=True)

    def _changed(self, again: bool = False) -> None:
        if self._view.at is not None and not again:
            return  # what is past stays as it was
        if self._busy:
            self._again = True
        else:
            self._busy = True
            background_tasks.create(self._refresh(), name=f"refresh {self._here}")

    async def _go(self, act: Act) -> None:
        """Another moment, in place; the address tells it, to be sent to others."""
        now = self._live.now()
        begin = self._day.begin if self._day else now
        self._view = self._view._replace(at=stepped(act, self._view.at or now, begin, now))
        self._changed(again=True)

    async def _refresh(self) -> None:
        try:
            while True:
                self._again = False
                if not self._mounted.element.is_deleted:
                    board, content = await self._content()
                    self._bar.patch(self._top(board))
                    self._mounted.patch(content)
                if not self._again:
                    return
        finally:
            self._busy = False

    async def _act(self, act: Act) -> None:
        """A button was pressed: do it, say what it did, offer to take it back."""
        if act[0] in MOVES:
            return await self._go(act)
        if act[0] == "seen":
            now = self._live.now()
            self._looks, self._view = Looks(now, now), self._view._replace(looked=now)
            return self._changed()
        try:
            control = await self._perform(act)
        except Refused as error:
            self._did = h("p", h("span", str(error)), class_="did refused", key="refused")
        except Exception:
            log.exception("an act could not be recorded")
            told = "That was not recorded: the log does not take anything just now. Try again in a moment."
            self._did = h("p", h("span", told), class_="did refused", key="refused")
        else:
            self.tell(control)
        await self._live.refresh()
        self._changed(again=True)

    async def _perform(self, act: Act) -> Control:
        kind, target, *rest = act
        if kind == "undo":
            stored = await asyncio.to_thread(self._live.reader.control, target)
            return await self._acts.undo(target, self._view.who, stored)
        board = self._live.board
        found = [i for i in (board.open + board.resolved if board else ()) if i.id == target]
        found = (
            found or (await self._live.shared(("incident", target), lambda: self._live.reader.incident(target)))[-1:]
        )
        if not found:
            raise Refused("This incident is not in the store.")
        if kind == "ack":
            return await self._acts.ack(found[0], self._view.who)
        if kind == "feedback":
            return await self._acts.feedback(found[0], self._view.who, rest[0])
        raise Refused("Unknown act.")


def done(control: Control, acts: Acts, zone: str, now: float) -> Node:
    """What an act did, with the way back."""
    undone = acts.find(control.value or "") if control.kind == "undo" else None
    button = h("button", "Undo", type="button", act=("undo", control.id)) if control.kind != "undo" else None
    command = acts.replay_of(control)
    past = h("span", "To hear the past with it: ", h("code", command), class_="replays") if command else None
    return h("p", h("span", said(control, zone, now, undone)), button, past, class_="did", key=control.id)
