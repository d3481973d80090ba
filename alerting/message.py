"""What a channel is given to send: one revision of an incident, or trouble of overheard's own, with the facts already in words.

Every channel tells the same facts in the same words; it only lays them out, escapes them and cuts them to its limits.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from alerting.messages import (
    VERDICTS,
    channels_sentence,
    clock,
    duration,
    late_line,
    page_line,
    plain,
    resolve_line,
    since,
    why_it_paged,
)
from alerting.model import Incident, Similar

Action = Literal["open", "update", "ack", "resolve", "reopen"]
Grade = Literal["critical", "warning", "error"]
Severity = Literal["page", "chat"]  # confirmed, or trouble of our own: someone gets up; suspected: someone looks
OPENED: frozenset[Action] = frozenset({"open", "reopen"})
MOST_PARTS, MOST_TERMS, MOST_QUOTES = 6, 4, 3
OLD_SECONDS = 180.0  # a message older than that says so first


class Links(msgspec.Struct, frozen=True):
    """Where pages are found; addresses without a slash at the end, None where there is none."""

    page: str | None = None
    grafana: str | None = None

    def of(self, incident: Incident) -> tuple[tuple[str, str], ...]:
        """(label, address): the incident's page, Grafana around it, the runbook."""
        links = []
        if self.page is not None:
            links.append(("Incident", f"{self.page}/incident/{quote(incident.id)}"))
        if self.grafana is not None:
            ends = incident.resolved_at if incident.resolved_at is not None else incident.updated_at
            span = {"from": round((incident.onset - 3600) * 1000), "to": round((ends + 1800) * 1000)}
            query = urlencode({"var-incident": incident.id, **span})
            links.append(("Grafana", f"{self.grafana}/d/overheard-incident?{query}"))
        if incident.runbook_url is not None:
            links.append(("Runbook", incident.runbook_url))
        return tuple(links)


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with overheard itself: a blind source, a channel that refuses, letters that could not be delivered."""

    key: str  # "blind:call-notes": the same trouble has the same key
    line: str  # "overheard is BLIND for call notes since 07:17: no records, usually 40 an hour."
    advice: str  # what to do about it
    since: float
    over: bool = False


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to one channel: either an incident's or a trouble's."""

    channel: str  # by its name in the configuration
    key: str  # the dedup key: all messages about one incident have the same
    sequence: int  # of an incident: its revision
    action: Action
    created_at: float  # wall clock at which it was to be told
    incident: Incident | None = None
    trouble: Trouble | None = None
    links: Links = Links()
    timezone: str = "UTC"
    thread: str | None = None  # what this channel gave back last for this key

    @property
    def id(self) -> str:
        """The same for every attempt, so that a receiver can drop repeats."""
        return f"{self.key}:{self.sequence}:{self.channel}"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words: plain text without control characters, nothing escaped, nothing cut."""

    headline: str  # what, where, how many, against the usual
    severity: Severity
    over: bool  # resolved
    rows: tuple[tuple[str, str], ...] = ()  # (label, text), the most needed first
    quotes: tuple[str, ...] = ()  # redacted words of people
    why: tuple[str, ...] = ()  # the gates that decided, each with its figure
    links: tuple[tuple[str, str], ...] = ()  # (label, address)

    def text(self) -> str:
        """All of it as plain text."""
        lines = [self.headline, *(f"{label}: {text}" for label, text in self.rows)]
        lines += [f"“{quote}”" for quote in self.quotes]
        lines += [f"{label}: {address}" for label, address in self.links]
        return "\n".join(lines)


def facts(message: Message, now: float) -> Facts:
    """What a message says, told at `now` (Unix seconds)."""
    if message.trouble is not None:
        return _plain(_of_trouble(message.trouble, message.timezone, now))
    assert message.incident is not None
    return _plain(_of_incident(message, message.incident, now))


def severity_of(message: Message) -> Severity:
    """A page for what was confirmed and for trouble of our own."""
    return "chat" if message.incident is not None and message.incident.confirmed_at is None else "page"


def grade_of(message: Message) -> Grade:
    """For receivers that grade: confirmed is critical, suspected a warning, trouble of our own an error."""
    if message.incident is None:
        return "error"
    return "critical" if message.incident.confirmed_at is not None else "warning"


def _plain(told: Facts) -> Facts:
    return msgspec.structs.replace(
        told,
        headline=plain(told.headline),
        rows=tuple((plain(label), plain(text)) for label, text in told.rows),
        quotes=tuple(plain(quote) for quote in told.quotes),
        why=tuple(plain(gate) for gate in told.why),
    )


def _of_trouble(trouble: Trouble, zone: str, now: float) -> Facts:
    line = f"RESOLVED {trouble.line}" if trouble.over else trouble.line
    rows = (("Since", since(trouble.since, now, zone).removeprefix("since ")), ("To do", trouble.advice))
    return Facts(headline=line, severity="page", over=trouble.over, rows=rows[:1] if trouble.over else rows)


def _of_incident(message: Message, one: Incident, now: float) -> Facts:
    over = one.state == "resolved"
    rows = _ended(one, message.timezone) if over else _going_on(one, now, message.timezone)
    told_after = now - one.updated_at
    if told_after > OLD_SECONDS:
        rows.insert(
            0, ("Old news", f"as of {clock(one.updated_at, now, message.timezone)}, {duration(told_after)} ago")
        )
    elif told_after >= 1:
        rows.append(("Told", f"{duration(told_after)} after it was decided"))  # true whenever it is read
    still = one.reason == "unsilenced" and message.action == "update"
    again = "AGAIN " if message.action == "reopen" else "STILL " if still else ""
    return Facts(
        headline=f"{again}{_headline(one)}",
        severity=severity_of(message),
        over=over,
        rows=tuple(rows),
        quotes=() if over else one.examples[:MOST_QUOTES],
        why=tuple(gate.text for gate in one.why),
        links=message.links.of(one),
    )


def _headline(one: Incident) -> str:
    if one.state != "resolved":
        return page_line(one)
    if one.merged_into is not None:
        return f"RESOLVED {one.title}: it turned out to be part of another incident, {one.merged_into}"
    drill = "DRILL " if one.drill else ""
    return f"{drill}{resolve_line(one).replace('RESOLVED', f'RESOLVED {one.title}', 1)}"


def _going_on(one: Incident, now: float, zone: str) -> list[tuple[str, str]]:
    rows = [("Since", since(one.onset, now, zone).removeprefix("since "))]
    agree = " agree" if len(one.channels) > 1 else ""
    rows.append(("Heard in", channels_sentence(one) + agree))
    if len(one.places) > 1:
        names = [part.name for part in one.places[:MOST_PARTS]]
        more = len(one.places) - len(names)
        rows.append(("Places", ", ".join(names) + (f" and {more} more" if more > 0 else "")))
    if one.late is not None:
        rows.append(("Late data", late_line(one.late, now, zone)))
    if one.terms:
        rows.append(("Words", ", ".join(term for term, _ in one.terms[:MOST_TERMS])))
    if one.first_question:
        rows.append(("Ask first", one.first_question))
    if one.team:
        rows.append(("Team", one.team))
    if one.acked_by:
        rows.append(("Acknowledged", f"by {one.acked_by}"))
    if one.similar:
        rows.append(("Similar", "; ".join(_similar(known, now, zone) for known in one.similar)))
    tier = "it paged" if one.confirmed_at is not None else "you are told"
    rows.append((f"Why {tier}", why_it_paged(one, one.unanswered, one.budget_per_week)))
    return rows


def _ended(one: Incident, zone: str) -> list[tuple[str, str]]:
    end = one.resolved_at if one.resolved_at is not None else one.updated_at
    return [("From", f"{clock(one.onset, end, zone)} to {clock(end, end, zone)}"), ("People", f"{one.people:,} in all")]


def _similar(known: Similar, now: float, zone: str) -> str:
    verdict = f", {VERDICTS[known.verdict]}" if known.verdict in VERDICTS else ""
    lasted = duration(known.resolved_at - known.onset)
    return f"{clock(known.onset, now, zone)}, {known.title}, {lasted}, peak {known.peak}{verdict}"
