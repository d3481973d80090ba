"""One incident: what, how sure, why this tier, where, in whose words, what happened since, and what to do about it."""

from __future__ import annotations

import math
from typing import NamedTuple

from alerting.messages import VERDICTS, late_line
from alerting.model import Control, Incident, shared_keyword
from alerting.standing import kept, silences
from dashboards.acts import LONGEST_SILENCE_SECONDS, overlaid
from dashboards.acts_said import told
from dashboards.catalogue import Catalogue
from dashboards.chart import Mark, chart
from dashboards.dom import Node, h
from dashboards.frame import View, incident_list, keyword_names, panel, tier
from dashboards.incident_actions import actions
from dashboards.live import Live
from dashboards.past import until_then
from dashboards.series_page import Series, read_series, share_row
from dashboards.words import TRENDS, clock, duration, local, moment, number, odds, people, times, usual

BEFORE_SECONDS = 3 * 3600.0
AFTER_SECONDS = 3600.0
SIMILAR = 8
MOST_SHARES = 12  # places shown at once; the others fold out


class Detail(NamedTuple):
    """All that is known of one incident."""

    revisions: list[Incident]
    controls: list[Control]
    series: Series
    similar: list[Incident]
    late: int  # people of late records since the onset


def read_detail(live: Live, id: str, now: float, at: float | None = None) -> Detail | None:
    """Reads the store, counts until `now`; None where it has no such incident, or had none yet at the past moment `at`."""
    revisions = until_then(live.reader.incident(id), at)
    if not revisions:
        return None
    newest = revisions[-1]
    end = min(now, newest.resolved_at + AFTER_SECONDS) if newest.resolved_at else now
    since = newest.onset - max(BEFORE_SECONDS, 0.5 * (end - newest.onset))
    place, keyword = newest.scope.place, shared_keyword(newest.keywords)
    past = live.reader.incidents(place=place, keyword=keyword, at=at, limit=SIMILAR + 1)
    return Detail(
        revisions,
        [c for c in acts_on(live, newest) if at is None or c.at <= at],
        read_series(live.reader, place, keyword, since, end),
        sorted((i for i in past if i.id != id), key=lambda i: -i.onset)[:SIMILAR],
        live.reader.late(place, keyword, newest.onset, end),
    )


def acts_on(live: Live, incident: Incident) -> list[Control]:
    """What people did about it, and the silences by place and problem that it fell under while it went on."""
    own = live.controls(incident.id)
    others = live.controls(since=incident.onset - LONGEST_SILENCE_SECONDS)
    end = math.inf if incident.resolved_at is None else incident.resolved_at
    held = [c for c in others if c.kind == "silence" and c.at < end and (c.until or 0.0) > incident.onset]
    matching = [c for c in held if c.incident is None and silences(c, incident)]
    undone = {c.id for c in matching}
    matching += [c for c in others if c.kind == "undo" and c.value in undone]
    return sorted([*own, *matching], key=lambda c: (c.at, c.id))


def title_of(incident: Incident, catalogue: Catalogue) -> str:
    """`Baggage at JFK Terminal 4`."""
    name = keyword_names(incident, catalogue)
    where = "" if incident.scope.level == "everywhere" else f" at {incident.scope.name}"
    return name[:1].upper() + name[1:] + where


def incident_page(
    detail: Detail, view: View, catalogue: Catalogue, now: float, new_words: frozenset[str] = frozenset()
) -> Node:
    """`new_words`: terms nobody used before lately."""
    incident = overlaid(detail.revisions[-1], detail.controls)
    return h(
        "article",
        _head(incident, view, catalogue, now),
        actions(incident) if view.at is None else None,
        panel("People over time", _chart(incident, detail, view, now), key="chart"),
        h(
            "div",
            h("div", _sure(incident, view, now), _words(incident, new_words), _examples(incident), key="left"),
            h("div", _where(incident, catalogue), _channels(incident), _next(incident, catalogue),
              _timeline(detail, view, now), _similar(detail.similar, catalogue, view, now), key="right"),
            class_="columns two",
        ),
    )  # fmt: skip


def _head(incident: Incident, view: View, catalogue: Catalogue, now: float) -> Node:
    """Place names as a path, the title sentence, and the state in words."""
    above = [catalogue.place(p) for p in catalogue.above(incident.scope.place)]
    crumbs = [h("a", incident.scope.name, href=f"/place/{incident.scope.place}")]
    crumbs += [h("a", p.name, href=f"/place/{p.id}") for p in above]
    path = [piece for crumb in crumbs for piece in (crumb, h("span", "‹", aria_hidden="true"))][:-1]
    sentence = (
        f"{title_of(incident, catalogue)}: {people(incident.people)} since {clock(incident.onset, view.zone, now)}, "
        f"{times(incident.factor)}"
    )
    ended = incident.resolved_at
    lasted = duration((ended or now) - incident.onset)
    state = [
        f"{TRENDS[incident.trend]} {incident.trend}" if not ended else f"ended {clock(ended, view.zone, now)}",
        usual(incident.expected),
        f"{incident.messages:,} messages",
        f"lasted {lasted}" if ended else f"for {lasted}",
    ]
    if incident.acked_by:
        state.append(f"acknowledged by {incident.acked_by}")
    if incident.assigned_to:
        state.append(f"assigned to {incident.assigned_to}")
    if incident.verdict:
        state.append(f"judged {VERDICTS.get(incident.verdict, incident.verdict)}")
    if incident.promoted_to:
        state.append(f"promoted to the keyword {incident.promoted_to}")
    if incident.silenced_until and incident.silenced_until > now:
        state.append(f"silenced until {clock(incident.silenced_until, view.zone, now)}")
    if incident.drill:
        state.insert(0, "a drill, not a real incident")
    state += [m.replace("_", " ") for m in incident.marks]
    return h(
        "header",
        h("nav", path, class_="crumbs", aria_label="Where it lies"),
        h("div", tier(incident.state), h("h1", sentence), class_="titleline"),
        h("p", " · ".join(state), class_="lede"),
        h("p", h("a", "Report for the meeting", href=f"/report?incident={incident.id}"), class_="takeaway small"),
    )


def _chart(incident: Incident, detail: Detail, view: View, now: float) -> Node:
    series = detail.series
    marks = [Mark(incident.onset, f"onset {clock(incident.onset, view.zone)}", "onset")]
    if incident.confirmed_at and incident.confirmed_at - incident.onset > 0.06 * (
        now - incident.onset + BEFORE_SECONDS
    ):
        marks.append(Mark(incident.confirmed_at, f"confirmed {clock(incident.confirmed_at, view.zone)}"))
    acted = [c for c in kept(detail.controls) if c.kind == "intervention"]
    marks += [Mark(c.at, f"intervention {clock(c.at, view.zone)}", "acted") for c in acted]
    drawn = chart(series.bars, series.ghost, marks, view.zone, duration(series.step))
    if not detail.late:
        return drawn
    late = f"Late records added {people(detail.late)} after their windows had closed; nothing was decided by them."
    return h("div", drawn, h("p", late, class_="quiet small"))


def _sure(incident: Incident, view: View, now: float) -> Node:
    chance = f"Had nothing happened, a count this high would come {odds(incident.p_value)}."
    gates = [
        h("li", h("span", g.text), class_="yes" if g.passed else "no", title=g.gate, key=g.gate) for g in incident.why
    ]
    listed = h("ul", gates, class_="gates") if gates else h("p", "No gates are recorded.", class_="empty")
    title = f"How sure, and why it is {incident.state}"
    return panel(title, h("p", chance, style="margin-bottom:.5rem"), listed, key="sure")


def _words(incident: Incident, new_words: frozenset[str]) -> Node | None:
    if not incident.terms:
        return None
    items = [
        h("li", h("b", word), h("span", f"{n:,}" + (" · new" if word in new_words else "")), key=word)
        for word, n in incident.terms
    ]
    return panel("Words heard more than usual", h("ul", items, class_="terms"))


def _examples(incident: Incident) -> Node | None:
    if not incident.examples:
        return None
    quotes = [h("blockquote", text) for text in incident.examples[:3]]
    return panel("In their words", h("div", quotes, class_="quotes"), note="names, numbers and links removed")


def _where(incident: Incident, catalogue: Catalogue) -> Node | None:
    if not incident.places:
        return None
    top = max([1, *(p.people for p in incident.places)])
    rows = [
        share_row(
            h("a", p.name, href=f"/place/{p.place}?keyword={incident.keywords[0]}", title=", ".join(p.path[1:3])),
            p.people / top,
            p.people,
            key=p.place,
        )
        for p in sorted(incident.places, key=lambda p: -p.people)
    ]
    rest = h("details", h("summary", f"{len(rows) - MOST_SHARES:,} more"), h("ul", rows[MOST_SHARES:], class_="shares"))
    more = rest if len(rows) > MOST_SHARES else None
    return panel("Where", h("ul", rows[:MOST_SHARES], class_="shares"), more, note="people by place")


def _channels(incident: Incident) -> Node | None:
    if not incident.channels:
        return None
    top = max(1, *incident.channels.values())
    ordered = sorted(incident.channels.items(), key=lambda item: (-item[1], item[0]))
    rows = [share_row(h("span", name), n / top, n, key=name) for name, n in ordered]
    agreed = any(gate.gate == "channels" and gate.passed for gate in incident.why)
    agree = "one channel" if len(rows) == 1 else f"{len(rows)} channels{' agree' if agreed else ''}"
    return panel("Channels", h("ul", rows, class_="shares"), note=agree)


def _next(incident: Incident, catalogue: Catalogue) -> Node | None:
    """Whom to ask, where the pack says so."""
    team, runbook, question = catalogue.team(incident.keywords[0])
    lines = [
        h("p", "Team: ", h("b", team)) if team else None,
        h("p", f"Ask first: {question}") if question else None,
        h("p", h("a", "Runbook", href=runbook, rel="noreferrer")) if runbook and runbook.startswith("http") else None,
    ]
    kept = [line for line in lines if line]
    return panel("Whom to ask", *kept) if kept else None


REASONS = {
    "opened": "Opened",
    "suspected": "Suspected",
    "confirmed": "Confirmed",
    "grew": "Grew",
    "widened": "Now covers",
    "narrowed": "Narrowed to",
    "merged": "Is part of another incident",
    "resolved": "Resolved",
    "new_normal": "Resolved, it is the usual now",
    "reopened": "Reopened",
    "late": "Late data",
    "unsilenced": "No longer silenced, still going on",
}


def _timeline(detail: Detail, view: View, now: float) -> Node:
    """Revisions and people's acts, newest first."""
    entries: list[tuple[float, str, Control | None]] = []
    by_hand = {c.kind for c in detail.controls} | {"undo"}
    for incident in detail.revisions:
        if incident.reason in by_hand:
            continue  # the act itself is listed
        what = REASONS.get(incident.reason, incident.reason.replace("_", " ").capitalize() or "Updated")
        what += f" {incident.scope.name}" if incident.reason in ("widened", "narrowed") else ""
        what += f", {late_line(incident.late, now, view.zone)}" if incident.late is not None else ""
        text = f"{what}: {people(incident.people)}, {number(incident.expected)} expected"
        entries.append((incident.updated_at, text, None))
    undone = {c.value for c in detail.controls if c.kind == "undo"}
    for control in detail.controls:
        if control.kind == "undo":
            continue
        back = " (taken back)" if control.id in undone else ""
        entries.append((control.at, told(control, view.zone, now) + back, control))
    entries.append((detail.revisions[-1].onset, "First unusual window", None))
    entries.sort(key=lambda e: -e[0])
    rows = [
        h(
            "li",
            moment(at, view.zone, now),
            h("span", text, class_="byhand" if control else None),
            _take_back(control, text) if control and control.id not in undone and view.at is None else None,
            key=f"{at}{text}",
        )
        for at, text, control in entries[:80]
    ]
    return panel("Timeline", h("ol", rows, class_="timeline"))


def _take_back(control: Control, text: str) -> Node:
    return h("button", "Undo", type="button", act=("undo", control.id), class_="small", aria_label=f"Undo: {text}")


def _similar(similar: list[Incident], catalogue: Catalogue, view: View, now: float) -> Node:
    day = local(similar[0].onset, view.zone) if similar else None
    note = f"last {day.day} {day:%b %Y}" if day else None
    empty = "None stored for this place and problem."
    return panel("Similar before", incident_list(similar, catalogue, view, now, empty), note=note)
