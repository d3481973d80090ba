"""Spill-over: when one subject fails, people who name another beside it are no failure of that other one.

Whoever names B and not A is among those who have the problem and do not name A, so the people of the problem less A's bound the people of
B alone (inclusion and exclusion of the counts there are). Where even the upper end of that leaves little of B's excess, A explains B.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detectors.scan import Columns, Trees

ROOT = 0
UPPER_SD = 2.0  # of the usual people who do not name A
ALONE = 0.5  # share of its excess a subject must have to itself, as a tight series must


def spilled(columns: Columns, trees: Trees, tight: list[int], row: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Tight series of a subject that another one at the same place explains, and that one's entry; both of one problem.

    `row`: entries by (place, keyword).
    """
    named = {i: trees.subject(columns.keyword[i]) for i in tight}
    if len({subject for subject in named.values() if subject >= 0}) < 2:
        return {}
    most: dict[int, float] = {}  # the greatest excess of each subject's series of a problem, anywhere
    for keyword, excess in zip(columns.keyword, columns.excess, strict=True):
        most[keyword] = max(most.get(keyword, 0.0), excess)
    subjects = sorted({subject for subject in named.values() if subject >= 0})
    found: dict[int, int] = {}
    for i in (i for i in tight if named[i] >= 0):
        rivals = [row.get((columns.place[i], trees.beside(columns.keyword[i], one))) for one in subjects]
        stronger = [a for a in rivals if a is not None and most[columns.keyword[a]] > most[columns.keyword[i]]]
        for a in sorted(stronger, key=lambda a: (-columns.excess[a], a)):
            if _explains(columns, trees, row, a, i):
                found[i] = a
                break
    return found


def _explains(columns: Columns, trees: Trees, row: Mapping[tuple[int, int], int], a: int, b: int) -> bool:
    """Whether few of b's people can be other than a's."""
    problem = max(int(trees.keyword_problem[columns.keyword[b]]), ROOT)
    whole = row.get((columns.place[b], problem))
    if whole is None:
        return False
    usual = max(columns.expected[whole] - columns.expected[a], 0.0)
    alone = columns.people[whole] - columns.people[a] - usual
    return alone + UPPER_SD * sqrt(usual) < ALONE * columns.excess[b]
