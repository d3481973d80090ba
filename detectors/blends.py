"""Series whose people live by several clocks, a country's or everybody's: each rises and falls as its children do.

Counts add up along `parents`, so the profile of such a series is that of its children's groups, weighed by their complaints;
of those of no place, and where children are few, by those of the whole group. Its clock changes when theirs do.
"""

from __future__ import annotations

import numpy as np

from detectors.base import AnyFloats, Bools, Floats, Indices, Ints
from detectors.state import Arrays

COMMON = 10.0  # complaints that the shares of the whole group weigh
DEEPEST = 3  # levels of blended series above each other
UNSURE = 0.1  # relative variance of a profile that is the group's alone


def crossing(groups: Ints, parents: Ints, n_groups: int) -> Bools:
    """Groups whose series have children in other groups and none in their own, bool[n_groups].

    One child abroad makes no mixture of a group: its other series, towns among them, live by the group's own clock.
    """
    child = np.flatnonzero(parents >= 0)
    own, above = groups[child], groups[parents[child]]
    found = np.zeros(n_groups, np.bool_)
    found[above[own != above]] = True
    found[above[own == above]] = False
    return found


class Blends:
    """`shares`: float64[m, groups], of each blended series' complaints; `series`, `group`: int64[m]; `doubt`: float64[m]."""

    def __init__(self, n_groups: int) -> None:
        self.series, self.group = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.shares, self.doubt = np.zeros((0, n_groups)), np.zeros(0)

    def copy(self) -> Blends:
        other = object.__new__(Blends)
        other.__dict__.update(self.__dict__)  # arrays are replaced, never written to
        return other

    def extend(self, of_groups: Floats) -> Floats:
        """What holds of the groups, and then of the blended series: float64[groups + m, …]."""
        return np.concatenate([of_groups, self.shares @ of_groups]) if len(self.shares) else of_groups

    def as_given(self, rows: Indices) -> Indices:
        """The group of every series, of the row its profile stands in."""
        out = rows.copy()
        out[self.series] = self.group
        return out

    def grow(self, rows: Indices, groups: Ints, parents: Ints, n_groups: int) -> tuple[Ints, Ints]:
        """More groups and series: the row of every series, and where each row was before, -1 for new ones.

        `rows`: of the old series; `groups`, `parents`: of all. A series that is blended begins with the shares of all groups.
        """
        old, m, before = len(rows), len(self.series), self.shares.shape[1]
        series = old + np.flatnonzero(crossing(groups, parents, n_groups)[groups[old:]])
        new, more = n_groups - before, len(series)
        out = np.concatenate([rows, groups[old:]]).astype(np.int64)
        out[:old] += np.where(out[:old] >= before, new, 0)
        out[series] = n_groups + m + np.arange(more)
        self.shares = np.pad(self.shares, ((0, more), (0, new)))
        self.shares[m:] = 1 / max(n_groups, 1)
        self.series, self.group = np.concatenate([self.series, series]), np.concatenate([self.group, groups[series]])
        self.doubt = np.concatenate([self.doubt, np.full(more, UNSURE)])
        nowhere = np.full(new, -1)
        return out, np.concatenate([np.arange(before), nowhere, before + np.arange(m), np.full(more, -1)])

    def refresh(self, seen: AnyFloats, rows: Indices, parents: Indices) -> None:
        """Work out the shares anew: complaints, row and parent of every series."""
        m, n_groups = self.shares.shape
        if not m:
            return
        at = np.full(len(rows), -1)
        at[self.series] = np.arange(m)
        child = np.flatnonzero(parents >= 0)
        child = child[at[parents[child]] >= 0]
        of, row, weight = at[parents[child]], rows[child], seen[child]
        plain = row < n_groups
        direct = np.zeros((m, n_groups))
        np.add.at(direct, (of[plain], row[plain]), weight[plain])
        everybody = np.bincount(rows, seen, n_groups)[:n_groups] + 1e-6
        for _ in range(DEEPEST):
            got = direct.copy()
            np.add.at(got, of[~plain], weight[~plain, None] * self.shares[row[~plain] - n_groups])
            common = np.zeros((n_groups, n_groups))
            np.add.at(common, self.group, got)
            common += everybody / everybody.sum()
            common /= common.sum(1, keepdims=True)
            total = got.sum(1, keepdims=True)
            self.shares = (got + COMMON * common[self.group]) / (total + COMMON)
            self.doubt = UNSURE * COMMON / (total[:, 0] + COMMON)

    def keep(self, number: Ints) -> Ints:
        """Forget all series whose new number is -1; the rows that stay, int64[k]."""
        stays = np.flatnonzero(number[self.series] >= 0)
        self.series, self.group = number[self.series[stays]].astype(np.int64), self.group[stays]
        self.shares, self.doubt = self.shares[stays], self.doubt[stays]
        return stays

    def state(self) -> Arrays:
        return {"series": self.series, "group": self.group, "shares": self.shares, "doubt": self.doubt}

    def load(self, arrays: Arrays) -> None:
        self.series, self.group = arrays["series"], arrays["group"]
        self.shares, self.doubt = arrays["shares"], arrays["doubt"]
