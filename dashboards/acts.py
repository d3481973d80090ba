"""What people do from a page or the API, as controls for the log; remembered here until the store shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import uuid4

import msgspec

from alerting.controls import check, clean
from alerting.messages import VERDICTS
from alerting.model import Control, ControlKind, Incident
from alerting.standing import kept, silences
from streams.promotion import PromotionError, check_promotable

REMEMBERED = 500
NOTE_CHARACTERS = 2000
PHRASES_CHARACTERS = 8000
LONGEST_SILENCE_SECONDS = 30 * 86400.0
MOST_FACTOR = 1000.0
Append = Callable[[Control], Awaitable[None]]


class Refused(ValueError):
    """An act that makes no sense, with a sentence for the person who tried."""


class Recent:
    """Acts of this process, until the store shows them; `version` counts them."""

    def __init__(self) -> None:
        self.acts: OrderedDict[str, Control] = OrderedDict()
        self.version = 0

    def add(self, control: Control) -> None:
        self.acts[control.id] = control
        while len(self.acts) > REMEMBERED:
            self.acts.popitem(last=False)
        self.version += 1


class Acts:
    """Checks an act, gives it an id and a time, and appends it. `append` raises when the log cannot take it."""

    def __init__(
        self,
        append: Append,
        now: Callable[[], float],
        via: str = "page",
        recent: Recent | None = None,
        replay: Callable[[str], str] | None = None,
    ) -> None:
        """`replay`: the command that replays the past with a new keyword, by its id."""
        self._append = append
        self._now = now
        self._via = via
        self._recent = recent or Recent()
        self._replay = replay

    def through(self, via: str) -> Acts:
        """The same for those who come another way: "api"."""
        return Acts(self._append, self._now, via, self._recent, self._replay)

    @property
    def version(self) -> int:
        """Another one after each act."""
        return self._recent.version

    async def _record(self, control: Control) -> Control:
        control = clean(control)
        try:
            check(control)
        except ValueError as error:
            raise _refusal(error) from error
        try:
            await self._append(control)
        except PromotionError as error:
            raise _refusal(error) from error
        self._recent.add(control)
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

    async def promote(
        self, incident: Incident, author: str, keyword: str, label: str, phrases: str, reason: str = ""
    ) -> Control:
        """Make the words of an unnamed incident a keyword of the pack; `phrases`: one a line."""
        try:
            check_promotable(incident)
        except PromotionError as error:
            raise _refusal(error) from error
        lines = phrases.replace("\r\n", "\n")
        if len(lines) > PHRASES_CHARACTERS:
            raise Refused(f"The phrases are longer than {PHRASES_CHARACTERS:,} characters.")
        control = self._control("promote", author, reason, incident=incident.id, value=lines)
        return await self._record(
            msgspec.structs.replace(control, keywords=(keyword.strip()[:128],), label=label.strip()[:80])
        )

    def replay_of(self, control: Control) -> str | None:
        """How to hear the past with the keyword of a promotion; None of other acts, and where nothing is kept."""
        return self._replay(control.keywords[0]) if self._replay is not None and control.kind == "promote" else None

    async def snooze(self, incident: Incident, author: str, seconds: float, reason: str = "") -> Control:
        """Nothing more about this one incident for so long; told again if it still goes on then."""
        control = self._control("snooze", author, reason, incident=incident.id)
        return await self._record(msgspec.structs.replace(control, until=control.at + _length(seconds)))

    async def silence(self, incident: Incident, author: str, seconds: float, reason: str = "") -> Control:
        """No messages about this place and problem for so long; the incident itself goes on."""
        control = self._control("silence", author, reason, incident=incident.id)
        return await self._record(
            msgspec.structs.replace(
                control,
                places=(incident.scope.place,),
                keywords=incident.keywords,
                until=control.at + _length(seconds),
            )
        )

    async def silence_all(
        self, author: str, places: tuple[str, ...], keywords: tuple[str, ...], seconds: float, reason: str = ""
    ) -> Control:
        """No messages about what lies in these places and belongs to these problems, for so long."""
        control = self._control("silence", author, reason)
        until = control.at + _length(seconds)
        return await self._record(msgspec.structs.replace(control, places=places, keywords=keywords, until=until))

    async def planned_event(
        self,
        author: str,
        places: tuple[str, ...],
        keywords: tuple[str, ...],
        start: float | None,
        until: float,
        factor: float,
        reason: str = "",
    ) -> Control:
        """So many times more complaints are expected at these places, of these problems, between start and end."""
        if not 0 < factor <= MOST_FACTOR:
            raise Refused(f"By how much more: over 0, at most {MOST_FACTOR:g}.")
        control = self._control("planned_event", author, reason)
        if until <= control.at:
            raise Refused("It would be over already.")
        return await self._record(
            msgspec.structs.replace(control, places=places, keywords=keywords, start=start, until=until, factor=factor)
        )

    async def undo(self, control_id: str, author: str, done: Control | None = None) -> Control:
        """Take an act back; `done` where the store knows it."""
        done = done or self.find(control_id)
        if done is None or done.kind == "undo":
            raise Refused("There is no such act to take back.")
        return await self._record(self._control("undo", author, "", incident=done.incident, value=control_id))

    def _control(
        self, kind: ControlKind, author: str, reason: str, *, incident: str | None = None, value: str | None = None
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
            via=self._via,
        )

    def find(self, control_id: str) -> Control | None:
        """An act of this process by its id, while it is remembered."""
        return self._recent.acts.get(control_id)

    def with_recent(self, stored: Iterable[Control]) -> list[Control]:
        """The stored controls and those still on their way, oldest first."""
        known = {control.id: control for control in stored}
        return sorted({**self._recent.acts, **known}.values(), key=lambda c: (c.at, c.id))


def _refusal(error: ValueError) -> Refused:
    """What cannot be taken, as a sentence."""
    text = " ".join(str(error).split())
    return Refused(f"{text[:1].upper()}{text[1:]}.")


def _length(seconds: float) -> float:
    if not 60 <= seconds <= LONGEST_SILENCE_SECONDS:
        raise Refused("A silence lasts from 1 minute to 30 days.")
    return seconds


def overlaid(incident: Incident, controls: Sequence[Control]) -> Incident:
    """The incident as people left it: controls of the last minute show before the next close applies them."""
    mine = [c for c in controls if c.incident == incident.id or (c.kind == "silence" and silences(c, incident))]
    mine += [c for c in controls if c.kind == "undo" and c.incident is None]
    if not mine:
        return incident
    last: dict[str, Control | None] = {c.kind: None for c in mine}
    left = kept(mine)
    last.update({c.kind: c for c in left})
    acked, assigned, verdict, promote = (last.get(kind) for kind in ("ack", "assign", "feedback", "promote"))
    ends = [c.until or 0.0 for c in left if c.kind in ("silence", "snooze")]
    quietened = "silence" in last or "snooze" in last
    return msgspec.structs.replace(
        incident,
        acked_by=acked.author if acked else None if "ack" in last else incident.acked_by,
        assigned_to=assigned.value if assigned else None if "assign" in last else incident.assigned_to,
        verdict=verdict.value if verdict else None if "feedback" in last else incident.verdict,
        promoted_to=promote.keywords[0] if promote else None if "promote" in last else incident.promoted_to,
        silenced_until=max(ends) if ends else None if quietened else incident.silenced_until,
    )
