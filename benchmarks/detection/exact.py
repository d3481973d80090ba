"""The p-values of one who knows the true rates: oracle lines, and the input of the budget's work.

It knows rates and dispersion, not the best statistic: it takes the smallest tail of a few sums, so it is no upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from benchmarks.detection.complaints import Floats, Ints

SUMS, PENALTY = (1, 2, 4, 8), 2.2  # windows of 15 minutes; what looking four times costs


def tail(count: Floats | Ints, mean: Floats, phi: Floats) -> Floats:
    """P(Y >= count) of a negative binomial with variance phi x mean; Poisson where phi is 1."""
    excess = np.maximum(phi - 1, 1e-9)
    p = special.betainc(np.maximum(count, 1e-9), mean / excess, excess / phi)
    return np.where(count <= 0, 1.0, np.where(phi < 1 + 1e-6, special.gammainc(np.maximum(count, 1e-9), mean), p))


class Oracle:
    """Smallest tail of the last sums, window after window."""

    def __init__(self, phi: Floats, sums: Sequence[int] = SUMS, penalty: float = PENALTY) -> None:
        self.phi, self.sums, self.penalty = phi, sums, penalty
        self.counts: list[Ints] = []
        self.means: list[Floats] = []

    def step(self, counts: Ints, mean: Floats) -> Floats:
        longest = max(self.sums)
        self.counts, self.means = [*self.counts, counts][-longest:], [*self.means, mean][-longest:]
        p = np.ones(len(counts))
        index = np.flatnonzero(sum(self.counts) >= 2)
        lowest = np.ones(len(index))
        for k in self.sums:
            count, expected = (np.sum([one[index] for one in kept[-k:]], axis=0) for kept in (self.counts, self.means))
            lowest = np.minimum(lowest, tail(count, expected, self.phi[index]))
        p[index] = np.minimum(1.0, self.penalty * lowest)
        return p
