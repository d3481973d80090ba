"""What people do from a page or the API, as controls for the log; remembered here until the store shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from uuid import uuid4

import msgspec

from alerting.model import Control, ControlKind, Incident
from dashboards.words import VERDICTS, clock, duration

REMEMBERED = 500
NOTE_CHARACTERS = 2000
LONGEST_SILENCE_SECONDS = 30 * 86400.0
Append = Callable[[Control], Awaitable[None]]


class Refused(ValueError):
    """An act that makes no sense, with a sentence for the person who tried."""


class Acts:
    """Checks an act, gives it an id and a time, and appends it. `append` raises when the log cannot take it."""

    def __init__(self, append: Append, now: Callable[[], float]) -> None:
        self._append = append
        self._now = now
        self._recent: OrderedDict[str, Control] = OrderedDict()
        self.version = 0

    async def _record(self, control: Control) -> Control:
        await self._append(control)
        self._recent[control.id] = control
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        self.version += 1
        return control

    async def ack(self, incident: Incident, author: str, reason: str = "") -> Control:
        return await self._record(self._control("ack", author, reason, incident=incident.id))

    async def assign(self, incident: Incident, author: str, to: str, reason: str = "") -> Control:
        if not to.strip():
            raise Refused("Say to whom.")
        return await self._record(self._control("assign", author, reason, incident=incident.id, value=to.strip()[:80]))

    async def feedback(self, incident: Incident, author: str, verdict: str, reason: str = "") -> Control:
        if verdict not in VERDICTS:
            raise Refused(f"The verdict is one of {', '.join(VERDICTS)}.")
        return await self._record(self._control("feedback", author, reason, incident=incident.id, value=verdict))

    async def note(self, incident: Incident, author: str, text: str) -> Control:
        if not text.strip():
            raise Refused("The note is empty.")
        kept = text.strip()[:NOTE_CHARACTERS]
        return await self._record(self._control("note", author, "", incident=incident.id, value=kept))

    async def intervention(self, incident: Incident, author: str, text: str) -> Control:
        """What was done about it, for the timeline and the chart."""
        if not text.strip():
            raise Refused("Say what was done.")
        kept = text.strip()[:NOTE_CHARACTERS]
        return await self._record(self._control("intervention", author, "", incident=incident.id, value=kept))

    async def silence(self, incident: Incident, author: str, seconds: float, reason: str = "") -> Control:
        """No messages about this place and problem for so long; the incident itself goes on."""
        if not 60 <= seconds <= LONGEST_SILENCE_SECONDS:
            raise Refused("A silence lasts from 1 minute to 30 days.")
        control = self._control("silence", author, reason, incident=incident.id)
        return await self._record(
            msgspec.structs.replace(
                control, places=(incident.scope.place,), keywords=incident.keywords, until=control.at + seconds
            )
        )

    async def undo(self, control_id: str, author: str) -> Control:
        done = self._recent.get(control_id)
        return await self._record(
            self._control("undo", author, "", incident=done.incident if done else None, value=control_id)
        )

    def _control(
        self, kind: ControlKind, author: str, reason: str, *, incident: str | None, value: str | None = None
    ) -> Control:
        author = " ".join(author.split())[:80]
        if not author:
            raise Refused("Say who you are.")
        return Control(
            id=uuid4().hex,
            kind=kind,
            at=self._now(),
            author=author,
            reason=reason.strip()[:NOTE_CHARACTERS],
            incident=incident,
            value=value,
        )

    def find(self, control_id: str) -> Control | None:
        """An act of this process by its id, while it is remembered."""
        return self._recent.get(control_id)

    def with_recent(self, stored: Iterable[Control]) -> list[Control]:
        """The stored controls and those still on their way, oldest first."""
        known = {control.id: control for control in stored}
        return sorted({**self._recent, **known}.values(), key=lambda c: (c.at, c.id))


def standing(controls: Iterable[Control]) -> list[Control]:
    """The controls that were not undone, undoings left out."""
    controls = list(controls)
    undone = {c.value for c in controls if c.kind == "undo"}
    return [c for c in controls if c.kind != "undo" and c.id not in undone]


def overlaid(incident: Incident, controls: Iterable[Control]) -> Incident:
    """The incident as people left it: controls of the last minute show before the next close applies them."""
    mine = [c for c in controls if c.incident == incident.id]
    if not mine:
        return incident
    last: dict[str, Control | None] = {c.kind: None for c in mine}
    last.update({c.kind: c for c in standing(mine)})
    acked, verdict, silence = last.get("ack"), last.get("feedback"), last.get("silence")
    return msgspec.structs.replace(
        incident,
        acked_by=acked.author if acked else None if "ack" in last else incident.acked_by,
        verdict=verdict.value if verdict else None if "feedback" in last else incident.verdict,
        silenced_until=silence.until if silence else None if "silence" in last else incident.silenced_until,
    )


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
        case "silence":
            until = control.until or now
            length = duration(until - control.at)
            return f"Silenced until {clock(until, zone, now)} ({length}): no messages, the incident goes on."
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
    "planned_event": "the planned event",
}


def told(control: Control, zone: str, now: float) -> str:
    """What an act was, for the timeline others read."""
    who, why = control.author, f": {control.reason}" if control.reason else ""
    match control.kind:
        case "ack":
            return f"{who} acknowledged{why}"
        case "assign":
            return f"{who} assigned it to {control.value}{why}"
        case "feedback":
            return f"{who} judged it {VERDICTS.get(control.value or '', control.value)}{why}"
        case "note":
            return f"{who} noted: {control.value}"
        case "silence" | "snooze":
            return f"{who} silenced it until {clock(control.until or now, zone, now)}{why}"
        case "intervention":
            return f"{who} intervened: {control.value or control.reason}"
        case _:
            return f"{who}: {control.kind.replace('_', ' ')}{why}"
