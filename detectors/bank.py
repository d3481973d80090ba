"""The default bank: discounted gamma-Poisson level x local hour-of-week profile, negative binomial tails of several sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors import inputs
from detectors.base import Bools, Floats, Indices, Ints, Scores
from detectors.core import FIRST_DAYS_SECONDS, FIRST_WEEK_SECONDS, Core
from detectors.judgement import LEAST_DOUBT, Judgement, judge
from detectors.shadows import Shadows
from detectors.state import pack, unpack

HOUR_SECONDS = 3600
FEWEST_WINDOWS = 8
SURPRISING = 1e-4


class _Asked(NamedTuple):
    """The last judgement, kept for the learning that usually follows, and the state moved up to its window."""

    start: int
    counts: Ints
    exposure: Floats | None
    core: Core
    judgement: Judgement


class Bank:
    """`groups` share a profile; `zones` names each group's IANA zone (UTC where none are given); `parents` lend a level.

    `season`: "weekly", or "none" for a flat profile. `half_life_days`: after it a complaint counts half in the level.
    `learning_hours`: for so long after the first window, and for 8 windows, every p-value is 1.
    """

    KIND = "default/4"

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        groups: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
        parents: npt.ArrayLike | None = None,
        season: str = "weekly",
        half_life_days: float = 28.0,
        learning_hours: float = 6.0,
    ) -> None:
        if season not in ("weekly", "none"):
            raise ValueError(f"season: 'weekly' or 'none' wanted, not {season!r}")
        if not half_life_days > 0 or not learning_hours >= 0:
            raise ValueError("half_life_days, learning_hours: positive numbers wanted")
        self.window = inputs.window_of(window_seconds)
        self.zones = None if zones is None else tuple(zones)
        self.options: dict[str, Any] = {
            "season": season,
            "half_life_days": half_life_days,
            "learning_hours": learning_hours,
        }
        of = inputs.groups_of(groups, n_series, None if zones is None else len(zones))
        lent = inputs.parents_of(parents, n_series, n_series)
        self.learning_seconds = max(learning_hours * HOUR_SECONDS, FEWEST_WINDOWS * self.window)
        self.core = self._new_core(of, lent, self._zone_names(of))
        self.shadows = Shadows()
        self._asked: _Asked | None = None

    def _new_core(self, groups: Ints, parents: Ints, zones: Sequence[str]) -> Core:
        flat, half_life = self.options["season"] == "none", float(self.options["half_life_days"])
        return Core(groups, parents, zones, window_seconds=self.window, flat=flat, half_life_days=half_life)

    def _zone_names(self, groups: Ints) -> tuple[str, ...]:
        return self.zones or ("UTC",) * (int(groups.max(initial=0)) + 1)

    @property
    def n_series(self) -> int:
        return len(self.core.rest)

    @property
    def relearnt(self) -> Ints:
        """Held series that the last window learnt has given a new level, at which they have been steady for days."""
        return self.shadows.relearnt

    # -- windows --------------------------------------------------------------------------------------------------

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        begin = inputs.start_of(start, self.core.last, self.window)
        given = inputs.counts_of(counts, self.n_series).copy()
        asked = self._ask(begin, given, inputs.exposure_of(exposure, self.n_series))
        return Scores(*(a.copy() for a in asked.judgement.scores))

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        begin = inputs.start_of(start, self.core.last, self.window)
        given, held = inputs.counts_of(counts, self.n_series), inputs.hold_of(hold, self.n_series)
        asked = self._ask(begin, given, inputs.exposure_of(exposure, self.n_series))
        self.core, self._asked = asked.core, None
        if self.core.born is None:
            self.core.begin(begin)
        self._take_in(asked, held)
        self.shadows.follow(self.core, begin, given, (asked.judgement.now, asked.exposure), held)
        self.core.end_window(begin)

    def _ask(self, start: int, counts: Ints, exposure: Floats | None) -> _Asked:
        last = self._asked
        same_window = last is not None and last.start == start
        if last is not None and same_window and np.array_equal(last.counts, counts) and _same(last.exposure, exposure):
            return last
        core = last.core if last is not None and same_window else self.core
        if core.last is not None and start > core.last + self.window:
            core = core.copy()
            core.advance(start)
        learning = core.age(start) < self.learning_seconds
        self._asked = _Asked(start, counts, exposure, core, judge(core, start, counts, exposure, learning=learning))
        return self._asked

    def _take_in(self, asked: _Asked, held: Bools | None) -> None:
        core, counts, exposure = asked.core, asked.counts, asked.exposure
        scale, level = core.scale(asked.start), core.level
        if exposure is not None and not exposure.any():
            core.unseen += self.window
        number = asked.start // self.window
        masses = asked.judgement.now
        frozen = np.zeros(self.n_series, np.bool_) if held is None else held.copy()
        if exposure is not None:
            frozen |= exposure == 0
        stopped = np.flatnonzero(frozen)
        moved = np.flatnonzero(counts)
        self._sum(asked, number, moved, masses, frozen)
        learnt = moved[~frozen[moved]]
        fed = self._feed(asked, learnt, scale)
        # A held series stands in its group's profile with what was expected of it, so that its storm leaves no dent.
        groups = np.concatenate([level.groups[learnt], level.groups[stopped]])
        shares = np.concatenate([fed, asked.judgement.rate[stopped] * masses.take(level.groups[stopped])])
        core.profile.learn(asked.start, *_by_group(groups, shares, len(core.profile.zone)), scale)
        level.pass_time(masses * scale)
        if exposure is not None:
            other = np.flatnonzero((exposure != 1) & ~frozen)
            level.adjust(other, (exposure[other] - 1) * masses[level.groups[other]] * scale)
        level.adjust(stopped, -masses[level.groups[stopped]] * scale)
        core.rest[stopped] = number + core.long_windows
        self._watch(asked, number, core.slow_scale(asked.start), frozen)

    def _feed(self, asked: _Asked, index: Ints, scale: float) -> Floats:
        """Teach level and dispersion these series' counts, capped; returns what was fed, at exposure 1."""
        core, scores = asked.core, asked.judgement.scores
        counts = asked.counts[index].astype(np.float64)
        mean, p = scores.expected[index], scores.p_value[index]
        rate = asked.judgement.rate[index]
        slow = core.slow_scale(asked.start)
        theta, _ = core.dispersion(core.short, index, rate, slow)
        relative = (1 + theta) / core.level.shape(scale, index)
        doubt = core.doubts(asked.start).take(core.level.groups[index])
        sd = np.sqrt(mean * (1 + theta) + mean * mean * (relative + doubt + LEAST_DOUBT))
        fed = np.minimum(counts, mean + np.where(p < SURPRISING, 2 * sd + 1, 3 * sd + 2 * (1 + theta)))
        wide = np.where(p < SURPRISING, fed, np.minimum(counts, mean + 4 * sd + 4 * (1 + theta)))
        open_ended = core.age(asked.start) < FIRST_DAYS_SECONDS
        fed = counts if open_ended else fed
        core.level.learn(index, fed, scale)
        if not open_ended:
            awake = core.rest[index] < asked.start // self.window
            core.short.learn(index[awake], wide[awake], mean[awake], theta[awake], relative[awake], doubt[awake], slow)
        return fed if asked.exposure is None else fed / asked.exposure[index]

    def _sum(self, asked: _Asked, number: int, moved: Ints, masses: Floats, frozen: Bools) -> None:
        """Add the window to the sums. What already surprised stays out of the lasting ones: they look for what is slow,
        and a storm that is over must not be found again in them."""
        core, counts, exposure = asked.core, asked.counts, asked.exposure
        core.recent.add(number, moved, counts[moved])
        known = frozen | (asked.judgement.scores.p_value < SURPRISING)
        slow = moved[~known[moved]]
        core.lasting.add(number, slow, counts[slow])
        gaps = known
        if exposure is not None:
            other = np.flatnonzero(exposure != 1)
            core.gap("recent").add(number, other, (exposure[other] - 1) * masses[core.level.groups[other]])
            gaps = known | (exposure != 1)
        index = np.flatnonzero(gaps)
        if len(index):
            more = np.full(len(index), -1.0) if exposure is None else np.where(known[index], -1.0, exposure[index] - 1)
            core.gap("lasting").add(number, index, more * masses[core.level.groups[index]])

    def _watch(self, asked: _Asked, number: int, scale: float, frozen: Bools) -> None:
        """Let the calibration see this window's raw p-values; series in an incident say nothing about chance."""
        core, judgement = asked.core, asked.judgement
        if core.age(asked.start) < FIRST_WEEK_SECONDS:
            return
        core.calibration.pass_time(core.population * scale)
        calm = ~frozen[judgement.moved] & (core.rest[judgement.moved] < number)
        core.calibration.learn(judgement.raw[calm], judgement.strata[calm], scale)

    def settle(self, start: float, series: npt.ArrayLike) -> None:
        """Between `score` and `learn` of a window: held series of an incident that is the usual now get their new level."""
        chosen = inputs.hold_of(series, self.n_series)
        core = self._asked.core if self._asked is not None and self._asked.start == start else self.core
        if chosen is not None:
            self.shadows.settle(core, int(start), np.flatnonzero(chosen))

    def skip(self, start: float, stop: float) -> None:
        """Let the windows of [start, stop) pass that nobody could see. All but the last day of them cost nothing."""
        self._asked = None
        self.core.skip(inputs.start_of(start, self.core.last, self.window), int(stop))
        nothing = np.zeros(self.n_series)
        if self.core.last is not None:
            self.shadows.until = self.core.last + self.window  # what nobody saw is no time without complaints
            for at in range(self.core.last + self.window, int(stop), self.window):
                self.learn(at, nothing.astype(np.int64), exposure=nothing)

    # -- series come and go, state --------------------------------------------------------------------------------

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        old, core = self.n_series, self.core
        if n_series < old:
            raise ValueError(f"n_series: {n_series} is fewer than the {old} there are")
        if zones is not None:
            if self.zones is not None and tuple(zones[: len(self.zones)]) != self.zones:
                raise ValueError("zones: a group that exists cannot change its zone")
            self.zones = tuple(zones)
        n_zones = None if self.zones is None else len(self.zones)
        of = inputs.groups_of(_whole(groups, core.groups, n_series, 0), n_series, n_zones)
        if (of[:old] != core.groups).any():
            raise ValueError("groups: a series that exists cannot change its group")
        lent = inputs.parents_of(_whole(parents, core.level.parents, n_series, -1), n_series, n_series)
        names = self.zones or ("UTC",) * max(len(core.profile.zone), int(of.max(initial=0)) + 1)
        self._asked = None
        self.core.grow(of, lent, names)

    def keep(self, index: npt.ArrayLike) -> None:
        self._asked = None
        kept = inputs.index_of(index, self.n_series)
        number = np.full(self.n_series, -1)
        number[kept] = np.arange(len(kept))
        self.shadows.keep(number)
        self.core.keep(kept)

    def snapshot(self) -> bytes:
        core = self.core
        zones = [core.profile.zones.names[z] for z in core.profile.zone.tolist()]
        meta = {"window_seconds": self.window, "options": self.options, "zones": zones, "given": self.zones is not None}
        clock = {"last": core.last, "born": core.born, "hour": core.hour, "unseen": core.unseen}
        beside = {f"shadows.{name}": array for name, array in self.shadows.state().items()}
        return pack(self.KIND, meta | {"clock": clock}, core.state() | beside)

    def restore(self, state: bytes) -> None:
        meta, arrays = unpack(self.KIND, state)
        mine = {"window_seconds": self.window, "options": self.options}
        for name, value in mine.items():
            if meta[name] != value:
                raise ValueError(f"state: {name} is {meta[name]}, this bank's is {value}")
        nothing = np.zeros(0, np.int64)
        core = self._new_core(nothing, nothing, meta["zones"])
        core.load(arrays)
        core.last, core.born, core.hour, core.unseen = (meta["clock"][k] for k in ("last", "born", "hour", "unseen"))
        self.zones = tuple(meta["zones"]) if meta["given"] else None
        self.core, self.shadows, self._asked = core, Shadows(), None
        mark = "shadows."
        self.shadows.load({key.removeprefix(mark): a for key, a in arrays.items() if key.startswith(mark)})


def _same(a: Floats | None, b: Floats | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _whole(given: npt.ArrayLike | None, known: Indices, n_series: int, missing: int) -> npt.ArrayLike:
    """What is given for all series, or what is known of the old ones with what is given for the new."""
    new = np.full(n_series - len(known), missing) if given is None else np.asarray(given)
    return new if len(new) == n_series else np.concatenate([known, new])


def _by_group(groups: Ints, counts: Floats, n_groups: int) -> tuple[Ints, Floats]:
    """What each group's series learnt; blended ones, that stand in rows beyond, teach no profile."""
    return np.arange(n_groups), np.bincount(groups, counts, n_groups)[:n_groups].astype(np.float64)
