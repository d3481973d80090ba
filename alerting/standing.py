"""Silences and planned events as people look at them: which stand, and what a silence holds back. From the controls alone."""

from __future__ import annotations

from collections.abc import Iterable

from alerting.controls import MATCHING
from alerting.model import Control, Incident


def kept(controls: Iterable[Control]) -> list[Control]:
    """The controls that were not undone, undoings left out."""
    controls = list(controls)
    undone = {one.value for one in controls if one.kind == "undo"}
    return [one for one in controls if one.kind != "undo" and one.id not in undone]


def standing(controls: Iterable[Control], now: float) -> list[Control]:
    """Silences and planned events that hold at `now` or will, the first to begin first."""
    found = [one for one in kept(controls) if one.kind in MATCHING and (one.until or 0.0) > now]
    return sorted(found, key=lambda one: (begin(one), one.id))


def holding(controls: Iterable[Control], at: float) -> list[Control]:
    """Those that held at a time, as is known now."""
    return [one for one in standing(controls, at) if begin(one) <= at]


def begin(control: Control) -> float:
    """When a silence or planned event begins."""
    return control.at if control.start is None else control.start


def silences(control: Control, incident: Incident) -> bool:
    """Whether a silence is for this incident: all of it lies in one of the places, its problems belong to one of the keywords."""
    return reaches(control, (*incident.scope.within, incident.scope.place), incident.keywords)


def reaches(control: Control, places: Iterable[str], keywords: Iterable[str]) -> bool:
    """The same for a place (ids from itself up) and keywords."""
    here = not control.places or not set(control.places).isdisjoint(places)
    return here and (not control.keywords or all(belongs(one, control.keywords) for one in keywords))


def belongs(keyword: str, wanted: Iterable[str]) -> bool:
    """Whether a keyword is one of those, or below one."""
    return any(one in ("*", keyword) or keyword.startswith(f"{one}/") for one in wanted)


def matchers(control: Control) -> str:
    """What it is about, in ids: "airport:JFK, baggage"."""
    return ", ".join((*control.places, *control.keywords))
