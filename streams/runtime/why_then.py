"""Why, or why not: one sentence for any place, keyword and minute, the same on the page, in the API and in a terminal.

All of it from the store: what was counted, by what each window was judged, what was opened, and what people did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from alerting.gates import LEARNING
from alerting.messages import odds, people, usually
from alerting.model import Control, Gate, Incident, KeywordTree, PlaceTree, State, iso
from alerting.places_and_keywords import LEVELS
from alerting.policy import Policy
from alerting.standing import holding, kept, reaches
from alerting.why_not import WhyNot, Window, hour_before, weigh
from streams.runtime.store.reader import Cell, Reader

LOOK_BACK_SECONDS = 3600.0
NOTHING_SPECIAL = 1e-3
OPEN: tuple[State, ...] = ("signal", "suspected", "confirmed")


class Asked(NamedTuple):
    """A place, a keyword, a moment (Unix seconds), and what of the two trees reaches there."""

    place: str
    keyword: str
    at: float
    level: int  # of the place, as the scan has it
    within: tuple[str, ...]  # the place and all above it
    related: frozenset[str]  # the keyword, all above and all under it


class Answer(NamedTuple):
    """The sentence first; then what it rests on. `cell` is the window that holds the minute, or the last before it."""

    sentence: str
    gates: tuple[Gate, ...]
    incident: Incident | None  # where there was one after all, as it was then
    cell: Cell | None
    hour: tuple[Cell, ...]  # the windows of the hour before
    cut: float | None = None  # p-value, where it was kept
    cut_people: int | None = None  # so many people would have been enough


def asked(places: PlaceTree, keywords: KeywordTree, place: int, keyword: int, at: float) -> Asked:
    """A question, by the numbers of place and keyword."""
    above = {other: set(_upwards(keywords, other)) for other in range(len(keywords.parent))}
    related = {other for other, found in above.items() if keyword in found} | above[keyword]
    return Asked(
        places.id(place),
        keywords.id(keyword),
        at,
        LEVELS[places.level(place)],
        tuple(map(places.id, _upwards(places, place))),
        frozenset(map(keywords.id, related)),
    )


def _upwards(tree: PlaceTree | KeywordTree, node: int) -> Iterator[int]:
    while node >= 0:
        yield node
        node = int(tree.parent[node])


def answer(reader: Reader, asked: Asked, policy: Policy, now: float) -> Answer:
    """`policy`: what incidents are judged by."""
    start = _window_of(reader, asked.at, policy)
    begin = hour_before(start, policy)
    found = reader.series(asked.place, asked.keyword, 2 * begin - start, start + 1)  # the last one's hour too
    hour = tuple(cell for cell in found if cell.start >= begin)
    cell = hour[-1] if hour else None
    judged = reader.cut(start if cell is None else cell.start)
    around = _around(reader, asked)
    incident = _incident(reader, asked)
    if incident is not None:
        around += _snoozed(reader, incident, asked.at)
        silences = [gate.text for gate in around if gate.gate in ("silence", "snooze")]
        return Answer(_opened(incident, asked.at, silences), (*incident.why, *around), incident, cell, hour)
    if judged is not None and judged.learning:
        around.insert(0, LEARNING)
    gates: tuple[Gate, ...] = tuple(around)
    also = [gate.text for gate in around if gate.gate != "silence"]
    if cell is None or judged is None or asked.at > now:
        said = _counted(reader, asked, hour, now)
        return Answer("; ".join([said, *also]) + ".", gates, None, cell, hour, judged.cut if judged else None)
    weighed = _weighed(found, judged.cut, asked.level, policy)
    said = weighed.answer
    if cell.start != start:
        said = said.replace("Not opened: ", f"Not opened: nobody complained just then; at {iso(cell.start)} ", 1)
    return Answer(
        "; ".join([said, *also]) + ".", (*weighed.gates, *gates), None, cell, hour, weighed.cut, weighed.cut_people
    )


def _window_of(reader: Reader, at: float, policy: Policy) -> int:
    """Start of the window that holds the minute; of the last one that closed, where that one has not yet."""
    closed = reader.meta().get("last_close")
    moment = at if closed is None or not closed <= at < closed + LOOK_BACK_SECONDS else closed - 1
    return int(moment // policy.window_seconds) * policy.window_seconds


def _weighed(cells: Sequence[Cell], cut: float, level: int, policy: Policy) -> WhyNot:
    """The last of the cells, weighed by the people of its own hour."""
    begin = hour_before(cells[-1].start, policy)
    windows = [Window(c.start, c.voices, c.expected, c.upper, c.p_value) for c in cells if c.start >= begin]
    return weigh(windows, cut, level, policy)


def _incident(reader: Reader, asked: Asked) -> Incident | None:
    """The incident that held this place and keyword then, as it was then, or as it was first told soon after."""
    found = [one for one in reader.incidents(at=asked.at, states=OPEN) if _holds(one, asked)]
    if not found:
        alive = reader.incidents(since=asked.at, until=asked.at + 1)
        later = [one for one in alive if one.opened_at > asked.at and _holds(one, asked)]
        found = [first for one in later if _holds(first := reader.incident(one.id)[0], asked)]
    return min(found, key=lambda one: (not _exactly(one, asked.place), one.onset, one.id), default=None)


def _holds(one: Incident, asked: Asked) -> bool:
    here = one.scope.place in asked.within or _exactly(one, asked.place)
    return here and not one.drill and not asked.related.isdisjoint(one.keywords)


def _exactly(one: Incident, place: str) -> bool:
    return one.scope.place == place or any(part.place == place for part in one.places)


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


def _counted(reader: Reader, asked: Asked, hour: Sequence[Cell], now: float) -> str:
    """What the stored counts say, where nothing tells by what they were judged."""
    meta = reader.meta()
    first, last = meta.get("first_close"), meta.get("last_close")
    if asked.at > now:
        return f"Not known yet: it is {iso(int(now))}"
    if first is not None and asked.at < first:
        return f"Not known: counting began at {iso(first)}"
    if last is not None and asked.at >= last + LOOK_BACK_SECONDS:
        return f"Not known yet: windows are closed until {iso(last)}"
    if not hour:
        if not reader.series(asked.place, asked.keyword, first or 0.0, asked.at):
            return "Not opened: until then nobody had complained of it there, so there was nothing to weigh"
        return "Not opened: nobody complained of it there in the hour before, so there was nothing to weigh"
    said = f"Not opened: {people(sum(c.voices for c in hour))} in the hour before ({usually(expected_of(hour))})"
    known = [c.p_value for c in hour if c.p_value is not None]
    if not known:
        return f"{said}, all of them heard after their windows had closed"
    if min(known) > NOTHING_SPECIAL:
        return f"{said}; chance alone brings a window like its most unusual one {odds(min(known))}"
    return f"{said}; its most unusual window would come by chance {odds(min(known))}, and the cut of then was not kept"


def expected_of(hour: Sequence[Cell]) -> float:
    """People expected in the hour; windows in which nobody spoke are not stored, and are taken to be like those that were."""
    share = LOOK_BACK_SECONDS / max(1, sum(c.seconds for c in hour))
    return share * sum(c.expected or 0.0 for c in hour)


def _around(reader: Reader, asked: Asked) -> list[Gate]:
    """What else held then: blindness, planned events, silences."""
    gates = []
    for source, spell in reader.blind_then(asked.at).items():
        if not spell.places or not set(spell.places).isdisjoint(asked.within):
            text = f"{source} was blind (since {iso(spell.since)}), so what was said there was not seen"
            gates.append(Gate("blind", False, text))
    held = holding([c for c in reader.controls() if c.at <= asked.at], asked.at)
    return gates + [_held(one) for one in held if reaches(one, asked.within, (asked.keyword,))]


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
