"""False alarms, detections and delays of one detector in the judged week, at any cut of its p-values.

A window is hot when p is at most the cut and the series had three complaints within the hour. Hot windows of a series
less than an hour and a quarter apart are one episode. It is false when it touches no disruption, nor the two hours after
one; one that goes on counts again every six hours. A disruption is found by its first hot window.
"""

from __future__ import annotations

import numpy as np

from benchmarks.detection.complaints import WEEK, Disruptions, Floats, Ints

QUIET, LONGEST, AFTER, HOUR = 4, 24, 8, 4  # windows
LEAST_COMPLAINTS = 3
WORTH_KEEPING = 0.2  # no cut above this is looked at


class Judged:
    """Gathers the judged week window by window; `found`, `at`, `matched` afterwards. Windows count from its start."""

    def __init__(self, disruptions: Disruptions, first: int, n_series: int) -> None:
        of_week = disruptions.start >= first
        self.n_series = n_series
        self.series, self.length = disruptions.series[of_week], disruptions.length[of_week]
        self.start, self.k = disruptions.start[of_week] - first, disruptions.k[of_week]
        self.of = np.full(n_series, -1)
        self.of[self.series] = np.arange(len(self.series))
        self.kept: list[tuple[Ints, Ints, Floats]] = []

    def add(self, window: int, p_value: Floats, in_hour: Ints) -> None:
        """`in_hour`: complaints of the last four windows."""
        which = np.flatnonzero((p_value <= WORTH_KEEPING) & (in_hour >= LEAST_COMPLAINTS))
        self.kept.append((which, np.full(len(which), window), p_value[which]))

    def finish(self) -> None:
        which, window, p = (np.concatenate(part) for part in zip(*self.kept, strict=True))
        order = np.lexsort((window, which))
        self.which, self.window, self.p = which[order], window[order], p[order]

    def at(self, cut: float) -> dict[str, float]:
        """Figures at one cut; `fa`: false episodes a series and week."""
        hot = self.p <= cut
        which, window = self.which[hot], self.window[hot]
        of = self.of[which]
        since = window - self.start[of]
        inside = (of >= 0) & (since >= 0) & (since < self.length[of])
        near = (of >= 0) & (since >= 0) & (since < self.length[of] + AFTER)
        false = self._false(which, window, near)
        delay = np.full(len(self.start), np.nan)
        for_each, first = np.unique(of[inside], return_index=True)
        delay[for_each] = since[inside][first]
        found = ~np.isnan(delay)
        strong = delay[found & (self.k >= 8)]
        return {
            "fa": false / self.n_series,
            "fdr": false / max(1, false + int(found.sum())),
            "pod": float(found.mean()),
            "within_hour": float((delay < HOUR).mean()),
            "delay_strong": float(np.median(strong)) if len(strong) else float("nan"),
            "delay_all": float(np.where(found, delay, self.length).mean()),
        }

    def _false(self, which: Ints, window: Ints, near: np.ndarray) -> int:
        if not len(which):
            return 0
        new = np.r_[True, (np.diff(which) != 0) | (np.diff(window) > QUIET)]
        episode = np.cumsum(new) - 1
        true = np.zeros(episode[-1] + 1, bool)
        true[episode[near]] = True
        begun = window[np.flatnonzero(new)]
        pieces = np.unique(np.stack([episode, (window - begun[episode]) // LONGEST])[:, ~true[episode]], axis=1)
        return int(pieces.shape[1])

    def matched(self, fa: float) -> dict[str, float]:
        """Figures at the loosest cut with at most `fa` false episodes; `reached` is 0 where no cut is as quiet as that."""
        low, high = -301.0, float(np.log10(WORTH_KEEPING))
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(10**middle)["fa"] <= fa else (low, middle)
        found = self.at(10**low)
        return found | {"reached": float(found["fa"] <= fa and fa * self.n_series >= 1), "log10_cut": low}

    def pod_at_fdr(self, fdr: float) -> float:
        """The best POD of the cuts whose share of false ones is no higher."""
        cuts = np.r_[-300:-30:10, -30:-0.8:0.1]
        return max((one["pod"] for one in (self.at(10**cut) for cut in cuts) if one["fdr"] <= fdr), default=0.0)


def windows_of(weeks: int) -> tuple[int, int]:
    """First judged window and the end."""
    return (weeks - 1) * WEEK, weeks * WEEK
