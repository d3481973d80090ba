"""People's acts: checked, applied to the cases they name or match, undone. Each is written as a revision of its incident."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import category

import msgspec

from alerting.case import UNSILENCED, Case
from alerting.messages import VERDICTS
from alerting.model import Control
from alerting.places_and_keywords import ANY, Atlas

ON_INCIDENT = ("ack", "assign", "snooze", "feedback", "note", "intervention", "promote")
MATCHING = ("silence", "planned_event")
MOST_PHRASES = 50
TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def check(control: Control) -> None:
    """Raises ValueError, in words for the person, when a control cannot be taken."""
    kind, until = control.kind, control.until
    if kind in MATCHING:
        if not (control.places or control.keywords):
            raise ValueError(
                f"a {kind.replace('_', ' ')} names a place or a keyword at least: an empty one would match all"
            )
        begin = control.at if control.start is None else control.start
        if until is None or until <= begin:
            raise ValueError("until: a time after its beginning is needed")
        if kind == "planned_event" and not (control.factor or 0) > 0:
            raise ValueError("factor: by how much more complaints are expected, for example 3")
    if kind in ON_INCIDENT and not control.incident:
        raise ValueError(f"incident: {kind} is about one incident")
    if kind == "snooze" and (until is None or until <= control.at):
        raise ValueError("until: a time to come is needed")
    if kind == "feedback" and control.value not in VERDICTS:
        raise ValueError(f"value: one of {', '.join(VERDICTS)}")
    if kind == "promote":
        _check_promotion(control)
    if kind in ("assign", "note", "intervention", "undo") and not (control.value or "").strip():
        raise ValueError("value: may not be empty")


def _check_promotion(control: Control) -> None:
    if len(control.keywords) != 1 or not control.keywords[0]:
        raise ValueError("keywords: the id of the new keyword, and no other")
    if not control.label:
        raise ValueError("label: what people call the new keyword")
    if not 1 <= len(phrases_of(control)) <= MOST_PHRASES:
        raise ValueError(f"value: the new keyword's phrases, one a line, {MOST_PHRASES} at most")


def phrases_of(control: Control) -> tuple[str, ...]:
    """The phrases of a promotion, each once."""
    lines = (" ".join(line.split()) for line in (control.value or "").split("\n"))
    return tuple(dict.fromkeys(line for line in lines if line))


def clean(control: Control) -> Control:
    """The same without what no person means to write: control characters, halves of characters, marks that turn text around."""
    if control.kind == "pack":
        return control
    value = None if control.value is None else _plain(control.value, lines=True)
    author, reason = _plain(control.author, lines=False), _plain(control.reason, lines=True)
    id, via = _plain(control.id, lines=False), _plain(control.via, lines=False)
    incident = None if control.incident is None else _plain(control.incident, lines=False)
    places, keywords = (tuple(_plain(one, lines=False) for one in ids) for ids in (control.places, control.keywords))
    return msgspec.structs.replace(
        control, id=id, via=via, author=author, reason=reason, value=value, incident=incident, places=places, keywords=keywords,
        label=_plain(control.label, lines=False),
    )  # fmt: skip


def _plain(text: str, *, lines: bool) -> str:
    kept = "".join(_kept(letter, lines) for letter in text.replace("\r\n", "\n"))
    return kept.strip() if lines else " ".join(kept.split())


def _kept(letter: str, lines: bool) -> str:
    if letter in "\n\u2028\u2029":
        return "\n" if lines else " "
    if letter in TURNING or category(letter) == "Cs":
        return ""
    return " " if category(letter) == "Cc" else letter


class Standing(msgspec.Struct):
    """Silences and planned events that stand, by control id; `ignored`: ids of controls that could not be taken."""

    silences: dict[str, Control] = {}
    events: dict[str, Control] = {}

    def expire(self, now: float) -> None:
        """Forget what has ended."""
        for standing in (self.silences, self.events):
            for id in [id for id, control in standing.items() if (control.until or 0) <= now]:
                del standing[id]


def apply(control: Control, standing: Standing, cases: Iterable[Case], atlas: Atlas) -> list[Case]:
    """Take a control; the cases it changed. One that `check` refuses changes nothing."""
    try:
        check(control)
    except ValueError:
        return []
    if control.kind == "undo":
        return _undo(control, standing, cases)
    if control.kind == "planned_event":
        standing.events[control.id] = control
    elif control.kind == "silence":
        standing.silences[control.id] = control
        return [case for case in cases if case.told and silence(case, control, atlas)]
    elif control.kind in ON_INCIDENT:
        changed = [case for case in cases if case.told and case.id == control.incident]
        changed = [case for case in changed if case.unnamed or control.kind != "promote"]
        for case in changed:
            case.acts.append(control)
        return changed
    return []


def _undo(control: Control, standing: Standing, cases: Iterable[Case]) -> list[Case]:
    undone = control.value or ""
    standing.events.pop(undone, None)
    standing.silences.pop(undone, None)
    changed = []
    for case in cases:
        kept = [act for act in case.acts if act.id != undone]
        if len(kept) < len(case.acts) or case.silences.pop(undone, None) is not None:
            case.acts = kept
            changed.append(case)
    return changed


def reason(control: Control, case: Case, now: float) -> str:
    """Why a case that a control changed gets another revision."""
    return UNSILENCED if control.kind == "undo" and case.silence_ended(now) else control.kind


def silence(case: Case, control: Control, atlas: Atlas) -> bool:
    """Note on a case whether a silence holds for it. A silenced incident goes on being recorded; one that grew out of
    what was silenced is told.
    """
    if not matches(control, case, atlas) or control.until is None:
        case.silences.pop(control.id, None)
        return False
    case.silences[control.id] = control.until
    return True


def matches(control: Control, case: Case, atlas: Atlas) -> bool:
    """Whether all of an incident lies in one of the places named, if any, and its problem is one of the keywords, if any."""
    places = [place for id in control.places if (place := atlas.place_of(id)) is not None]
    keywords = [keyword for id in control.keywords if (keyword := atlas.keyword_of(id)) is not None]
    if (control.places and not places) or (control.keywords and not keywords):
        return False
    at = not places or any(atlas.lies_in(case.place, place) for place in places)
    own = case.keywords if case.main == ANY else [case.main]
    of = not keywords or all(any(atlas.belongs_to(one, keyword) for keyword in keywords) for one in own)
    return at and of


def exposure(standing: Standing, start: float, atlas: Atlas) -> list[tuple[int, int, float]]:
    """Planned events during the window at `start`: (place, keyword, factor), what lies in the place included; keyword 0: all."""
    out: list[tuple[int, int, float]] = []
    for _, event in sorted(standing.events.items()):
        begin = event.at if event.start is None else event.start
        if not begin <= start < (event.until or 0) or event.factor is None:
            continue
        places = [place for id in event.places if (place := atlas.place_of(id)) is not None]
        if not event.places:
            places = [atlas.places.everywhere, atlas.places.nowhere]
        named = [keyword for id in event.keywords if (keyword := atlas.keyword_of(id)) is not None]
        keywords = [ANY] if not event.keywords or ANY in named else _families(named, atlas)
        out.extend((place, keyword, event.factor) for place in places for keyword in keywords)
    return out


def _families(keywords: list[int], atlas: Atlas) -> list[int]:
    """Keywords with all their descendants."""
    count = len(atlas.trees.keyword_parent)
    return [k for k in range(count) if any(atlas.belongs_to(k, keyword) for keyword in keywords)]
