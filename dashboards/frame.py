"""What every page has around it: the bar at the top, banners, tiers as shape and word, panels."""

from __future__ import annotations

from typing import NamedTuple

from alerting.case import UNNAMED
from alerting.model import Incident
from dashboards.catalogue import Catalogue
from dashboards.dom import Child, Node, h, raw
from dashboards.live import Board
from dashboards.words import SHAPES, clock, count_of, duration, listed, local, number

STALE_SECONDS = 180  # beyond the window being filled and the one after it
GLYPH = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 14h3l2-6 3 11 3-14 2.5 9H21" fill="none" '
    'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


class View(NamedTuple):
    """How one viewer looks at it."""

    zone: str
    who: str
    theme: str = "auto"
    level: str = "near"
    wall: bool = False
    looked: float | None = None  # what changed since then is marked
    anonymous: bool = False  # no name given yet
    at: float | None = None  # the past moment that is looked at


def bar(board: Board, view: View, here: str, back: bool = False) -> Node:
    """The header: where one is, how the sources do, the budget, the time, and with `back` the way into the past."""
    links = [("/", "Board"), ("/keyword/*", "Problems"), ("/network", "Network"), ("/quality", "Quality"),
             ("/why-not", "Why not?"), ("/desk", "Desk")]  # fmt: skip
    nav = h(
        "nav",
        [h("a", name, href=path, aria_current="page" if path == here else None) for path, name in links],
        aria_label="Pages",
    )
    leads = back and not board.past and not view.wall
    into_past = h("button", "Look back", type="button", act=("step", "-60")) if leads else None
    facts = h("div", _sources(board), _budget(board), _clock(board, view), into_past, class_="facts")
    return h(
        "div",
        h("a", "Skip to the content", href="#main", class_="skip"),
        h("a", raw("span", GLYPH, class_="glyph"), h("span", "overheard"), href="/", class_="brand"),
        None if view.wall else nav,
        facts,
        None if view.wall else _preferences(view, here),
        class_="bar wall" if view.wall else "bar",
        data_theme=view.theme if view.theme != "auto" else None,
    )


def _sources(board: Board) -> Node:
    blind = [s for s in board.sources if s.blind_since is not None]
    live = len(board.sources) - len(blind)
    said = f"{live} live"
    if blind:
        longest = min(blind, key=lambda s: s.blind_since or 0)
        said += f" · {len(blind)} blind ({longest.source}, {duration(board.now - (longest.blind_since or 0))})"
    return h("span", h("span", "sources", class_="label"), h("b", said), class_="fact blindfact" if blind else "fact")


def _budget(board: Board) -> Node | None:
    if not board.status.budget_per_week:
        return None
    spent, per_week = number(board.status.budget_spent), number(board.status.budget_per_week)
    return h(
        "span",
        h("span", "budget", class_="label"),
        h("b", f"{spent} of {per_week} this week" if board.status.budget_per_week >= 1 else f"{spent} this week"),
        None if board.status.budget_per_week >= 1 else h("span", _seldom(board.status.budget_per_week), class_="label"),
        class_="fact",
        title="False pages the settings allow a week, and how much of that was used. It sets the bar, it never blocks.",
    )


def _seldom(per_week: float) -> str:
    return f"one in {1 / per_week:.0f} weeks allowed"


def _clock(board: Board, view: View) -> Node:
    here = local(board.now, view.zone)
    return h("span", h("b", f"{here:%H:%M}", class_="clock"), h("span", f" {here:%Z}", class_="label"),
             class_="fact", title=f"{here:%A %d %B %Y}, times in {view.zone}")  # fmt: skip


def _preferences(view: View, here: str) -> Node:
    themes = [("auto", "like the device"), ("light", "light"), ("dark", "dark")]
    options = [h("option", name, value=key, selected=key == view.theme) for key, name in themes]
    form = h(
        "form",
        h("label", "Your name", h("input", name="who", value="" if view.anonymous else view.who, maxlength=80)),
        h("label", "Colours", h("select", options, name="theme")),
        h("label", "Time zone", h("input", name="zone", value=view.zone, maxlength=60)),
        h("input", type="hidden", name="back", value=here),
        h("button", "Save", type="submit"),
        method="post",
        action="/preferences",
    )
    return h("details", h("summary", view.who, title="Your name, colours, time zone"), form, class_="prefs")


def banners(board: Board, view: View) -> list[Node]:
    """What is wrong with the watcher itself, worst first."""
    status, told = board.status, []
    red = status.red or ("The disk is full: nothing new is accepted until there is room." if status.disk_full else None)
    if board.trouble:
        told.append(_banner("red", "Out of date.", board.trouble))
    if red:
        told.append(_banner("red", "Not counting.", f"{red} It goes on by itself once that is mended."))
    elif status.last_close is not None and board.now - status.last_close > STALE_SECONDS + 2 * status.window_seconds:
        age = duration(board.now - status.last_close)
        text = (
            f"No window has closed since {clock(status.last_close, view.zone, board.now)} ({age}); counts stand still."
        )
        told.append(_banner("red", "Standing still.", text))
    for source in board.sources:
        if source.blind_since is not None:
            text = (
                f"{source.source}: no records since {clock(source.blind_since, view.zone, board.now)} "
                f"({duration(board.now - source.blind_since)}), usually {number(source.usual_per_hour)} an hour. "
                "What people say there is not seen; incidents there stay open until it returns. "
                "Check its feed and its credentials."
            )
            told.append(_banner("blind", "Blind.", text, key=source.source))
    if status.pack_refused:
        text = f"{status.pack_refused.splitlines()[0]}. What was listened for before still is."
        told.append(_banner("learning", "Pack refused.", text))
    if status.learning_until is not None and status.learning_until > board.now:
        until = clock(status.learning_until, view.zone, board.now)
        text = (
            f"Until {until} what is usual is still being learnt: only strong disruptions are told, some may be missed."
        )
        told.append(_banner("learning", "Learning.", text))
    return told


def _banner(tone: str, lead: str, text: str, key: str = "") -> Node:
    return h("p", h("b", lead), text, class_=f"banner {tone}", role="status", key=tone + key)


def tier(state: str) -> Node:
    return h("span", h("i", SHAPES[state], aria_hidden="true"), h("b", state), class_=f"tier {state}")


def panel(
    title: str,
    *children: Child,
    class_: str = "",
    note: str | None = None,
    key: str | None = None,
    csv: str | None = None,
) -> Node:
    """A titled box; `note` stands beside the title, and the address of its table as CSV."""
    taken = h("a", "CSV", href=csv, class_="takeaway small", aria_label=f"{title} as CSV") if csv else None
    head = h("div", h("h2", title), h("span", note, class_="quiet small") if note else None, taken, class_="panelhead")
    return h("section", head, list(children), class_=f"panel {class_}".strip(), key=key or title)


def name_of(incident: Incident, catalogue: Catalogue) -> str:
    """`JFK Terminal 4 · baggage`."""
    place = incident.scope.place
    name = catalogue.short(place) if catalogue.knows_place(place) else incident.scope.name
    return f"{name} · {keyword_names(incident, catalogue)}"


def keyword_names(incident: Incident, catalogue: Catalogue) -> str:
    """What is wrong, in two names at most: tight keywords where there are few, else the topics they belong to; new words where none is known."""
    if UNNAMED in incident.marks:
        return ", ".join(term for term, _ in incident.terms[:3])
    tight = [k for k in incident.keywords if not any(k.startswith(f"{other}/") for other in incident.keywords)]
    chosen = tight if len(tight) <= 2 else list(dict.fromkeys(k.split("/")[0] for k in tight))
    names = [catalogue.keyword(k) for k in chosen]
    return listed(names) if len(names) <= 2 else f"{names[0]} and {count_of(len(names) - 1, 'more problem')}"


def incident_list(incidents: list[Incident], catalogue: Catalogue, view: View, now: float, empty: str) -> Node:
    """Past or smaller incidents as plain lines."""
    if not incidents:
        return h("p", empty, class_="empty")
    return h("ul", [_line(i, catalogue, view, now) for i in incidents], class_="lines")


def _line(incident: Incident, catalogue: Catalogue, view: View, now: float) -> Node:
    end = incident.resolved_at
    lasted = f"{duration(end - incident.onset)}" if end else f"{duration(now - incident.onset)} so far"
    verdict = {"real": "judged real", "not_real": "judged not real", "known_event": "known event"}.get(
        incident.verdict or ""
    )
    facts = ", ".join(
        filter(None, [clock(incident.onset, view.zone, now), lasted, f"{incident.people:,} people", verdict])
    )
    link = h("a", name_of(incident, catalogue), href=f"/incident/{incident.id}")
    return h("li", tier(incident.state), link, h("span", facts, class_="quiet"), key=incident.id)
