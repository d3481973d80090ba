"""Why, or why not: one sentence for any place, keyword and minute, the same on the page, in the API and in a terminal.

DETECT's own memory answers for the last 24 hours where it runs in this process; before that, what the store counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from alerting.messages import odds, people, usually
from alerting.model import Control, Gate, Incident, State, iso
from alerting.standing import holding, kept, reaches
from streams.runtime.store.reader import Cell, Reader

LOOK_BACK_SECONDS = 3600.0
NOTHING_SPECIAL = 1e-3
OPEN: tuple[State, ...] = ("signal", "suspected", "confirmed")
WhyNot = Callable[
    [str, str, float], Any
]  # (place id, keyword id, Unix seconds) -> alerting's answer; KeyError if unknown


class Answer(NamedTuple):
    """The sentence first; then what it rests on. `cell` is the window that holds the minute, or the last before it."""

    sentence: str
    gates: tuple[Gate, ...]
    incident: Incident | None  # where there was one after all, as it was then
    cell: Cell | None
    hour: tuple[Cell, ...]  # the windows of the hour before
    cut: float | None = None  # p-value, where the memory knows it
    cut_people: int | None = None  # so many people would have been enough


def answer(
    reader: Reader, why_not: WhyNot | None, place: str, keyword: str, at: float, within: Sequence[str], now: float
) -> Answer:
    """`within`: ids of the place and all above it."""
    told = why_not(place, keyword, at) if why_not is not None else None
    gates: tuple[Gate, ...] = tuple(told.gates) if told is not None else ()
    hour = tuple(c for c in reader.series(place, keyword, at - LOOK_BACK_SECONDS, at + 1) if c.start <= at)
    cell = max(hour, key=lambda c: c.start, default=None)
    around = _around(reader, keyword, at, within, now)
    incident = _incident(reader, place, keyword, at, told)
    if incident is not None:
        around += _snoozed(reader, incident, at)
        silences = [gate.text for gate in around if gate.gate in ("silence", "snooze")]
        return Answer(_opened(incident, at, silences), (*(gates or incident.why), *around), incident, cell, hour)
    weighed = told is not None and told.p_value is not None
    said = str(told.answer) if told is not None and weighed else _counted(reader, place, keyword, at, hour, now)
    said = "; ".join([said.rstrip("."), *(gate.text for gate in around if gate.gate != "silence")]) + "."
    cut, needed = (told.cut, told.cut_people) if told is not None else (None, None)
    return Answer(said, (*gates, *around), None, cell, hour, cut, needed)


def _incident(reader: Reader, place: str, keyword: str, at: float, told: Any) -> Incident | None:
    """The incident that held this place and keyword then, as it was then."""
    found = reader.incidents(place=place, keyword=keyword, at=at, states=OPEN)
    exact = [one for one in found if one.scope.place == place or any(part.place == place for part in one.places)]
    if exact:
        return exact[0]
    if told is None or told.incident is None:
        return None
    story = reader.incident(told.incident)  # of a wider place, or written after that minute
    return next((one for one in reversed(story) if one.updated_at <= at), story[0] if story else None)


def _opened(one: Incident, at: float, silences: Sequence[str]) -> str:
    since = {"suspected": one.suspected_at, "confirmed": one.confirmed_at}.get(one.state) or one.opened_at
    told = f"It was opened: {one.title}, {one.state} since {iso(since)}"
    if one.state == "signal":
        held = next((gate.text for gate in one.why if not gate.passed), None)
        return f"{told}, shown on the board and told to nobody" + (f": {held}." if held else ".")
    if one.silenced_until is not None and one.silenced_until > at:
        why = silences[0] if silences else f"silenced until {iso(one.silenced_until)}"
        return f"{told}, but told to nobody then: {why}."
    return f"{told}."


def _counted(reader: Reader, place: str, keyword: str, at: float, hour: Sequence[Cell], now: float) -> str:
    """What the stored counts say."""
    meta = reader.meta()
    first = meta.get("first_close")
    if at > now:
        return f"Not known yet: it is {iso(int(now))}"
    if first is not None and at < first:
        return f"Not known: counting began at {iso(first)}"
    if not hour:
        if not reader.series(place, keyword, first or 0.0, at):
            return "Not opened: until then nobody had complained of it there, so there was nothing to weigh"
        return "Not opened: nobody complained of it there in the hour before, so there was nothing to weigh"
    said = f"Not opened: {people(sum(c.voices for c in hour))} in the hour before ({usually(expected_of(hour))})"
    known = [c.p_value for c in hour if c.p_value is not None]
    if not known:
        return f"{said}, all of them heard after their windows had closed"
    if min(known) > NOTHING_SPECIAL:
        return f"{said}; chance alone brings a window like its most unusual one {odds(min(known))}"
    return (
        f"{said}; its most unusual window would come by chance {odds(min(known))}, "
        "and which gate held it back is known only for 24 hours, while the service that judged it runs"
    )


def expected_of(hour: Sequence[Cell]) -> float:
    """People expected in the hour; windows in which nobody spoke are not stored, and are taken to be like those that were."""
    share = LOOK_BACK_SECONDS / max(1, sum(c.seconds for c in hour))
    return share * sum(c.expected or 0.0 for c in hour)


def _around(reader: Reader, keyword: str, at: float, within: Sequence[str], now: float) -> list[Gate]:
    """What else held then: blindness, learning, planned events, silences."""
    gates = []
    for source, spell in reader.blind_then(at).items():
        if not spell.places or not set(spell.places).isdisjoint(within):
            text = f"{source} was blind (since {iso(spell.since)}), so what was said there was not seen"
            gates.append(Gate("blind", False, text))
    learning = reader.status(now).learning_until
    if learning is not None and at < learning:
        text = f"until {iso(learning)} what is usual is still being learnt, and nothing is more than a signal"
        gates.append(Gate("learning", False, text))
    held = holding([c for c in reader.controls() if c.at <= at], at)
    return gates + [_held(one) for one in held if reaches(one, within, (keyword,))]


def _snoozed(reader: Reader, incident: Incident, at: float) -> list[Gate]:
    """The snooze that held the incident back then: the newest of those that were not taken back by then."""
    then = kept(c for c in reader.controls() if c.at <= at)
    newest = next((c for c in reversed(then) if c.kind == "snooze" and c.incident == incident.id), None)
    return [_held(newest)] if newest is not None and (newest.until or 0.0) > at else []


def _held(one: Control) -> Gate:
    until, why = iso(one.until or 0.0), f": {one.reason}" if one.reason else ""
    if one.kind == "silence":
        return Gate("silence", False, f"silenced by {one.author} until {until}{why}")
    if one.kind == "snooze":
        return Gate("snooze", False, f"snoozed by {one.author} until {until}{why}")
    text = f"a planned event of {one.author} until {until} let {one.factor:g} × as many be expected{why}"
    return Gate("planned_event", False, text)


def plain(found: Answer) -> dict[str, Any]:
    """For JSON."""
    return {
        "answer": found.sentence,
        "people": sum(c.voices for c in found.hour),
        "expected": expected_of(found.hour) if found.hour else None,
        "p_value": found.cell.p_value if found.cell else None,
        "cut": found.cut,
        "cut_people": found.cut_people,
        "gates": msgspec.to_builtins(found.gates),
        "incident": found.incident.id if found.incident else None,
        "cell": plain_cell(found.cell) if found.cell else None,
    }


def plain_cell(cell: Cell) -> dict[str, Any]:
    """For JSON."""
    return {
        "start": iso(cell.start),
        "seconds": cell.seconds,
        "place": cell.place,
        "keyword": cell.keyword,
        "people": cell.voices,
        "messages": cell.messages,
        "expected": cell.expected,
        "upper": cell.upper,
        "p_value": cell.p_value,
    }
