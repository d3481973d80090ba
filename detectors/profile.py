"""How complaints spread over the local hours of the week, learnt per group and shrunk towards what all groups share.

A group's profile has mean 1 over the week. Hour of week is shrunk to the product of hour and weekday, that to the
profile of all groups together, that to flat: a group with little history borrows, one with much stands on its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detectors.base import Floats, Ints
from detectors.state import Arrays
from detectors.zones import Zones

HOURS = 168
HOUR_SECONDS = 3600
WEEK_SECONDS = HOURS * HOUR_SECONDS
MONDAY_SECONDS = 3 * 86_400  # the epoch was a Thursday
# Prior weight, in independent complaints, of what is borrowed: 1 / (relative variance usual between profiles).
BANK_HOUR, GROUP_HOUR, WEEKDAY, CELL = 6.0, 12.0, 20.0, 50.0
LEAST = 0.02  # of the mean


class Profile:
    """Counts and time by group and local hour of week (scaled by the bank's forgetting), and the density they give."""

    def __init__(self, zones: Zones, zone_of_group: Ints, window_seconds: int, flat: bool) -> None:
        self.zones, self.zone, self.window, self.flat = zones, zone_of_group, window_seconds, flat
        self.counts = np.zeros((len(zone_of_group), HOURS))
        self.time = np.zeros((len(zone_of_group), HOURS))
        self.density = np.ones((len(zone_of_group), HOURS))
        self.doubt = np.ones((len(zone_of_group), HOURS))
        self.refresh(np.ones(len(zone_of_group)))

    def copy(self) -> Profile:
        other = object.__new__(Profile)
        other.__dict__.update(self.__dict__)
        other.counts, other.time = self.counts.copy(), self.time.copy()
        return other

    def grow(self, zones: Zones, zone_of_group: Ints) -> None:
        more = len(zone_of_group) - len(self.zone)
        self.zones, self.zone = zones, zone_of_group
        self.counts = np.vstack([self.counts, np.zeros((more, HOURS))])
        self.time = np.vstack([self.time, np.zeros((more, HOURS))])
        borrowed = self.time.sum(0) > 0
        shared = np.where(borrowed, self.density.mean(0), 1.0) if len(self.density) else np.ones(HOURS)
        self.density = np.vstack([self.density, np.tile(shared / shared.mean(), (more, 1))])
        self.doubt = np.vstack([self.doubt, np.full((more, HOURS), 0.25)])
        self._integrate()

    # -- learning -------------------------------------------------------------------------------------------------

    def cells(self, start: int) -> Ints:
        """Local hours of week a window lies in, int64[zones, hours]; one hour (its middle's) up to a window of 1 h."""
        if self.window <= HOUR_SECONDS:
            middles = np.array([start + self.window // 2])
        else:
            middles = start + HOUR_SECONDS // 2 + HOUR_SECONDS * np.arange(self.window // HOUR_SECONDS)
        local: Ints = (middles + self.zones.offsets(middles) + MONDAY_SECONDS) // HOUR_SECONDS % HOURS
        return local

    def learn(self, start: int, groups: Ints, counts: Floats, weight: float) -> None:
        """Add one window's counts, given per group (float64[m]), and its time, each times `weight`."""
        if self.flat:
            return
        cells = self.cells(start)[self.zone]
        share = weight / cells.shape[1]
        for column in cells.T:
            self.counts[groups, column[groups]] += counts * share
            self.time[np.arange(len(self.zone)), column] += share

    def pass_time(self, start: int, windows: int, weights: Floats) -> None:
        """Add the time of consecutive windows without any count; `weights`: float64[windows]."""
        if self.flat:
            return
        if self.window > HOUR_SECONDS:
            nothing = np.zeros(0, np.int64)
            for i in range(windows):
                self.learn(start + i * self.window, nothing, np.zeros(0), float(weights[i]))
            return
        middles = start + self.window // 2 + self.window * np.arange(windows)
        cells = (middles + self.zones.offsets(middles) + MONDAY_SECONDS) // HOUR_SECONDS % HOURS
        self.time += np.array([np.bincount(row, weights, HOURS) for row in cells])[self.zone]

    def refresh(self, burstiness: Floats) -> None:
        """Work out the density anew. `burstiness`: float64[groups], variance over mean, what a count is worth less."""
        if not self.flat and self.counts.any():
            self._estimate(burstiness)
        self._integrate()

    def _estimate(self, burstiness: Floats) -> None:
        counts = self.counts / np.maximum(burstiness, 1.0)[:, None]
        self.density, hourly, daily = _shrink(counts, self.time)
        own = counts.sum(1, keepdims=True)
        unseen = 0.3 * BANK_HOUR / (own + BANK_HOUR) + 0.1 * WEEKDAY / (daily + WEEKDAY)
        self.doubt = 1 / (counts + CELL) + 1 / (hourly + GROUP_HOUR) + unseen

    # -- use ------------------------------------------------------------------------------------------------------

    def masses(self, starts: Ints, stops: Ints) -> Floats:
        """Integral of each group's density over [start, stop), in windows of mean density: float64[groups, m]."""
        if self.flat:
            return np.tile((stops - starts) / self.window, (len(self.zone), 1))
        before, after = self.zones.offsets(starts), self.zones.offsets(stops - 1)
        total = self._until(stops + after) - self._until(starts + before)
        if before.shape != after.shape or (before != after).any():
            before, after = (np.broadcast_to(o, (len(o), len(starts))) for o in (before, after))
        for zone, column in np.argwhere(before != after):
            at = self.zones.change(int(zone), int(starts[column]), int(stops[column]))
            jump = np.array([at + before[zone, column], at + after[zone, column]])
            mine = self.zone == zone
            reached = self._until(np.tile(jump, (len(self.zones.names), 1)))
            total[mine, column] += (reached[:, 0] - reached[:, 1])[mine]
        return np.asarray(total / (self.window / HOUR_SECONDS), np.float64)

    def value(self, at: int) -> tuple[Floats, Floats]:
        """Windows of mean density each group has seen by today's profile, and would have seen in the time of the oldest;
        float64[groups], 0 where profiles are flat."""
        if self.flat or not len(self.zone):
            return np.zeros(len(self.zone)), np.zeros(len(self.zone))
        oldest = int(self.time.sum(1).argmax())
        offset = self.zones.offsets(np.array([at]))[self.zone, 0]
        shift = np.round((offset - offset[oldest]) / HOUR_SECONDS).astype(np.int64)
        there = np.take_along_axis(self.density, (np.arange(HOURS) + shift[:, None]) % HOURS, 1)
        return (self.time * self.density).sum(1), (self.time[oldest] * there).sum(1)

    def doubts(self, start: int) -> Floats:
        """Relative variance of the density at a window, float64[groups]."""
        return np.asarray(self.doubt[np.arange(len(self.zone)), self.cells(start)[self.zone, 0]], np.float64)

    def _until(self, local: Ints) -> Floats:
        """Integral of the density from an epoch to local times int64[zones, m], in hours: float64[groups, m]."""
        weeks, rest = np.divmod(local + (MONDAY_SECONDS - HOUR_SECONDS // 2), WEEK_SECONDS)
        hour, part = np.divmod(rest, HOUR_SECONDS)
        flat = (self._rows + hour[self.zone]).ravel()  # density is linear between the middles of hours
        f = (part / HOUR_SECONDS)[self.zone]
        shape = f.shape
        here, next_ = self._sharp.ravel()[flat].reshape(shape), self._sharp.ravel()[flat + 1].reshape(shape)
        total = HOURS * weeks[self.zone] + self._sum.ravel()[flat].reshape(shape)
        return np.asarray(total + f * (here + 0.5 * f * (next_ - here)), np.float64)

    def _integrate(self) -> None:
        p = self.density
        sharp = np.maximum(p - (np.roll(p, 1, 1) - 2 * p + np.roll(p, -1, 1)) / 8, 0.5 * p)  # keeps the mean of an hour
        sharp *= HOURS / sharp.sum(1, keepdims=True)
        steps = (sharp + np.roll(sharp, -1, 1)) / 2
        self._sharp = np.hstack([sharp, sharp[:, :1]])
        self._sum = np.hstack([np.zeros((len(p), 1)), np.cumsum(steps, 1)])
        self._rows = (np.arange(len(p)) * (HOURS + 1))[:, None]

    # -- state ----------------------------------------------------------------------------------------------------

    def rescale(self, factor: float) -> None:
        self.counts *= factor
        self.time *= factor

    def state(self) -> Arrays:
        return {"counts": self.counts, "time": self.time, "density": self.density, "doubt": self.doubt}

    def load(self, arrays: Mapping[str, Floats]) -> None:
        self.counts, self.time = arrays["counts"], arrays["time"]
        self.density, self.doubt = arrays["density"], arrays["doubt"]
        self._integrate()


def _shrink(counts: Floats, time: Floats) -> tuple[Floats, Floats, Floats]:
    """Density by hour of day, then weekday, then hour of week; counts by hour and by weekday. All [g, hours].

    At each step first what all groups together have over what was expected of them, then the group's own. A group's
    hours are known before weekdays are compared: where clocks differ one has seen the night of a day, another its noon.
    """
    shape = (len(counts), 7, 24)
    c, t, p = counts.reshape(shape), time.reshape(shape), np.ones(shape)
    for axis, of_all, own in (
        (1, BANK_HOUR, GROUP_HOUR),
        (2, WEEKDAY, WEEKDAY),
        (1, BANK_HOUR, GROUP_HOUR),
        (None, CELL, CELL),
    ):
        for shared, weight in ((True, of_all), (False, own)):
            mass = (t * p).sum((1, 2), keepdims=True)
            rate = np.divide(c.sum((1, 2), keepdims=True), mass, out=np.zeros_like(mass), where=mass > 0)
            seen, expected = c, rate * t * p
            if axis is not None:
                seen, expected = seen.sum(axis, keepdims=True), expected.sum(axis, keepdims=True)
            if shared:
                seen, expected = seen.sum(0), expected.sum(0)
            p = p * ((seen + weight) / (expected + weight))
    p = np.maximum(p, LEAST)
    p = p / p.mean((1, 2), keepdims=True)
    hourly, daily = (np.broadcast_to(c.sum(a, keepdims=True), shape).reshape(len(counts), HOURS) for a in (1, 2))
    return p.reshape(len(counts), HOURS), hourly, daily
