"""Emerging terms that are one thing: pairs instead of their words, and what rises at one place at one time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from detectors.emerging import Term

SAME_PEOPLE = 0.6  # of those who said a word, when so many said it in a pair only the pair is told


class Group(NamedTuple):
    """Terms that rise together, strongest first, and the place of the strongest."""

    place: int
    terms: tuple[Term, ...]


def distinct(found: Iterable[Term]) -> list[Term]:
    """The terms in their order; a word of a pair that is told at the same place is not told again."""
    found = list(found)
    paired = {(one.place, word): one for one in found if " " in one.term for word in one.term.split()}
    told: list[Term] = []
    for one in found:
        pair = paired.get((one.place, one.term))
        if pair is None or pair.people < SAME_PEOPLE * one.people:
            told.append(one)
    return told


def together(found: Iterable[Term], near: Callable[[int, int], bool]) -> list[Group]:
    """Groups in the order of their strongest term; `near`: whether what rises at two places at one time is one thing."""
    groups: list[list[Term]] = []
    for one in found:
        home = next((group for group in groups if near(group[0].place, one.place)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return [Group(group[0].place, tuple(group)) for group in groups]
