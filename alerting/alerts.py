"""ALERT: closes and controls in, incident revisions out. State of the one owner, a function of what it was given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from alerting import controls as acts
from alerting import late as latecomers
from alerting.alerts_state import packed, unpack
from alerting.case import LATE, Case, identity, incident, similar_to
from alerting.evidence import collect
from alerting.figures import bring_up_to_date, held_series, series_of
from alerting.gates import Bar
from alerting.joining import Scene, absorb, belongs, closeness, new_case, shown, united
from alerting.lifecycle import NEW_NORMAL, advance
from alerting.memory import Memory
from alerting.model import MAX_CHANNELS, Close, Control, Incident, KeywordTree, PlaceTree
from alerting.places_and_keywords import Atlas
from alerting.policy import Policy
from alerting.tracks import STRIDE, Tracks
from alerting.unnamed import Unnamed
from alerting.unusual import unusual
from alerting.why_not import WhyNot, why_not
from detectors.scan import Found, Series
from detectors.tail_cut import WEEK_SECONDS, TailCut

FIRST_GUESS_RUNS_PER_WEEK = 200.0  # quiet runs under LEVEL, before any were seen
MOST_CASES = 300  # with more, only what is under the cut opens another
ARCHIVE = 500  # ended cases that can still be judged by people
FORGET_CHANNELS = 0.9999  # kept of the channels' shares at each close


class Alerts:
    """`channels`: names by channel number, at most 8."""

    def __init__(self, policy: Policy, places: PlaceTree, keywords: KeywordTree, channels: tuple[str, ...]) -> None:
        self.policy = policy
        self.atlas = Atlas(places, keywords)
        self.channels = channels
        self.tracks = Tracks(policy)
        self.memory = Memory(policy)
        self.tail = TailCut(policy.budget_per_week, FIRST_GUESS_RUNS_PER_WEEK, policy.most_runs_per_week)
        self.cases: list[Case] = []
        self.unnamed = Unnamed(policy)
        self.archive: list[Case] = []
        self.standing = acts.Standing()
        self.opened: list[tuple[float, str]] = []  # when, id: suspected within the last seven days
        self.channel_people = np.ones(MAX_CHANNELS)
        self.last_end: float | None = None
        self.cut: float | None = None  # the p-value at which the newest close let an incident be suspected
        self._held: frozenset[tuple[int, int]] = frozenset()
        self.settled: frozenset[tuple[int, int]] = frozenset()  # of incidents this close found to be the usual now

    # -- what others ask -------------------------------------------------------------------------------------------

    @property
    def held(self) -> frozenset[tuple[int, int]]:
        """(place, keyword) of the series inside open incidents: not learnt, and part of every close."""
        return self._held

    @property
    def open(self) -> tuple[Incident, ...]:
        """Open incidents, as last told."""
        cases = (*self.cases, *self.unnamed.cases)
        return tuple(case.latest for case in cases if case.open and case.latest is not None)

    @property
    def busy(self) -> bool:
        """Whether anything goes on, so that silent windows must be closed too."""
        return bool(self._held) or self.unnamed.open

    @property
    def spent(self) -> int:
        """Incidents suspected within the last seven days that nobody called real or a known event."""
        answered = {
            case.id
            for case in self._known()
            if (act := case.act("feedback")) is not None and act.value in ("real", "known_event")
        }
        return sum(1 for _, id in self.opened if id not in answered)

    def exposure(self, start: float) -> list[tuple[int, int, float]]:
        """Planned events in the window at `start`: (place, keyword or 0 for all, factor on what is expected)."""
        return acts.exposure(self.standing, start, self.atlas)

    def why_not(self, place: int, keyword: int, at: float) -> WhyNot:
        """Why no incident was opened there at that time, within the last 24 h."""
        cases = [case for case in (*self.cases, *self.archive) if not case.unnamed]
        return why_not(place, keyword, at, memory=self.memory, cases=cases, atlas=self.atlas, policy=self.policy)

    def fresh(self) -> Alerts:
        """One that knows the cut and the channels' shares as this one does, and no case."""
        made = Alerts(self.policy, self.atlas.places, self.atlas.keywords, self.channels)
        made.tail.load(self.tail.state())
        made.channel_people, made.last_end = self.channel_people.copy(), self.last_end
        return made

    def hear(self, keywords: KeywordTree) -> None:
        """Go on with another tree, in which every keyword known so far has the number it had."""
        self.atlas = Atlas(self.atlas.places, keywords)

    # -- a close ---------------------------------------------------------------------------------------------------

    def step(self, close: Close, controls: Sequence[Control]) -> list[Incident]:
        """Take a close and the controls that are due; new revisions, ordered by id and revision."""
        self.settled = frozenset()
        out = self._take_controls(controls, close.decided)
        self._pass_time(close)
        out += self._correct(close.decided)
        self.tracks.update(close, self._pinned())
        self.cut = cut = self.tail.cut
        self.memory.take(close, cut)
        series, found = unusual(self.tracks, self.memory, self.tail.level, self.atlas, self.policy)
        touched = self._join(found, series, close)
        if touched:
            out += self._unite(close, touched)
        if self.cases:
            out += self._advance(close, touched)
        for case, reason, newly in self.unnamed.step(close, self.cases, self.atlas, self.memory.evidence):
            out.append(self._tell(case, close, reason, newly=newly))
        for case in self.unnamed.over(close.decided):
            self._archive(case)
        return sorted(out, key=lambda one: (one.id, one.revision))

    def late(self, rows: Sequence[latecomers.LateRows], now: float) -> list[Incident]:
        """Take what came after its windows had closed; revisions of the incidents it corrects, ordered by id."""
        for case in self._known():
            latecomers.take(case, rows, self.policy, self.atlas)
        return self._correct(now)

    def _correct(self, now: float) -> list[Incident]:
        """Tell what late data has changed: quietly, for it decides nothing."""
        due = sorted(
            (case for case in self._known() if latecomers.due(case, now, self.policy)), key=lambda case: case.id
        )
        out = [self._revision(case, now, LATE) for case in due]
        for case in due:
            case.late_untold, case.late_told_at = None, now
        return out

    def _take_controls(self, controls: Sequence[Control], now: float) -> list[Incident]:
        out: list[Incident] = []
        for control in controls:
            changed = acts.apply(control, self.standing, self._known(), self.atlas)
            out.extend(self._revision(case, now, acts.reason(control, case, now)) for case in changed)
        return out

    def _known(self) -> tuple[Case, ...]:
        """All that people can still judge."""
        return (*self.archive, *self.cases, *self.unnamed.cases)

    def _pass_time(self, close: Close) -> None:
        end = float(close.start + close.seconds)
        self.tail.pass_time(close.seconds if self.last_end is None else max(0.0, end - self.last_end))
        self.last_end = end
        self.standing.expire(close.decided)
        self.opened = [(at, id) for at, id in self.opened if at > close.decided - WEEK_SECONDS]
        roots = close.keyword == 0
        places = self.atlas.places
        roots &= (close.place == places.everywhere) | (close.place == places.nowhere)
        self.channel_people = np.maximum(self.channel_people * FORGET_CHANNELS, 1e-3) + close.channels[roots].sum(
            axis=0
        )

    def _pinned(self) -> npt.NDArray[np.int64]:
        """Series of what was told: their counts go on until it is over. A run whose excess is over begins anew."""
        pinned: list[int] = []
        for case in self.cases:
            if case.told:
                pinned += (*case.measured, *case.tight, case.place * STRIDE, case.place * STRIDE + case.main)
        return np.array(pinned, np.int64)

    def _join(self, found: list[Found], series: Series, close: Close) -> list[Case]:
        """Hand each disruption to the case it belongs to, or open one."""
        touched: list[Case] = []
        scene = Scene(series, self.tracks, self.atlas, self.policy, self.cases)
        for each in found:
            one = shown(each, scene)
            homes = [case for case in self.cases if belongs(case, one, scene)]
            home = (
                min(homes, key=partial(closeness, one=one, scene=scene)) if len(homes) > 1 else next(iter(homes), None)
            )
            if home is None:
                if len(self.cases) > MOST_CASES and float(series.p_value[each.tight].min()) > self.tail.cut:
                    continue
                home = new_case(one, scene, float(close.start + close.seconds))
                home.drill = close.drill
                self.cases.append(home)
                for _, earlier in list(self.memory.evidence)[:-1] if close.evidence else self.memory.evidence:
                    collect([home], earlier, self.atlas)
            else:
                absorb(home, one, scene)
            if not any(case is home for case in touched):
                touched.append(home)
        return touched

    def _unite(self, close: Close, touched: list[Case]) -> list[Incident]:
        """Cases that turned out to be one become one; those told before are told to be over."""
        out: list[Incident] = []
        for gone, kept in united(self.cases, self.tracks, self.atlas, self.policy.coincide):
            self.cases = [case for case in self.cases if case is not gone]
            if any(case is gone for case in touched):
                touched[:] = [case for case in touched if case is not gone and case is not kept] + [kept]
            if gone.told:
                gone.state, gone.resolved_at, gone.merged_into = "resolved", close.decided, kept.id
                out.append(self._revision(gone, close.decided, "merged"))
                self._archive(gone)
        return out

    def _advance(self, close: Close, touched: list[Case]) -> list[Incident]:
        bar = self._bar(close)
        bring_up_to_date(self.cases, touched, self.tracks, close, self.atlas)
        collect(self.cases, close.evidence, self.atlas)
        out: list[Incident] = []
        settled: list[Case] = []
        for case in sorted(self.cases, key=lambda case: (case.onset, case.place, case.id)):
            known = case.suspected_at
            own = bar._replace(learning=True) if case.main in close.young else bar
            reason = advance(case, close, self.policy, own, self.atlas)
            if reason is not None:
                out.append(self._tell(case, close, reason, newly=known is None and case.suspected_at is not None))
                settled += [case] if reason == NEW_NORMAL else []
        self.settled = series_of(settled)
        self._end(close)
        return out

    def _bar(self, close: Close) -> Bar:
        shares = self.channel_people / self.channel_people.sum()
        signal = self.tail.under(self.policy.signals_per_budget * self.policy.budget_per_week)
        return Bar(self.tail.cut, signal, self.tail.level, tuple(shares.tolist()), self.channels, close.learning)

    def _tell(self, case: Case, close: Close, reason: str, *, newly: bool) -> Incident:
        if not case.told:
            case.id = identity(case, self.atlas, {other.id for other in self._known()})
        for _, control in sorted(self.standing.silences.items()):
            acts.silence(case, control, self.atlas)
        if newly:
            self.opened.append((close.decided, case.id))
        case.told_people, case.told_place, case.told_at = case.people, case.place, close.decided
        case.told_parts = sorted(case.parts)
        return self._revision(case, close.decided, reason)

    def _revision(self, case: Case, now: float, reason: str) -> Incident:
        """The next revision; what was suspected also says how far the budget is used, and what was like it."""
        if case.suspected_at is not None:
            case.unanswered, case.budget_per_week = self.spent, self.policy.budget_per_week
            case.similar = similar_to(case, self._known(), self.atlas)
        return incident(case, self.atlas, self.channels, now, reason)

    def _end(self, close: Close) -> None:
        """Let go of runs that are quiet again and incidents too old to reopen; quiet runs teach the cut."""
        kept: list[Case] = []
        gone: list[int] = []
        for case in self.cases:
            quiet = close.start + close.seconds - case.last_unusual
            over = quiet > self.policy.gap if case.state == "run" else False
            if (over or case.state == "resolved") and not case.learnt:
                case.learnt = True
                if case.suspected_at is None and not case.marks and case.people >= self.policy.signal_people:
                    self.tail.observe([case.p_lowest])
            if case.state == "resolved" and case.resolved_at is not None:
                over = case.tier == "signal" or close.decided - case.resolved_at > self.policy.reopen
            if not over:
                kept.append(case)
                continue
            gone += (*case.measured, *case.tight)
            if case.told:
                self._archive(case)
        self.tracks.forget(gone)
        self.cases = kept
        self._hold()

    def _hold(self) -> None:
        self._held = held_series(self.cases, self.last_end or 0.0, self.policy.learn_again_seconds)

    def _archive(self, case: Case) -> None:
        case.pulses, case.seconds = [], []
        self.archive = [*self.archive[-ARCHIVE + 1 :], case]

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole state, versioned."""
        return packed(self)

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot. Raises ValueError when it is of another version."""
        unpack(state, self)
        self._hold()
