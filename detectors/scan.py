"""The tightest scopes that explain an excess: place tree x keyword tree in, one scope a disruption out.

Bottom up: a series is explained when what is already explained below it leaves little of its excess; what is left unexplained is
*tight*. Tight series that belong together (same place or places of one parent, related keywords, risen together) are one scope.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors.places_together import Together
from detectors.spill_over import spilled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
EVERYWHERE, COUNTRY, REGION, CITY, AIRPORT, SPOT, NOWHERE = 0, 1, 2, 3, 4, 5, -1  # levels
UNEXPLAINED = 0.5  # share of its excess a series must have left to stand by itself
HOLDS = 0.8  # nearly all: share of a group's excess in one child to descend into it
SURPRISING = 1e-3
MANY = 5.0  # people who stand for a place by themselves: fewer must be nearly all there are
BY_CHANCE = 0.01  # people beside a part who are no rarer than this are no disruption


class Trees:
    """Places and keywords as plain arrays; keyword 0 is the root. Parents are -1 at roots.

    `place_level`: the levels above; `place_at`: float[n, 2], latitude and longitude in degrees, NaN where unknown.
    `keyword_problem`: int[n], for a keyword that crosses a subject with a problem that problem, else -1.
    """

    def __init__(
        self,
        place_parent: Ints,
        place_level: Ints,
        place_at: Floats,
        keyword_parent: Ints,
        keyword_problem: Ints | None = None,
    ) -> None:
        self.place_parent, self.place_level, self.place_at = place_parent, place_level, place_at
        self.keyword_parent = keyword_parent
        self.keyword_problem = np.full(len(keyword_parent), -1) if keyword_problem is None else keyword_problem
        self._levels: list[int] = place_level.tolist()
        self.nowhere = self._levels.index(NOWHERE) if NOWHERE in self._levels else -1
        self._places: dict[int, list[int]] = {}
        self._keywords: dict[int, list[int]] = {}
        self._topics: dict[int, frozenset[int]] = {}
        crossed = np.flatnonzero(self.keyword_problem >= 0)
        pairs = zip(keyword_parent[crossed].tolist(), self.keyword_problem[crossed].tolist(), strict=True)
        self._crossed = dict(zip(pairs, crossed.tolist(), strict=True))  # by subject and problem
        self._subjects = set(keyword_parent[crossed].tolist())

    def above(self, place: int) -> list[int]:
        """The place and what it lies in, from itself up."""
        line = self._places.get(place)
        if line is None:
            line = self._places[place] = _line(self.place_parent, place)
        return line

    def level(self, place: int) -> int:
        return self._levels[place]

    def keywords_above(self, keyword: int) -> list[int]:
        """The keyword and what it belongs to, from itself up to the root."""
        line = self._keywords.get(keyword)
        if line is None:
            line = self._keywords[keyword] = _line(self.keyword_parent, keyword)
        return line

    def topics(self, keyword: int) -> frozenset[int]:
        """The keyword's ancestor just under the root, and the problem where that is a subject; empty for the root."""
        topics = self._topics.get(keyword)
        if topics is None:
            line = self.keywords_above(keyword)
            named = {line[-2] if len(line) > 1 else 0, *(int(self.keyword_problem[node]) for node in line)}
            topics = self._topics[keyword] = frozenset(named - {0, -1})
        return topics

    def subject(self, keyword: int) -> int:
        """The subject that a keyword is, or is crossed with; -1 for any other."""
        if self.keyword_problem[keyword] >= 0:
            return int(self.keyword_parent[keyword])
        return keyword if keyword in self._subjects else -1

    def beside(self, keyword: int, subject: int) -> int:
        """The same of another subject as `keyword` is of its own: that subject, or it with the same problem; -1 where there is none."""
        problem = int(self.keyword_problem[keyword])
        return subject if problem < 0 else self._crossed.get((subject, problem), -1)

    def related(self, one: frozenset[int], other: frozenset[int]) -> bool:
        """Whether two sets of topics share one; no topic at all is anything."""
        return not one or not other or not one.isdisjoint(other)


def _line(parent: Ints, node: int) -> list[int]:
    line = [node]
    while (node := int(parent[node])) >= 0:
        line.append(node)
    return line


class Series(NamedTuple):
    """Series to look at, one entry each: those unusual (`hot`), and others of the same places that tell how people overlap."""

    place: Ints
    keyword: Ints
    people: Floats  # lately: over the same time for all
    expected: Floats
    onset: Floats  # Unix seconds
    p_value: Floats
    hot: npt.NDArray[np.bool_]
    warm: npt.NDArray[np.bool_]  # nearly unusual: a tighter scope for a hot one, never a disruption by itself


class Found(NamedTuple):
    """One disruption: its scope, its tight series, strongest first, all unusual series it explains, and those of another subject
    that its people only name beside theirs (numbers of entries)."""

    place: int
    tight: list[int]
    inside: list[int]
    spilled: list[int]


class Columns(NamedTuple):
    """The same as plain numbers: they are asked for one by one."""

    place: list[int]
    keyword: list[int]
    people: list[float]
    expected: list[float]
    onset: list[float]
    p_value: list[float]
    excess: list[float]


def columns_of(series: Series) -> Columns:
    """Every column that is looked up, and the excess."""
    floats = series.people, series.expected, series.onset, series.p_value, series.people - series.expected
    return Columns(series.place.tolist(), series.keyword.tolist(), *(column.tolist() for column in floats))


def scan(series: Series, trees: Trees, coincide_seconds: float) -> list[Found]:
    """The smallest set of scopes that explains the unusual series; what rose over `coincide_seconds` apart is kept apart."""
    above_usual = series.people > series.expected
    hot = np.flatnonzero(series.hot & above_usual)
    if not len(hot):
        return []
    columns = columns_of(series)
    nearly = np.flatnonzero(series.warm & ~series.hot & above_usual).tolist()
    rows = sorted({*hot.tolist(), *_tighter(columns, trees, hot.tolist(), nearly)})
    tight, roof = _tighten(columns, trees, rows)
    row_of = {pair: i for i, pair in enumerate(zip(columns.place, columns.keyword, strict=True))}
    also_named = spilled(columns, trees, tight, row_of)
    if also_named:
        tight = [i for i in tight if i not in also_named]
        roof |= {i: roof.get(by, by) for i, by in also_named.items()}
        roof = {i: roof.get(over, over) for i, over in roof.items()}
    together = Together(columns, trees, tight, coincide_seconds)
    found: list[Found] = []
    for group in together.groups():
        group.sort(key=lambda i: (columns.p_value[i], -columns.excess[i], i))
        wide = [trees.above(columns.place[i]) for i in group if trees.level(columns.place[i]) != NOWHERE]
        scope = _scope(columns, trees, group, wide, together.accepted)
        found.append(Found(_tightest(columns, trees, scope, group, wide, row_of), group, [], []))
    _give(found, roof, rows)
    for one in found:
        one.spilled.extend(i for i in one.inside if i in also_named)
    return [one for one in found if series.hot[one.inside].any()]


def _tighter(columns: Columns, trees: Trees, hot: list[int], warm: list[int]) -> list[int]:
    """Nearly unusual series that lie inside a hot one and have most of its excess."""
    excess: dict[int, dict[int, float]] = {}  # by place, then keyword
    for i in hot:
        excess.setdefault(columns.place[i], {})[columns.keyword[i]] = columns.excess[i]
    found = []
    for i in warm:
        most = columns.excess[i] / (1 - UNEXPLAINED)
        over = [excess[place] for place in trees.above(columns.place[i]) if place in excess]
        keywords = trees.keywords_above(columns.keyword[i])
        if any(at[keyword] <= most for at in over for keyword in keywords if keyword in at):
            found.append(i)
    return found


def _tighten(columns: Columns, trees: Trees, rows: list[int]) -> tuple[list[int], dict[int, int]]:
    """Tight series, and for each explained one the tight series that explains most of it."""
    row_of: dict[int, dict[int, int]] = {}  # by place, then keyword
    lines = {}
    for i in rows:
        place, keyword = columns.place[i], columns.keyword[i]
        row_of.setdefault(place, {})[keyword] = i
        lines[i] = trees.above(place), trees.keywords_above(keyword)
    people, expected = dict.fromkeys(rows, 0.0), dict.fromkeys(rows, 0.0)  # explained so far
    best: dict[int, tuple[float, int]] = {}
    tight: list[int] = []
    order = sorted(rows, key=lambda i: (-len(lines[i][0]) - len(lines[i][1]), i))
    for i in order:
        left, left_usual = columns.people[i] - people[i], max(columns.expected[i] - expected[i], 1e-9)
        little = left - left_usual < UNEXPLAINED * columns.excess[i]
        if people[i] and (little or poisson_tail(left, left_usual) > SURPRISING):
            continue
        tight.append(i)
        for at in [row_of[place] for place in lines[i][0] if place in row_of]:
            for above in [at[keyword] for keyword in lines[i][1] if keyword in at]:
                if above != i:
                    people[above] += left
                    expected[above] += left_usual
                    best[above] = max(best.get(above, (0.0, -1)), (left - left_usual, i))
    standing = set(tight)
    return tight, {i: best[i][1] for i in order if i not in standing}


def _scope(columns: Columns, trees: Trees, rows: list[int], lines: list[list[int]], accepted: set[int]) -> int:
    """The tightest place that holds nearly all of a group's excess; the strongest one where that would be too wide."""
    if not lines:
        return columns.place[rows[0]]
    excess: dict[int, float] = {}
    for i in rows:
        for place in trees.above(columns.place[i]):
            excess[place] = excess.get(place, 0.0) + columns.excess[i]
    own = {line[0] for line in lines}
    common = set(lines[0]).intersection(*lines[1:])
    scope = next((place for place in lines[0] if place in common), lines[0][0])
    while scope not in own or len(own) > 1:
        parent = trees.place_parent
        inside = [place for place in excess if parent[place] == scope and excess[place] >= HOLDS * excess[scope]]
        if not inside:
            break
        scope = inside[0]
    if scope in own or scope in accepted or trees.level(scope) >= CITY:
        return scope
    return lines[0][0]


def _tightest(
    columns: Columns,
    trees: Trees,
    scope: int,
    rows: list[int],
    lines: list[list[int]],
    row_of: dict[tuple[int, int], int],
) -> int:
    """Down to the part that most of the people are in while those in the other parts are no more than chance brings.

    A few who name no place, or another problem of the same kind elsewhere, do not make one town's trouble everybody's.
    """
    shared = [trees.keywords_above(columns.keyword[i]) for i in rows]
    common = set(shared[0]).intersection(*shared[1:])
    keyword = next(node for node in shared[0] if node in common)
    while (whole := row_of.get((scope, keyword))) is not None:
        parts = {line[line.index(scope) - 1] for line in lines if scope in line and line[0] != scope}
        part = row_of.get((parts.pop(), keyword)) if len(parts) == 1 else None
        lost = row_of.get((trees.nowhere, keyword)) if trees.level(scope) == EVERYWHERE else None
        if part is None or not explains(_pair(columns, part), _pair(columns, whole), _pair(columns, lost)):
            break
        scope = columns.place[part]
    return scope


def explains(part: tuple[float, float], whole: tuple[float, float], lost: tuple[float, float]) -> bool:
    """Whether a part of a place holds its excess: each (people, expected); `lost`: those of the whole who are at no known place."""
    people, expected = (w - p - n for w, p, n in zip(whole, part, lost, strict=True))
    excess, own = whole[0] - whole[1] - max(lost[0] - lost[1], 0.0), part[0] - part[1]
    by_chance = people < 2 or poisson_tail(people, max(expected, 1e-9)) > BY_CHANCE
    return own >= (UNEXPLAINED if part[0] >= MANY else HOLDS) * excess > 0 and by_chance


def _pair(columns: Columns, row: int | None) -> tuple[float, float]:
    return (0.0, 0.0) if row is None else (columns.people[row], columns.expected[row])


def _give(found: list[Found], roof: dict[int, int], rows: list[int]) -> None:
    """Hand every unusual series to the scope that explains most of it."""
    owner = {i: number for number, one in enumerate(found) for i in one.tight}
    for i in rows:
        number = owner.get(i, owner.get(roof.get(i, -1)))
        if number is not None:
            found[number].inside.append(i)


def poisson_tail(count: float, mean: float) -> float:
    """P(Y >= count), count rounded up; 1 for none."""
    return 1.0 if count <= 0 else float(special.gammainc(np.ceil(count - 1e-9), max(mean, 1e-12)))
