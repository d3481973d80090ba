"""The alert budget: at most so many false incidents a week over all series together, as a long-run mean.

It sets the cut and never blocks: ten disruptions in a day are ten incidents. A series that stays unusual is alerted once, and
what rises at neighbouring places at the same time is one incident.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from detectors.tail_cut import LEVEL, WEEK_SECONDS, TailCut

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LEAST_PEOPLE = 3  # within the last hour
HOUR_SECONDS = 3600
HOLD_SECONDS = 7200  # a series leaves its incident after so long without an unusual window
REACH = 2  # places whose numbers differ by no more than this are neighbours
EXPECTED_SHARE = 0.5  # of series x windows, tests that could each have given a run: a first guess
NEVER = -(2**40)


class Budget:
    """`places`: int[n], numbered so that neighbours have neighbouring numbers; `keywords`: int[n]. One step a window."""

    def __init__(
        self, *, n_series: int, window_seconds: float, per_week: float, places: npt.ArrayLike, keywords: npt.ArrayLike
    ) -> None:
        self.places = np.asarray(places, np.int64)
        self.keywords = np.asarray(keywords, np.int64)
        if self.places.shape != (n_series,) or self.keywords.shape != (n_series,):
            raise ValueError(f"places, keywords: {n_series} integers wanted")
        self.window_seconds = window_seconds
        tests = n_series * WEEK_SECONDS / window_seconds
        self.tail = TailCut(per_week, max(1.0, tests * LEVEL * EXPECTED_SHARE))
        self.pause = max(1, round(HOUR_SECONDS / window_seconds))
        self.hold = max(2, round(HOLD_SECONDS / window_seconds))
        self.lately: deque[tuple[int, Ints, Ints]] = deque()  # window, series, counts of the last hour
        self.people = np.zeros(n_series, np.int64)
        self.running: Ints = np.zeros(0, np.int64)  # series in a run
        self.last = np.full(n_series, NEVER)  # window in which it was last unusual
        self.lowest = np.ones(n_series)
        self.incident = np.zeros(n_series, np.int64)
        self.opened: deque[int] = deque()
        self.number = 0
        self.window: int | None = None

    @property
    def cut(self) -> float:
        """The p-value at which an incident opens."""
        return self.tail.cut

    @property
    def spent(self) -> float:
        """Incidents opened within the last seven days."""
        return float(len(self.opened))

    def step(self, start: float, p_value: npt.ArrayLike, counts: npt.ArrayLike) -> Ints:
        """The incident (> 0) each series is in after the window at `start`, int64[n]; 0 for none. A new number opens one."""
        window = int(start // self.window_seconds)
        if self.window is not None and window <= self.window:
            raise ValueError("start: must increase")
        p = np.asarray(p_value, np.float64)
        self._pass_time(window)
        self._count(window, np.asarray(counts, np.int64))
        hot = np.flatnonzero(p <= LEVEL)
        hot = hot[self.people[hot] >= LEAST_PEOPLE]
        self.last[hot] = window
        self.lowest[hot] = np.minimum(self.lowest[hot], p[hot])
        self.running = np.union1d(self.running, hot)
        crossing = hot[(p[hot] <= self.cut) & (self.incident[hot] == 0)]
        if len(crossing) or (self.incident[self.running] > 0).any():
            self._join(window, hot, crossing)
        return self.incident.copy()

    def _pass_time(self, window: int) -> None:
        """End runs and incidents that have been quiet long enough; runs without an incident teach the tail."""
        if self.window is not None:
            self.tail.pass_time((window - self.window) * self.window_seconds)
        self.window = window
        while self.opened and self.opened[0] <= window - WEEK_SECONDS / self.window_seconds:
            self.opened.popleft()
        quiet = window - self.last[self.running] - 1
        alerted = self.incident[self.running] > 0
        over = np.where(alerted, quiet >= self.hold, quiet >= self.pause)
        self.tail.observe(self.lowest[self.running[over & ~alerted]])
        ended = self.running[over]
        self.lowest[ended], self.incident[ended] = 1.0, 0
        self.running = self.running[~over]

    def _count(self, window: int, counts: Ints) -> None:
        while self.lately and self.lately[0][0] <= window - self.pause:
            _, series, gone = self.lately.popleft()
            self.people[series] -= gone
        moved = np.flatnonzero(counts)
        self.lately.append((window, moved, counts[moved]))
        self.people[moved] += counts[moved]

    def _join(self, window: int, hot: Ints, crossing: Ints) -> None:
        """Series that cross the cut join the incident of their neighbourhood, or open one; unusual neighbours come along."""
        members = self.running[self.incident[self.running] > 0]
        places = np.unique(self.places[np.concatenate((hot, members))])
        area = np.cumsum(np.diff(places, prepend=places[:1]) > REACH)  # places chained by neighbours
        incidents = np.zeros(int(area[-1]) + 1, np.int64)
        oldest_last = np.argsort(-self.incident[members], kind="stable")
        incidents[area[np.searchsorted(places, self.places[members[oldest_last]])]] = self.incident[
            members[oldest_last]
        ]
        for one in np.unique(area[np.searchsorted(places, self.places[crossing])]).tolist():
            if incidents[one] == 0:
                self.number += 1
                self.opened.append(window)
                incidents[one] = self.number
        free = hot[self.incident[hot] == 0]
        self.incident[free] = incidents[area[np.searchsorted(places, self.places[free])]]


def budget(
    *, n_series: int, window_seconds: float, per_week: float, places: npt.ArrayLike, keywords: npt.ArrayLike
) -> Budget:
    """A budget over `n_series` series; arguments as of `Budget`."""
    return Budget(n_series=n_series, window_seconds=window_seconds, per_week=per_week, places=places, keywords=keywords)
