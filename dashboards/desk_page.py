"""The desk: silences and planned events that stand, what people's verdicts say, and the log of all that was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerting.feedback import Count, Report, report
from alerting.model import Control, Incident
from alerting.standing import begin, silences, standing
from dashboards.acts_said import about, told
from dashboards.catalogue import Catalogue
from dashboards.dom import Child, Node, h
from dashboards.frame import View, incident_list, panel
from dashboards.incident_actions import SILENCES, lengths, why_line
from dashboards.live import Board, Live
from dashboards.words import clock, count_of, moment
from streams.runtime.store.audit import Entry, Verdict, entries, verify

NEWEST = 60
MOST_INCIDENTS = 10_000


class Desk(NamedTuple):
    """What the page shows."""

    standing: list[Control]
    report: Report
    log: list[Entry]
    whole: Verdict


def read_desk(live: Live, now: float) -> Desk:
    """Reads the store."""
    engine = live.reader.engine
    return Desk(
        standing(live.controls(), now),
        report(live.reader.incidents(limit=MOST_INCIDENTS), live.reader.told()),
        entries(engine, newest=NEWEST)[::-1],
        verify(engine),
    )


def desk_page(board: Board, view: View, names: Catalogue, desk: Desk) -> Node:
    """All of it on one page, forms included."""
    quiet = [one for one in desk.standing if one.kind == "silence"]
    events = [one for one in desk.standing if one.kind == "planned_event"]
    return h(
        "article",
        h("h1", "Desk"),
        h("p", "What is kept quiet, what is planned, how right the rules were, and who did what.", class_="lede"),
        h(
            "div",
            panel("Silences", _listed(quiet, board, view, names, "No silence stands."), _silence_form(names)),
            panel("Planned events", _listed(events, board, view, names, "None planned."), _event_form(names, view)),
            class_="columns two",
        ),
        panel("How right the rules were", *_judged(desk.report, names), note="by people's verdicts; nothing is changed by them"),
        panel("Who did what", _whole(desk.whole), _log(desk.log, view, names, board.now), note=f"newest {NEWEST}", csv="/export/acts.csv"),
    )  # fmt: skip


def _listed(found: Sequence[Control], board: Board, view: View, names: Catalogue, empty: str) -> Node:
    if not found:
        return h("p", empty, class_="empty")
    return h("ul", [_one(control, board, view, names) for control in found], class_="stands")


def _one(control: Control, board: Board, view: View, names: Catalogue) -> Node:
    begins, now = begin(control), board.now
    span = f"until {clock(control.until or now, view.zone, now)}"
    if begins > now:
        span = f"{clock(begins, view.zone, now)} to {clock(control.until or now, view.zone, now)}"
    if control.factor is not None:
        span += f", {control.factor:g} × as many complaints expected"
    why = f", {control.author}: {control.reason}" if control.reason else f", by {control.author}"
    what = about(control, names)
    held: Child = None
    if control.kind == "silence":
        back = [i for i in board.open if (i.silenced_until or 0.0) > now and silences(control, i)]
        held = _held(back, names, view, now)
    end = h("button", "End now", type="button", act=("undo", control.id), aria_label=f"End now: {what}")
    return h("li", h("div", h("b", what), h("span", span + why, class_="quiet small")), end, held, key=control.id)


def _held(back: list[Incident], names: Catalogue, view: View, now: float) -> Node:
    if not back:
        return h("p", "Holds nothing back just now.", class_="quiet small held")
    said = h("p", f"Holds back {count_of(len(back), 'incident')}:", class_="quiet small")
    return h("div", said, incident_list(back, names, view, now, ""), class_="held")


def _matchers(names: Catalogue) -> list[Node]:
    options = [h("option", "any problem", value="")]
    options += [h("option", names.keyword(k), value=k) for k in names.keywords() if k != "*"]
    return [
        h("label", "Place (empty: everywhere)", h("input", name="place", maxlength=120, autocomplete="off")),
        h("label", "Problem", h("select", options, name="keyword")),
    ]


def _silence_form(names: Catalogue) -> Node:
    fields = [*_matchers(names), lengths(SILENCES), why_line()]
    return _form("New silence…", "/desk/silence", "Silence", fields)


def desk_forms(names: Catalogue, view: View) -> Node:
    """Both forms."""
    return h("div", _silence_form(names), _event_form(names, view))


def _event_form(names: Catalogue, view: View) -> Node:
    fields = [
        *_matchers(names),
        h("label", f"Begins ({view.zone}; empty: now)", h("input", name="start", type="datetime-local")),
        h("label", f"Ends ({view.zone})", h("input", name="end", type="datetime-local", required=True)),
        h("label", "How many times the usual complaints",
          h("input", name="factor", type="number", min="0.1", max="1000", step="any", value="3", required=True)),
        why_line(),
    ]  # fmt: skip
    return _form("Plan an event…", "/desk/event", "Plan it", fields)


def _form(summary: str, action: str, button: str, fields: Sequence[Node]) -> Node:
    form = h("form", list(fields), h("button", button, type="submit", class_="primary"), method="post", action=action)
    return h("details", h("summary", summary, class_="button"), form, class_="deskform")


def _judged(found: Report, names: Catalogue) -> list[Node]:
    if not found.rules:
        return [h("p", "No incident has been suspected yet.", class_="empty")]
    groups = [("Rule", found.rules), ("Tier", found.tiers), ("Told to", found.channels)]
    rows = [
        _row(kind if n == 0 else "", names.keyword(one.name) if kind == "Rule" else one.name, one)
        for kind, counts in groups
        for n, one in enumerate(counts[:12])
    ]
    heads = ("by", "name", "real", "not real", "known event", "no answer", "of those judged")
    table = h(
        "table",
        h(
            "thead",
            h("tr", [h("th", head, scope="col", class_="words" if head in heads[:2] else None) for head in heads]),
        ),
        h("tbody", rows),
        class_="figures",
    )
    return [h("div", table, class_="wide"), *(h("p", line, class_="small") for line in found.advice)]


def _row(kind: str, name: str, one: Count) -> Node:
    share = "–" if one.precision is None else f"{one.precision:.0%} real".replace("%", " %")
    figures = (one.real, one.not_real, one.known_event, one.unanswered)
    cells = [h("td", f"{n:,}") for n in figures]
    return h(
        "tr",
        h("td", kind, class_="words"),
        h("th", name, scope="row", class_="words"),
        cells,
        h("td", share),
        key=f"{kind}{name}",
    )


def _whole(found: Verdict) -> Node:
    if found.broken is not None:
        return h("p", h("b", "The record was changed."), f" {found.broken}.", class_="banner red", role="status")
    head = f"{count_of(found.rows, 'act')}, each chained to the one before; head {found.head[:16]}…"
    return h("p", f"The record is whole: {head}", class_="quiet small")


def _log(log: Sequence[Entry], view: View, names: Catalogue, now: float) -> Node:
    if not log:
        return h("p", "Nobody has done anything yet.", class_="empty")
    rows = [
        h(
            "li",
            moment(one.control.at, view.zone, now),
            h("span", _said(one.control, view, names, now)),
            key=str(one.number),
        )
        for one in log
    ]
    return h("ol", rows, class_="timeline")


def _said(control: Control, view: View, names: Catalogue, now: float) -> Node:
    text = told(control, view.zone, now, about(control, names)) + (f" (from the {control.via})" if control.via else "")
    if control.incident is None:
        return h("span", text)
    return h("span", text, " ", h("a", "incident", href=f"/incident/{control.incident}"))
