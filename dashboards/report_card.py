"""One incident in the report: what and where in a sentence, the chart, why it was told, in whose words, and which label it answers."""

from __future__ import annotations

from datetime import datetime
from html import escape as e
from zoneinfo import ZoneInfo

from alerting.model import Incident
from dashboards.report_chart import incident_chart
from dashboards.report_data import Card
from dashboards.words import SHAPES, duration, listed, number, odds, people, times, usual
from streams.evaluation import LabelResult, decided

MAX_PLACES = 8


def card(one: Card) -> str:
    """The card as markup."""
    incident = one.incident
    tier = tier_of(incident)
    ended = incident.resolved_at
    sentence = f"{_upper(incident.title)}: {people(incident.people)}, {times(incident.factor)}"
    lasted = (
        f" to {moment(ended, one.zone)} ({duration(ended - incident.onset)})"
        if ended
        else ", still open when the data end"
    )
    facts = [
        usual(incident.expected),
        f"{incident.messages:,} messages",
        _channels(incident),
        f"chance {odds(incident.p_value)}",
    ]
    marks = "".join(f'<span class="mark">{e(mark.replace("_", " "))}</span>' for mark in incident.marks)
    unit = f"people per {duration(one.bars[0].seconds)}" if one.bars else ""
    path = " ‹ ".join(incident.scope.path)
    return (
        f'<article id="i-{e(incident.id)}"><div class="title">{_badge(tier)}<h3>{e(sentence)}</h3></div>'
        f"<p>since {moment(incident.onset, one.zone)}{lasted}, "
        f"told {e(duration(decided(incident) - incident.onset))} after it began{marks}</p>"
        f'<p class="quiet">{e(path)} · {e(" · ".join(fact for fact in facts if fact))}</p>'
        f"{_answers(one)}"
        f'<p class="legend"><span><i class="k over"></i>above the band</span><span><i class="k within"></i>{e(unit)}</span>'
        f'<span><i class="k band"></i>usual</span><span class="quiet">{e(one.keyword)}, {e(one.zone)}</span></p>'
        f"{incident_chart(one.bars, incident.onset, decided(incident), ended, one.zone)}"
        f'<div class="columns">{_gates(incident)}<div>{_words(incident)}{_places(incident)}</div></div></article>\n'
    )


def row_of(incident: Incident, zone: str, why: bool = False) -> list[str]:
    """One incident as cells of a table."""
    title = e(_upper(incident.title))
    cells = [
        moment(incident.onset, zone),
        title,
        f"{incident.people:,}",
        f'<span class="whole">{e(usual(incident.expected).removeprefix("usually "))}</span>',
        _badge(tier_of(incident)),
    ]
    if why:
        cells.append(e("; ".join(gate.text for gate in incident.why if gate.passed)))
    return cells


def tier_of(incident: Incident) -> str:
    """The highest tier it reached."""
    return (
        "confirmed"
        if incident.confirmed_at is not None
        else "suspected"
        if incident.suspected_at is not None
        else "signal"
    )


def moment(at: float, zone: str) -> str:
    """A time at its place, with UTC on hover."""
    here, utc = datetime.fromtimestamp(at, ZoneInfo(zone)), datetime.fromtimestamp(at, ZoneInfo("UTC"))
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}" title="{utc:%Y-%m-%d %H:%M} UTC">{here:%a} {here.day} {here:%b %Y, %H:%M}</time>'


def _badge(tier: str) -> str:
    return f'<span class="badge {tier}">{SHAPES[tier]} {tier}</span>'


def _upper(title: str) -> str:
    return title[:1].upper() + title[1:]


def _channels(incident: Incident) -> str:
    names = [name for name, count in sorted(incident.channels.items(), key=lambda item: (-item[1], item[0])) if count]
    return f"from {listed(names)}" if names else ""


def _answers(one: Card) -> str:
    if not one.labels:
        return ""
    rows = [(_lead(row, one.incident), e(row.what), e(row.where)) for row in one.labels]
    return "".join(
        f'<p class="answers">✓ {lead}: {what} <span class="quiet">({where})</span></p>' for lead, what, where in rows
    )


def _lead(row: LabelResult, incident: Incident) -> str:
    delay = decided(incident) - datetime.fromisoformat(row.start).timestamp()
    return f"<b>{duration(abs(delay))} {'after' if delay >= 0 else 'before'}</b> the stated start"


def _gates(incident: Incident) -> str:
    if not incident.why:
        return "<div></div>"
    gates = "".join(
        f'<li class="{"yes" if gate.passed else "no"}"><i aria-hidden="true">{"✓" if gate.passed else "✗"}</i>{e(gate.text)}</li>'
        for gate in incident.why
    )
    return f'<div><h4>Why it was told</h4><ul class="gates">{gates}</ul></div>'


def _words(incident: Incident) -> str:
    terms = "".join(f"<span>{e(term)} <small>{count}</small></span>" for term, count in incident.terms)
    quotes = "".join(f"<blockquote>{e(text)}</blockquote>" for text in incident.examples)
    if not terms and not quotes:
        return ""
    return f"<h4>In their words</h4>{f'<p class=terms>{terms}</p>' if terms else ''}{quotes}"


def _places(incident: Incident) -> str:
    parts = sorted(
        (part for part in incident.places if part.place != incident.scope.place),
        key=lambda part: (-part.people, part.place),
    )
    if not parts:
        return ""
    largest = max(1, parts[0].people)
    rows = "".join(
        f'<li><span>{e(part.name)}</span><i style="width:{100 * part.people / largest:.0f}%"></i><b>{number(part.people)}</b></li>'
        for part in parts[:MAX_PLACES]
    )
    more = f'<p class="quiet">and {len(parts) - MAX_PLACES} more places</p>' if len(parts) > MAX_PLACES else ""
    return f'<h4>Where</h4><ul class="shares">{rows}</ul>{more}'
