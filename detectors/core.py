"""What the default bank knows, and how time passes for it: empty windows cost one addition for all series together.

Everything learnt is forgotten at one pace. Instead of shrinking it all every window, what is new is added multiplied by
`scale`, which doubles every half-life; from time to time all is divided by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.base import Floats, Indices, Ints
from detectors.blends import Blends
from detectors.calibration import Calibration
from detectors.dispersion import Dispersion
from detectors.level import Level
from detectors.profile import HOUR_SECONDS, Profile
from detectors.state import Arrays
from detectors.strata import DAY_SECONDS, STRATA, stratum_of
from detectors.sums import Sums, lengths_of
from detectors.zones import Zones

LARGEST_SCALE = 2.0**20
SLOWER = 8.0  # dispersion and tails are remembered for so many times longer than levels
PEAKED = 1.3  # mean of a squared profile: a learnt complaint sees a busier window than the mean one
BURST_COUNTS = 30.0
FIRST_DAYS_SECONDS = 3 * DAY_SECONDS  # no cap: a rush hour not seen before is no storm
FIRST_WEEK_SECONDS = 7 * DAY_SECONDS  # says more about a profile still unknown than about chance
PARTS = ("level", "profile", "blends", "short", "long", "calibration", "recent", "lasting", "recent_gap", "lasting_gap")


class Core:
    """The state of the bank. `last`: start of the last window taken in; `born`: of the first; None before."""

    def __init__(
        self,
        groups: Ints,
        parents: Ints,
        zones: Sequence[str],
        *,
        window_seconds: int,
        flat: bool,
        half_life_days: float,
    ) -> None:
        n = len(groups)
        self.window, self.half_life_hours = window_seconds, half_life_days * 24
        table, zone_of_group = zone_table(zones)
        self.profile = Profile(table, zone_of_group, window_seconds, flat)
        nothing = np.zeros(0, np.int64)
        self.level, self.blends = Level(nothing, nothing, len(zone_of_group)), Blends(len(zone_of_group))
        recent, lasting = lengths_of(window_seconds)
        self.recent, self.lasting = Sums(n, recent), Sums(n, lasting)
        # Windows of exposure missing from (or added to) each sum; made when first needed.
        self.recent_gap: Sums | None = None
        self.lasting_gap: Sums | None = None
        self.short, self.long = Dispersion(n), Dispersion(n)
        self.calibration = Calibration()
        self.stratum = np.zeros(n, np.int8)  # by rate, as of the last pooling
        self.population = np.zeros(STRATA)  # series by stratum
        self.rest = np.full(n, -1, np.int32)  # number of the window up to which a series is kept out of the pools
        self.last: int | None = None
        self.born: int | None = None
        self.unseen = 0  # seconds since then that nobody could see
        self.hour = 0  # in which the scale was 1
        self.long_windows = int(self.lasting.tiers[0].block * self.lasting.tiers[0].reach.max())
        self._join(groups, parents)

    @property
    def groups(self) -> Indices:
        return self.blends.as_given(self.level.groups)

    def copy(self) -> Core:
        other = object.__new__(Core)
        other.__dict__.update(self.__dict__)
        for name in PARTS:
            part = getattr(self, name)
            setattr(other, name, None if part is None else part.copy())
        other.rest = self.rest.copy()
        return other

    def masses(self, starts: Ints, stops: Ints) -> Floats:
        """Integral of each row's density over [start, stop), in windows of mean density: float64[rows, m]."""
        return self.blends.extend(self.profile.masses(starts, stops))

    def doubts(self, start: int) -> Floats:
        """Relative variance of the density at a window, float64[rows]."""
        out = self.blends.extend(self.profile.doubts(start))
        out[len(out) - len(self.blends.doubt) :] += self.blends.doubt
        return out

    def scale(self, start: int) -> float:
        return float(2.0 ** ((start // HOUR_SECONDS - self.hour) / self.half_life_hours))

    def slow_scale(self, start: int) -> float:
        """The same for how much counts vary, which changes slowly and is learnt from rare things."""
        return float(2.0 ** ((start // HOUR_SECONDS - self.hour) / (SLOWER * self.half_life_hours)))

    def age(self, start: int) -> int:
        """Seconds since the first window, those that nobody could see left out."""
        return 0 if self.born is None else start - self.born - self.unseen

    def begin(self, start: int) -> None:
        """The first window of all: nothing before it is known."""
        self.born, self.hour = start, start // HOUR_SECONDS
        for sums in self.all_sums():
            sums.move(start // self.window)

    def all_sums(self) -> list[Sums]:
        return [s for s in (self.recent, self.lasting, self.recent_gap, self.lasting_gap) if s is not None]

    def gap(self, name: str) -> Sums:
        """The gaps of the sums `name`, recent or lasting, standing where these stand."""
        if getattr(self, f"{name}_gap") is None:
            sums = getattr(self, name)
            gap = Sums(len(self.rest), sums.lengths, exact=True)
            gap.move(sums.at)
            setattr(self, f"{name}_gap", gap)
        made: Sums = getattr(self, f"{name}_gap")
        return made

    # -- time -----------------------------------------------------------------------------------------------------

    def advance(self, start: int) -> None:
        """Pass the windows between the last one taken in and `start`, all of them empty."""
        if self.last is None:
            return
        at = self.last + self.window
        while at < start:
            windows = min((start - at) // self.window, self._until_event(at))
            if windows == 0:  # off the grid: less than a window is left
                break
            hours = (at + self.window * np.arange(windows)) // HOUR_SECONDS
            weights = 2.0 ** ((hours - self.hour) / self.half_life_hours)
            slowly = weights ** (1 / SLOWER)
            first = np.flatnonzero(np.r_[True, hours[1:] != hours[:-1]])
            edges = at + self.window * np.r_[first, windows]
            self.level.pass_time(self.masses(edges[:-1], edges[1:]) @ weights[first])
            self.profile.pass_time(at, windows, weights)
            if self.age(at) >= FIRST_WEEK_SECONDS:
                self.calibration.pass_time(self.population * float(slowly.sum()))
            at += windows * self.window
            self.end_window(at - self.window)

    def skip(self, start: int, stop: int) -> None:
        """Pass the windows before `start`, all of them empty; then leave out those that end a longest sum before `stop`."""
        if self.last is None:
            return
        self.advance(start)
        windows = (stop - start) // self.window - self.long_windows
        if windows > 0:
            self.unseen += windows * self.window
            self.last += windows * self.window
            for sums in self.all_sums():
                sums.move(self.last // self.window + 1)
            self.refresh(self.last + self.window)

    def end_window(self, start: int) -> None:
        """A window (or the last of several) has been taken in: pool what is due, make the sums ready for the next."""
        number = start // self.window
        for sums in self.all_sums():
            sums.move(number)
        if (number + 1) % self.long_windows == 0:
            self._end_day(start)
        end = start + self.window
        period = self._period(start)
        if end // period != start // period:
            self.refresh(end)
        for sums in self.all_sums():
            sums.move(number + 1)
        self.last = start

    def _period(self, start: int) -> int:
        """Seconds between two poolings: often while little is known."""
        age = self.age(start)
        return HOUR_SECONDS if age < 2 * DAY_SECONDS else 6 * HOUR_SECONDS if age < 14 * DAY_SECONDS else DAY_SECONDS

    def _until_event(self, at: int) -> int:
        """Windows from `at` up to the next one after which something is pooled, that one included."""
        period = self._period(at)
        due = -(-((at // period + 1) * period - at) // self.window)
        number = at // self.window
        return min(due, self.long_windows - number % self.long_windows)

    def _end_day(self, start: int) -> None:
        """The longest sum covers whole blocks now: learn how much it varies."""
        total = self.lasting.totals[-1]
        index = np.flatnonzero(total)
        index = index[self.rest[index] < start // self.window]
        if not len(index) or self.age(start) < FIRST_DAYS_SECONDS:
            return
        scale = self.scale(start)
        first, stop = np.array([start - (self.long_windows - 1) * self.window]), np.array([start + self.window])
        rate = self.level.rate(scale, index)
        windows = self.masses(first, stop)[self.level.groups[index], 0]
        if self.lasting_gap is not None:
            windows = np.maximum(windows + self.lasting_gap.totals[-1, index], 0.1)
        mean = rate * windows
        slow = self.slow_scale(start)
        theta, _ = self.dispersion(self.long, index, rate, slow)
        variance = mean * (1 + theta)
        counts = np.minimum(total[index], mean + 4 * np.sqrt(variance) + 4 * (1 + theta))
        relative = (1 + theta) / self.level.shape(scale, index)
        doubt = self.doubts(start)[self.level.groups[index]]
        self.long.learn(index, counts, mean, theta, relative, doubt, slow)

    def dispersion(self, which: Dispersion, index: Ints, rate: Floats, scale: float) -> tuple[Floats, Floats]:
        """Theta and its standard deviation of these series at the base window or the longest sum."""
        windows = PEAKED if which is self.short else float(self.long_windows)
        return which.posterior(index, rate * windows, self.stratum[index], scale)

    def refresh(self, at: int) -> None:
        """Pool anew what series share: profiles, what is lent, dispersion, calibration."""
        scale, slow, level = self.scale(at), self.slow_scale(at), self.level
        groups = len(self.profile.zone)
        excess = np.bincount(level.groups, self.long.excess, groups)[:groups] / slow
        total = np.bincount(level.groups, self.long.basis, groups)[:groups] / slow
        self.profile.refresh(1 + np.clip((excess + BURST_COUNTS) / (total + BURST_COUNTS), 0.0, 50.0))
        self.blends.refresh(level.seen / scale, level.groups, level.parents)
        own, whole = self.profile.value(at)
        level.revalue(np.concatenate([own, self.blends.extend(whole)[len(own) :]]))
        level.borrow(scale, self.window)
        rate = level.rate(scale)
        strata = stratum_of(rate, self.window)
        self.stratum = strata.astype(np.int8)
        self.population = np.bincount(strata, minlength=STRATA).astype(np.float64)
        self.short.refresh(rate * PEAKED, strata, slow)
        self.long.refresh(rate * self.long_windows, strata, slow)
        self.calibration.refresh(slow)
        if scale > LARGEST_SCALE:
            for part in (level, self.profile):
                part.rescale(1 / scale)
            for slow_part in (self.short, self.long, self.calibration):
                slow_part.rescale(1 / slow)
            self.hour = at // HOUR_SECONDS

    # -- series come and go, state --------------------------------------------------------------------------------

    def grow(self, groups: Ints, parents: Ints, zones: Sequence[str]) -> None:
        n, old = len(groups), len(self.rest)
        if len(zones) > len(self.profile.zone):
            self.profile.grow(*zone_table(zones))
        scale = 1.0 if self.last is None else self.scale(self.last + self.window)
        self._join(groups, parents)
        for sums in self.all_sums():
            sums.grow(n)
        self.short.grow(n)
        self.long.grow(n)
        self.rest = np.concatenate([self.rest, np.full(n - old, -1, np.int32)])
        new = np.arange(old, n)
        self.stratum = np.concatenate(
            [self.stratum, stratum_of(self.level.rate(scale, new), self.window).astype(np.int8)]
        )

    def _join(self, groups: Ints, parents: Ints) -> None:
        """Give the new series their rows, new rows their time."""
        rows, source = self.blends.grow(self.level.groups, groups, parents, len(self.profile.zone))
        known = self.blends.extend(np.append(self.level.known, 0.0)[source[: len(self.profile.zone)]])
        old = np.flatnonzero(source >= 0)
        known[old] = self.level.known[source[old]]
        self.level.grow(rows, parents, source, known)

    def keep(self, index: Ints) -> None:
        for part in (self.short, self.long):
            part.keep(index)
        for sums in self.all_sums():
            sums.keep(index)
        number = np.full(len(self.rest) + 1, -1, np.int64)
        number[index] = np.arange(len(index))
        n_groups = len(self.profile.zone)
        self.level.keep(index, number)
        stays = self.blends.keep(number)
        self.level.known = self.level.known[np.concatenate([np.arange(n_groups), n_groups + stays])]
        self.level.groups[self.blends.series] = n_groups + np.arange(len(stays))
        self.rest, self.stratum = self.rest[index], self.stratum[index]

    def state(self) -> Arrays:
        out: Arrays = {"rest": self.rest, "stratum": self.stratum, "population": self.population}
        for name in PARTS:
            part = getattr(self, name)
            out |= {} if part is None else {f"{name}.{key}": array for key, array in part.state().items()}
        return out

    def load(self, arrays: Arrays) -> None:
        self.rest, self.stratum, self.population = (arrays[name] for name in ("rest", "stratum", "population"))
        for name in ("recent", "lasting"):
            if f"{name}_gap.totals" in arrays:
                setattr(self, f"{name}_gap", Sums(0, getattr(self, name).lengths, exact=True))
        for name in PARTS:
            mine = {key.removeprefix(name + "."): a for key, a in arrays.items() if key.startswith(name + ".")}
            if mine:
                getattr(self, name).load(mine)


def zone_table(zones: Sequence[str]) -> tuple[Zones, Ints]:
    """Distinct zones, and the number of each group's."""
    distinct = sorted(set(zones))
    return Zones(distinct), np.array([distinct.index(z) for z in zones], np.int64)
