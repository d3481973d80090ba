"""Acts in words: to the one who did it, and to those who read of it later."""

from __future__ import annotations

from alerting.controls import phrases_of
from alerting.messages import VERDICTS
from alerting.model import Control
from alerting.standing import begin
from dashboards.catalogue import Catalogue
from dashboards.words import clock, duration, listed

SHOWN_PHRASES = 4


def said(control: Control, zone: str, now: float, undone: Control | None = None) -> str:
    """What an act did, as one sentence to the one who did it."""
    match control.kind:
        case "ack":
            return "Acknowledged: others now see that you are on it."
        case "assign":
            return f"Assigned to {control.value}."
        case "feedback":
            return (
                f"Marked as {VERDICTS.get(control.value or '', control.value)}. The verdict counts from the next close."
            )
        case "note":
            return "Note added to the timeline."
        case "intervention":
            return "Intervention added to the timeline and marked on the chart."
        case "promote":
            return f"Promoted to the keyword {control.keywords[0]}: complaints count for it from the next close on, as one still being learnt."
        case "silence":
            until = control.until or now
            length = duration(until - control.at)
            return f"Silenced until {clock(until, zone, now)} ({length}): no messages, the incident goes on."
        case "snooze":
            until = control.until or now
            return f"Snoozed until {clock(until, zone, now)}: if it still goes on then, you are told again."
        case "planned_event":
            return f"Planned: until {clock(control.until or now, zone, now)} {control.factor:g} × as many complaints are expected."
        case "undo":
            return f"Taken back: {KINDS.get(undone.kind, undone.kind) if undone else 'the last act'}."
        case _:
            return "Recorded."


KINDS = {
    "ack": "the acknowledgement",
    "assign": "the assignment",
    "feedback": "the verdict",
    "note": "the note",
    "silence": "the silence",
    "snooze": "the snooze",
    "intervention": "the intervention",
    "promote": "the promotion; the keyword is out of the pack again",
    "planned_event": "the planned event",
}


def about(control: Control, names: Catalogue) -> str:
    """What a silence or event names: "JFK, New York: baggage"; nothing of acts that name an incident only."""
    if not control.places and not control.keywords:
        return ""
    where = listed([names.full_name(p) for p in control.places], 6, "places") or "everywhere"
    return f"{where}: {listed([names.keyword(k) for k in control.keywords], 6, 'problems') or 'any problem'}"


def told(control: Control, zone: str, now: float, about: str = "") -> str:
    """What an act was, for the timeline others read; `about`: what a silence or an event names."""
    who, why = control.author, f": {control.reason}" if control.reason else ""
    match control.kind:
        case "ack":
            return f"{who} acknowledged{why}"
        case "assign":
            return f"{who} assigned it to {control.value}{why}"
        case "feedback":
            return f"{who} judged it {VERDICTS.get(control.value or '', control.value)}{why}"
        case "promote":
            phrases = [f"“{phrase}”" for phrase in phrases_of(control)]
            more = f" and {len(phrases) - SHOWN_PHRASES} more" if len(phrases) > SHOWN_PHRASES else ""
            listens = ", ".join(phrases[:SHOWN_PHRASES]) + more
            return f"{who} promoted it to the keyword {control.keywords[0]} ({control.label}), heard by {listens}{why}"
        case "note":
            return f"{who} noted: {control.value}"
        case "silence":
            return f"{who} silenced {about or 'it'} until {clock(control.until or now, zone, now)}{why}"
        case "snooze":
            return f"{who} snoozed it until {clock(control.until or now, zone, now)}{why}"
        case "planned_event":
            span = f"{clock(begin(control), zone, now)} to {clock(control.until or now, zone, now)}"
            return f"{who} planned for {control.factor:g} × as many complaints, {about}, {span}{why}"
        case "undo":
            return f"{who} took something back{why}"
        case "pack":
            return f"{who} changed the pack{why}"
        case "intervention":
            return f"{who} intervened: {control.value or control.reason}"
        case _:
            return f"{who}: {control.kind.replace('_', ' ')}{why}"
