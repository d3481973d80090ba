"""Each series' level: a gamma over its rate, discounted over weeks, with a prior lent by parent, group or bank.

After Harvey and Fernandes 1989 (gamma-Poisson with discount). Sums are kept multiplied by a growing factor instead of
being discounted every window, so a window costs what moved in it and a stretch of empty windows costs one addition.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Floats, Ints
from detectors.state import Arrays

SHAPE = 0.5  # of the prior: rates spread widely, so what is lent washes out within a few expected counts
FLOOR = 1e-7  # lowest prior rate a window
UNLIKE = 0.1  # chance that a series is nothing like what lends to it
UNLIKE_SECONDS = 3600.0  # what its prior then weighs
OWN_WINDOWS_SECONDS = 21_600.0  # weight of the parent's own rate against what its children were seen to have


class Level:
    """`seen`: counts learnt; `known`: windows of mean density learnt, by row of the profile (`groups`), plus a difference per series."""

    def __init__(self, groups: Ints, parents: Ints, n_groups: int) -> None:
        n = len(groups)
        self.groups, self.parents = groups.astype(np.int32), parents.astype(np.int32)
        self.seen, self.differs = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.known = np.zeros(n_groups)
        self.lends = np.full(n, FLOOR, np.float32)  # rate a new child of this series would be given
        self.prior = np.full(n, FLOOR, np.float32)  # rate lent to this series
        self.group_rate, self.rate_of_all = np.full(n_groups, FLOOR), FLOOR

    def copy(self) -> Level:
        other = object.__new__(Level)
        other.__dict__.update(self.__dict__)
        other.seen, other.differs, other.known = self.seen.copy(), self.differs.copy(), self.known.copy()
        return other

    def shape(self, scale: float, index: Ints | slice = slice(None)) -> Floats:
        """Shape of the gamma: complaints its rate rests on."""
        out = self.seen[index].astype(np.float64)
        out /= scale
        out += SHAPE
        return out

    def rate(self, scale: float, index: Ints | slice = slice(None)) -> Floats:
        """Expected count in a window of mean density."""
        windows: Floats = self.known.take(self.groups[index])  # worked on in place: there may be one a series
        windows += self.differs[index]
        windows /= scale
        np.maximum(windows, 0.0, out=windows)
        windows += SHAPE / self.prior[index]
        return np.asarray(np.divide(self.shape(scale, index), windows, out=windows), np.float64)

    def pass_time(self, masses: Floats) -> None:
        """The whole bank has seen windows of this density (times the scale), float64[groups]."""
        self.known += masses

    def learn(self, index: Ints, counts: Floats, scale: float) -> None:
        self.seen[index] += counts * scale

    def adjust(self, index: Ints, masses: Floats) -> None:
        """These series saw more or less than the window's density (exposure, hold)."""
        self.differs[index] += masses.astype(np.float32)

    def restart(self, index: Ints, counts: Floats, windows: Floats, scale: float) -> None:
        """Forget what these series had before: they rest on so many counts in so many windows of mean density."""
        self.seen[index] = counts * scale
        self.differs[index] = windows * scale - self.known.take(self.groups[index])

    def revalue(self, value: Floats) -> None:
        """A new profile revalues the time already seen: a bank that has seen one night has not seen half a day."""
        usable = (self.known > 0) & (value > 0)
        factor = np.where(usable, value / np.where(usable, self.known, 1.0), 1.0)
        self.known *= factor
        self.differs *= factor.astype(np.float32).take(self.groups)

    def borrow(self, scale: float, window_seconds: int) -> None:
        """Work out anew what parents, groups and the bank lend (pooled rates: complaints over windows seen)."""
        windows = np.maximum(self.known.take(self.groups) + self.differs, 0.0) / scale
        seen = self.seen.astype(np.float64) / scale
        own = OWN_WINDOWS_SECONDS / window_seconds
        self.rate_of_all = max(FLOOR, float(seen.sum()) / max(float(windows.sum()), 1e-9))
        by_group = [np.bincount(self.groups, w, len(self.known)) for w in (seen, windows)]
        self.group_rate = np.maximum((by_group[0] + own * self.rate_of_all) / (by_group[1] + own), FLOOR)
        child = self.parents >= 0
        if child.any():
            of, n = self.parents[child], len(self.seen)
            mine = seen / np.maximum(windows, own)
            share = mine / np.maximum(np.bincount(of, minlength=n), 1)
            lent = (np.bincount(of, seen[child], n) + own * share) / (np.bincount(of, windows[child], n) + own)
            self.lends = np.maximum(lent, FLOOR).astype(np.float32)
            self.prior = np.where(child, self.lends[self.parents], self.group_rate.take(self.groups)).astype(np.float32)
        else:
            self.prior = self.group_rate.astype(np.float32).take(self.groups)
        self._doubt_loans(seen, windows, UNLIKE_SECONDS / window_seconds)

    def _doubt_loans(self, seen: Floats, windows: Floats, least: float) -> None:
        """Lend next to nothing where the series' own record speaks against the loan.

        The prior is a mixture of two gammas of one shape; a series takes the one its counts make likelier (their negative
        binomial likelihoods). A rate far above the loan would else be held down by its weight for weeks.
        """
        weight = SHAPE / self.prior.astype(np.float64)
        ratio = (weight + windows) / (least + windows)
        favour = np.log(UNLIKE) + (seen + SHAPE) * np.log(ratio) - SHAPE * np.log(weight / least)
        unlike = (weight > least) & (favour > 0)
        self.prior[unlike] = np.float32(SHAPE / least)

    def grow(self, groups: Ints, parents: Ints, source: Ints, known: Floats) -> None:
        """`groups`, `parents`: of all series; `source`: the row each row was before, -1 for new ones; `known`: of all rows.

        New series know nothing yet; new rows start at the bank's pooled rate.
        """
        old, n = len(self.seen), len(groups)
        rates = np.append(self.group_rate, self.rate_of_all)
        self.group_rate, self.known = rates[source], known
        self.groups, self.parents = groups.astype(np.int32), parents.astype(np.int32)
        new = self.groups[old:]
        lent = self.group_rate[new]
        parent = self.parents[old:]
        known_parent = (parent >= 0) & (parent < old)
        lent[known_parent] = np.maximum(self.lends[parent[known_parent]], FLOOR)
        self.seen = np.concatenate([self.seen, np.zeros(n - old, np.float32)])
        self.differs = np.concatenate([self.differs, -self.known[new].astype(np.float32)])
        self.prior = np.concatenate([self.prior, lent.astype(np.float32)])
        self.lends = np.concatenate([self.lends, lent.astype(np.float32)])

    def keep(self, index: Ints, number: Ints) -> None:
        """`number`: new number of each series, -1 of those forgotten and at the end."""
        for name in ("groups", "seen", "differs", "lends", "prior"):
            setattr(self, name, getattr(self, name)[index])
        self.parents = number[self.parents[index]].astype(np.int32)  # -1 reads the extra last entry

    def rescale(self, factor: float) -> None:
        self.seen *= np.float32(factor)
        self.differs *= np.float32(factor)
        self.known *= factor

    def state(self) -> Arrays:
        names = ("groups", "parents", "seen", "differs", "known", "lends", "prior", "group_rate")
        return {name: getattr(self, name) for name in names} | {"rate_of_all": np.array([self.rate_of_all])}

    def load(self, arrays: Arrays) -> None:
        for name, array in arrays.items():
            setattr(self, name, float(array[0]) if name == "rate_of_all" else array)
