"""Why was nothing opened? One sentence first, then the figures it rests on."""

from __future__ import annotations

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.series_page import Series, read_series, series_chart
from dashboards.words import clock, local, number, odds
from streams.runtime.store.reader import Reader
from streams.runtime.why_then import LOOK_BACK_SECONDS, Answer, expected_of

AROUND_SECONDS = 3 * 3600.0


def figures(found: Answer) -> list[tuple[str, str]]:
    """What the sentence rests on, as rows."""
    cell = found.cell
    if cell is None:
        return []
    rows = [
        ("People in the window", f"{cell.voices:,}"),
        ("Messages in the window", f"{cell.messages:,}"),
        ("Expected in the window", number(cell.expected)),
        ("Upper edge of the usual", number(cell.upper)),
        ("Chance of as many or more", odds(cell.p_value)),
        ("People in the hour before", f"{sum(c.voices for c in found.hour):,}"),
        ("Expected in the hour before", number(expected_of(found.hour))),
    ]
    if found.cut is not None:
        rows.append(("The cut then", odds(found.cut)))
    if found.cut_people is not None:
        rows.append(("People that would have been enough", f"{found.cut_people:,}"))
    return rows


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
    rows = [h("tr", h("th", name, scope="row"), h("td", value), key=name) for name, value in figures(result)]
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
