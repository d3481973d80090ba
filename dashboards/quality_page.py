"""The page *Quality*: how early, how often right, how much is left unanswered against the budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dashboards.catalogue import Catalogue
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.live import Board
from dashboards.quality import WEEKS, Quality, Tally
from dashboards.words import count_of, duration, number

PARTS = (("unanswered", "unanswered"), ("not_real", "not real"), ("known", "known event"), ("real", "real"))
LAST = 10


def quality_page(board: Board, view: View, catalogue: Catalogue, found: Quality) -> Node:
    """`found` is of the last weeks."""
    problems = [one._replace(name=catalogue.keyword(one.name)) for one in found.problems]
    return h(
        "article",
        h("div", h("h1", _headline(found.total)), class_="titleline"),
        h("p", f"Of the last {WEEKS} weeks, drills left out.", class_="lede"),
        h("dl", _facts(board, found), class_="bigfacts"),
        panel(
            "Week by week",
            _weeks(found.weeks, board.status.budget_per_week),
            _legend(),
            note="told in the week that begins on this Monday",
        ),
        h(
            "div",
            panel("By rule", _table(found.rules, "rule", "Nothing was told yet.")),
            panel("By route", _table(found.routes, "channel", "No channel was told anything yet.")),
            class_="columns halves",
        ),
        panel("By problem", _table(problems, "problem", "Nothing was told yet.")),
        panel(
            "Judged not real",
            incident_list(found.not_real[:LAST], catalogue, view, board.now, "None."),
            note="look here for phrases to take out of a pack",
        ),
    )


def _headline(total: Tally) -> str:
    if not total.told:
        return "Nothing was told yet"
    if total.precision is None:
        return f"{count_of(total.told, 'incident')} told, none judged yet"
    return f"{total.real + total.known} of {total.judged} judged were real or a known event"


def _facts(board: Board, found: Quality) -> list[Node]:
    status, total = board.status, found.total
    spent = number(status.budget_spent)
    budget = f"{spent} of {status.budget_per_week:g}" if status.budget_per_week else spent
    return [
        _fact("told", f"{total.told:,}", f"{total.unanswered:,} of them judged by nobody"),
        _fact("precision", _share(total.precision), f"real or a known event, of {total.judged:,} judged"),
        _fact("told after", "–" if found.after is None else duration(found.after), "median, from onset"),
        _fact("ahead of the first intervention", _ahead(found.ahead), _noted(found.ahead_of)),
        _fact("unanswered this week", budget, "of what is accepted; it sets the bar, it never blocks"),
    ]  # fmt: skip


def _ahead(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return duration(seconds) if seconds >= 0 else f"{duration(-seconds)} late"


def _noted(count: int) -> str:
    return f"median of {count:,} noted" if count else "none was noted"


def _fact(name: str, value: str, says: str) -> Node:
    return h("div", h("dt", name), h("dd", h("b", value), h("span", says, class_="quiet small")), key=name)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _weeks(weeks: Sequence[Tally], budget: float) -> Node:
    """Bars of all weeks on one scale, what nobody called real first, so that the budget can be held against it."""
    most = max([one.told for one in weeks] + [budget, 1.0])
    rows = [
        h(
            "li",
            h("span", _day(one.name), class_="n"),
            h("span", _bar(one, most), _mark(budget, most), class_="stack", role="img", aria_label=_said(one)),
            h("span", f"{one.told:,}", class_="n"),
            key=one.name,
        )
        for one in weeks
    ]
    return h("ol", rows, class_="weeks")


def _bar(one: Tally, most: float) -> list[Node]:
    shares = [(key, getattr(one, key)) for key, _ in PARTS]
    return [h("i", class_=f"q-{key}", style=f"width:{100 * count / most:.2f}%") for key, count in shares if count]


def _day(monday: str) -> str:
    day = date.fromisoformat(monday)
    return f"{day.day} {day:%b}"


def _mark(budget: float, most: float) -> Node | None:
    return h("u", class_="budgetmark", style=f"left:{100 * budget / most:.2f}%") if budget else None


def _said(one: Tally) -> str:
    parts = [f"{getattr(one, key)} {name}" for key, name in PARTS if getattr(one, key)]
    return f"Week of {_day(one.name)}: {', '.join(parts) or 'nothing told'}"


def _legend() -> Node:
    keys = [h("span", h("i", class_=f"q-{key}"), name) for key, name in PARTS]
    return h(
        "p",
        keys,
        h("span", h("i", class_="k-budget"), "budget of a week, for those that nobody calls real"),
        class_="legend small quiet",
    )


def _table(tallies: Sequence[Tally], what: str, empty: str) -> Node:
    if not tallies:
        return h("p", empty, class_="empty")
    head = [what, "told", "precision", *(name for _, name in PARTS)]
    rows = [
        h(
            "tr",
            h("th", one.name, scope="row"),
            h("td", f"{one.told:,}"),
            h("td", _share(one.precision)),
            [h("td", f"{getattr(one, key):,}") for key, _ in PARTS],
            key=one.name,
        )
        for one in tallies
    ]
    heads = h("thead", h("tr", [h("th", name, scope="col") for name in head]))
    return h(
        "div",
        h("table", heads, h("tbody", rows), class_="figures"),
        class_="wide",
        tabindex="0",
        role="group",
        aria_label=f"By {what}",
    )
