"""Why was nothing opened? One sentence first, then the figures it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from alerting.model import Gate, Incident
from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.series import gathered
from dashboards.series_page import Series, read_series, series_chart
from dashboards.site import WhyNot
from dashboards.words import clock, local, number, odds, people, usual, zone_of
from streams.runtime.store.reader import Cell, Reader

AROUND_SECONDS = 3 * 3600.0
LOOK_BACK_SECONDS = 3600.0


class Answer(NamedTuple):
    """The answer to a why-not question; `incident` where there was one after all."""

    sentence: str
    gates: tuple[Gate, ...]
    figures: list[tuple[str, str]]
    incident: Incident | None
    cell: Cell | None


def answer(reader: Reader, why_not: WhyNot | None, place: str, keyword: str, at: float, names: Catalogue) -> Answer:
    """DETECT's own answer where it runs here and still remembers, else what the stored counts say."""
    found = reader.incidents(place=place, keyword=keyword, at=at, states=["signal", "suspected", "confirmed"])
    exact = [i for i in found if i.scope.place == place or any(p.place == place for p in i.places)]
    cells = reader.series(place, keyword, at - LOOK_BACK_SECONDS, at + 1)
    cell = max((c for c in cells if c.start <= at), key=lambda c: c.start, default=None)
    told: Any = why_not(place, keyword, at) if why_not is not None else None
    gates = tuple(getattr(told, "gates", ()) or getattr(told, "why", ()))
    figures = _figures(cell, cells, at)
    if not exact and getattr(told, "incident", None):
        exact = reader.incident(told.incident)[-1:]  # of a wider place
    if exact:
        return Answer(f"It was opened: {exact[0].title or names.keyword(keyword)}.", gates, figures, exact[0], cell)
    sentence = next((s for name in ("text", "sentence", "answer") if (s := getattr(told, name, None))), None)
    if sentence is None and cell is None:
        sentence = "Not opened: nobody complained of it there in the hour before, so there was nothing to weigh."
    elif sentence is None:
        hour = gathered(int(at - LOOK_BACK_SECONDS), int(LOOK_BACK_SECONDS), cells)
        least = min(c.p_value for c in cells)
        said = f"Not opened: {people(hour.people)} in the hour before ({usual(hour.expected or 0.0)})"
        if least > 1e-3:
            sentence = f"{said}; chance alone brings a window like its most unusual one {odds(least)}."
        else:
            sentence = (
                f"{said}. Its most unusual window would come by chance {odds(least)}; "
                "which gate held it back is known only while the service that judged it runs, for 24 hours."
            )
    return Answer(str(sentence), gates, figures, None, cell)


def _figures(cell: Cell | None, cells: Sequence[Cell], at: float) -> list[tuple[str, str]]:
    if cell is None:
        return []
    hour = gathered(int(at - LOOK_BACK_SECONDS), int(LOOK_BACK_SECONDS), cells)
    return [
        ("People in the window", f"{cell.voices:,}"),
        ("Messages in the window", f"{cell.messages:,}"),
        ("Expected in the window", number(cell.expected)),
        ("Upper edge of the usual", number(cell.upper)),
        ("Chance of as many or more", odds(cell.p_value)),
        ("People in the hour before", f"{hour.people:,}"),
        ("Expected in the hour before", number(hour.expected or 0.0)),
    ]


def parse_minute(said: str, zone: str) -> float | None:
    """A minute as the browser's field sends it, in the viewer's zone; ISO with a zone is taken as it is."""
    try:
        given = datetime.fromisoformat(said)
    except ValueError:
        return None
    return (given if given.tzinfo else given.replace(tzinfo=zone_of(zone))).timestamp()


def read_around(reader: Reader, place: str, keyword: str, at: float, now: float) -> Series:
    return read_series(reader, place, keyword, at - AROUND_SECONDS, max(at, min(now, at + LOOK_BACK_SECONDS)))


def whynot_page(
    board: Board,
    view: View,
    names: Catalogue,
    said: dict[str, str],
    found: list[str],
    asked: tuple[Answer, Series] | None,
) -> Node:
    """`said` is what was typed; `found` the places it may mean when that is not clear."""
    return h(
        "article",
        h("h1", "Why not?"),
        h("p", "Pick a place, a problem and a minute, and see why nothing was opened.", class_="lede"),
        h("section", _form(board, view, names, said), class_="panel", style="margin-top:1rem", key="form"),
        _choices(said, found, names) if asked is None else None,
        _told(asked, said, view, names, board.now) if asked else None,
    )


def _form(board: Board, view: View, names: Catalogue, said: dict[str, str]) -> Node:
    heard = sorted({c.place for c in board.cells if c.keyword == "*"}, key=lambda p: names.place(p).name)[:300]
    options = [h("option", value=names.full_name(p), key=p) for p in heard]
    problems = [
        h("option", _indented(k, names), value=k, selected=k == said.get("keyword", "*"), key=k)
        for k in names.keywords()
    ]
    place = said.get("place", "")
    shown = names.full_name(place) if names.knows_place(place) else place
    minute = said.get("at") or f"{local(board.now, view.zone):%Y-%m-%dT%H:%M}"
    return h(
        "form",
        h("label", "Place", h("input", name="place", value=shown, list="heard", required=True, autocomplete="off")),
        h("label", "Problem", h("select", problems, name="keyword")),
        h("label", f"Minute ({view.zone})", h("input", name="at", type="datetime-local", value=minute)),
        h("button", "Ask", type="submit", class_="primary"),
        h("datalist", options, id="heard"),
        method="get",
        action="/why-not",
        class_="ask",
    )


def _indented(keyword: str, names: Catalogue) -> str:
    depth, above = 0, names.keyword_parent(keyword)
    while above not in (None, "*"):
        depth, above = depth + 1, names.keyword_parent(above or "*")
    return "\u2003" * depth + names.keyword(keyword)


def _choices(said: dict[str, str], found: list[str], names: Catalogue) -> Node | None:
    if not said.get("place"):
        return None
    if not found:
        return h(
            "p", f"No place is known as “{said['place']}”. Try a city, a region, or an airport code.", class_="answer"
        )
    rest = f"&keyword={said.get('keyword', '*')}&at={said.get('at', '')}"
    links = [h("li", h("a", ", ".join(names.path(p)[:3]), href=f"/why-not?place={p}{rest}"), key=p) for p in found]
    return panel("Which one?", h("ul", links, class_="lines"))


def _told(asked: tuple[Answer, Series], said: dict[str, str], view: View, names: Catalogue, now: float) -> Node:
    result, series = asked
    rows = [h("tr", h("th", name, scope="row"), h("td", value), key=name) for name, value in result.figures]
    gates = [h("li", h("span", g.text), class_="yes" if g.passed else "no", key=g.gate) for g in result.gates]
    incident = [result.incident] if result.incident else []
    when = f" · window of {clock(result.cell.start, view.zone, now)}" if result.cell else ""
    return h(
        "section",
        h("p", result.sentence, class_="answer", role="status"),
        incident_list(incident, names, view, now, "") if incident else None,
        panel("Gates", h("ul", gates, class_="gates")) if gates else None,
        h(
            "div",
            panel("Around that time", series_chart(series, view.zone, incident)),
            panel("Figures", h("table", h("tbody", rows), class_="figures"), note=when.lstrip(" ·")) if rows else None,
            class_="columns two",
        ),
        key="told",
    )
