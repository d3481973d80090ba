"""The cut under a p-value that keeps false alerts to a number a week, learnt from how low quiet runs go.

A *run* is a stretch in which a series (or a group of related ones) stays at or under a level; its lowest p-value is what could
have alerted. Quiet runs under p come at rate * (p / level) ** shape a week: a straight line on log-log paper, of slope 1 for
exact p-values and less where a detector is too sure of itself. Runs that alerted are not looked at (they may be
disruptions), so the shape is that of an exponential cut off at the cut (maximum likelihood).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

LEVEL = 1e-3
WEEK_SECONDS = 7 * 86_400
HALF_LIFE_WEEKS = 8.0
PRIOR_RUNS = 5.0  # the rate guessed beforehand counts as much as so many runs seen
PRIOR_SHAPE = 0.85  # the lowest of many correlated looks at discrete counts: a little less than 1
PRIOR_SHAPE_RUNS = 20.0
SHAPES = (0.25, 1.25)
SHARE = 0.9  # of the budget is aimed at: the rest is for what is not known of rate and shape
LOWEST_CUT = 1e-15
STEP = 0.25  # of the way to the cut aimed at, each time: a full step may swing to and fro
HIGHEST_CUT = 0.3  # of the level: above the cut there must be runs to learn from
TailState = tuple[float, float, float, float, float, float, float]


class TailCut:
    """`per_week`: false alerts allowed, in the long-run mean. `runs_per_week`: a first guess of quiet runs under LEVEL.

    `most_runs`: where more come a week, `level` goes down, so that watching them stays cheap however many series there are.
    """

    def __init__(self, per_week: float, runs_per_week: float, most_runs: float = math.inf) -> None:
        if not per_week > 0 or not runs_per_week > 0:
            raise ValueError("per_week, runs_per_week: positive numbers wanted")
        self.per_week = per_week
        self.guess = runs_per_week
        self.most_runs = most_runs
        self.level = LEVEL
        self.runs = 0.0  # seen, discounted
        self.depth = 0.0  # sum over them of ln(level / lowest p)
        self.weeks = 0.0  # watched, discounted
        self._seen = 1.0  # share of quiet runs that stay above the cut
        self._cut = self.level * min(HIGHEST_CUT, self.allowed / runs_per_week)
        self._resolve()

    @property
    def allowed(self) -> float:
        """Runs a week that may go under the cut."""
        return SHARE * self.per_week

    @property
    def rate(self) -> float:
        """Quiet runs under the level a week; those that alerted are not seen, their share is added."""
        return (self.runs + PRIOR_RUNS) / (self.weeks + PRIOR_RUNS / self.guess) / self._seen

    @property
    def cut(self) -> float:
        """The p-value to alert at."""
        return self._cut

    @property
    def shape(self) -> float:
        """Slope of the quiet tail."""
        return self._shape(math.log(self.level / max(self.cut, LOWEST_CUT)))

    def under(self, per_week: float) -> float:
        """The p-value that quiet runs go under so many times a week."""
        return min(self.level, max(LOWEST_CUT, self.level * math.pow(per_week / self.rate, 1 / self.shape)))

    def observe(self, lowest: npt.ArrayLike) -> None:
        """Take in the lowest p-values of runs that ended without an alert."""
        found = np.asarray(lowest, np.float64)
        found = found[(found <= self.level) & (found > self.cut)]
        if len(found):
            self.runs += len(found)
            self.depth += float(np.log(self.level / found).sum())
            self._resolve()
            while self.rate > self.most_runs and self.runs > 4 * PRIOR_RUNS:
                self._lower()

    def _lower(self) -> None:
        """Half a decade down; the depths of an exponential that reach further look the same from there."""
        kept = 10 ** (-0.5 * self.shape)
        self.level *= 10**-0.5
        self.runs, self.depth, self.guess = self.runs * kept, self.depth * kept, self.guess * kept

    def pass_time(self, seconds: float) -> None:
        """Let watched time go by; what was seen fades."""
        weeks = seconds / WEEK_SECONDS
        kept = 0.5 ** (weeks / HALF_LIFE_WEEKS)
        self.runs, self.depth, self.weeks = self.runs * kept, self.depth * kept, self.weeks * kept + weeks
        self._resolve()

    def state(self) -> TailState:
        """What `load` takes."""
        return self.runs, self.depth, self.weeks, self._cut, self._seen, self.level, self.guess

    def load(self, state: TailState) -> None:
        """Continue from a state."""
        self.runs, self.depth, self.weeks, self._cut, self._seen, self.level, self.guess = state

    def _resolve(self) -> None:
        """Set the cut anew. Where runs were cut off depends on the cut before, so it takes that one's reach."""
        shape = self._shape(math.log(self.level / max(self._cut, LOWEST_CUT)))
        self._seen = max(0.5, 1 - math.pow(self._cut / self.level, shape))
        aimed = self.level * math.pow(self.allowed / self.rate, 1 / shape)
        aimed = min(self.level * HIGHEST_CUT, max(LOWEST_CUT, aimed))
        stepped = math.pow(self._cut, 1 - STEP) * math.pow(aimed, STEP)
        self._cut = min(self.level * HIGHEST_CUT, stepped)

    def _shape(self, reach: float) -> float:
        """Slope whose runs, cut off at depth `reach`, have the mean depth seen, PRIOR_SHAPE_RUNS of PRIOR_SHAPE among them."""
        if reach < 0.5:
            return PRIOR_SHAPE
        mean = (self.depth + PRIOR_SHAPE_RUNS * _mean_depth(PRIOR_SHAPE, reach)) / (self.runs + PRIOR_SHAPE_RUNS)
        low, high = SHAPES
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if _mean_depth(middle, reach) > mean else (low, middle)
        return (low + high) / 2


def _mean_depth(shape: float, reach: float) -> float:
    """Mean of an exponential of this rate that is cut off at `reach`."""
    return 1 / shape - reach / math.expm1(min(shape * reach, 700.0))
