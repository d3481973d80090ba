"""DETECT and ALERT: the one owner that sees every place, keyword and channel. Parts in, closed windows and incident revisions out.

A close: merge the partitions' rows, roll places up, score, let ALERT open and end incidents, then learn (held where an incident is open).
Windows in which nothing moved and nothing is open are passed over: to a detector a window it never saw was one of zeros.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import detectors
from alerting.alerts import Alerts
from alerting.late import LateRows
from alerting.model import MAX_CHANNELS, Blind, Close, Control, Evidence, Incident, KeywordTree
from detectors.base import Detector, Relearning, Scores
from detectors.emerging import Emerging
from streams.blind import Sources
from streams.closed import Cells, Closed, Passed, Revision, nothing
from streams.part import Part, Rows
from streams.partitions import Partitions
from streams.places import Places
from streams.planned import planned
from streams.rollup import Table, by_window, of_drill, roll_up
from streams.series import SeriesIndex
from streams.word_places import rising_at, watched

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NEVER = float("-inf")
LEARNING_SECONDS = 3 * 86400.0  # before this much history nothing is more than a signal
DRILL_SECONDS = 3600  # without a record of it, and with none of its incidents open, a drill is over
LEAST_EXPOSURE = 0.5  # with less of what is usually heard a window is taken as not seen
SHOWN_P = 0.05  # a series that did not move is still told when its sums are this unusual


class DetectConfig(NamedTuple):
    """What DETECT needs besides the parts."""

    places: Places
    window_seconds: int
    lateness_seconds: float
    partitions: tuple[int, ...]
    detector: str
    config: str


class Detect:
    """State of the one owner."""

    def __init__(self, config: DetectConfig, alerts: Alerts) -> None:
        self.config = config
        self.alerts = alerts
        self.watching = True  # False: learn only, for days known to be ordinary
        self.index = SeriesIndex(config.places)
        self.bank: Detector | None = None
        self.bank_size = 0
        self.partitions = Partitions(config.partitions)
        self.sources = Sources()
        self.closed_until = NEVER
        self.controls: list[Control] = []
        self.emerging = Emerging(config.window_seconds, watched(config.places), config.places.everywhere)
        self.drill: Detect | None = None  # judges the drill that goes on
        self.drilled: int | None = None  # of such a one: start of the last window with records of the drill
        self.young: dict[int, float] = {}  # keywords the pack came to hold later, and until when they are learnt
        self.watched = 0.0  # seconds that were seen, not blind; infinity where baselines were learnt beforehand

    def process(self, part: Part) -> Passed:
        """Take a part; close every window that all partitions have passed. Raises GapInPartsError."""
        return self._advance() if self.partitions.take(part, self.closed_until) else Passed([], [], [])

    def control(self, control: Control) -> None:
        """Take a person's act, which counts at the first close after it, or a partition set, which counts at once."""
        if control.kind == "partitions":
            self.partitions.widen(int(control.value or 0), self.closed_until)
        else:
            self.controls.append(control)

    def hear(self, keywords: KeywordTree, changed: Collection[int]) -> None:
        """Go on with another pack's tree, in which known keywords keep their numbers; `changed` ones are learnt like new ones."""
        self.alerts.hear(keywords)
        if self.closed_until != NEVER:
            self.young.update(dict.fromkeys(sorted(changed), self.closed_until + LEARNING_SECONDS))

    # -- closing -------------------------------------------------------------------------------------------------

    def _advance(self) -> Passed:
        passed = Passed([], [], [])
        for step in self.partitions.due():
            self.sources.take(self.partitions.sources(step))
            self._close_until(int(step // self.config.window_seconds) * self.config.window_seconds, passed.closed)
            late, corrected = self._late(step)
            passed.late.extend(late)
            passed.corrected.extend(corrected)
        return passed

    def _close_until(self, until: int, closed: list[Closed]) -> None:
        """Close every window that ends at `until` or before."""
        while (start := self._next(until)) is not None:
            closed.append(self._close(start))
            self.closed_until = float(start + self.config.window_seconds)
        if until > self.closed_until:
            self._pass_over(until)
            self.sources.advance(until)
            self.emerging.pass_time(until)
            self.closed_until = float(until)

    def _next(self, until: int) -> int | None:
        """The next window to close: one with rows, or the very next one while an incident is open or a control waits."""
        start = self.partitions.first_window()
        if self.closed_until != NEVER and (self.alerts.busy or self.controls or self.drill):
            start = int(self.closed_until) if start is None else min(start, int(self.closed_until))
        return None if start is None or start + self.config.window_seconds > until else start

    def _close(self, start: int) -> Closed:
        self._pass_over(start)
        self.sources.advance(start + self.config.window_seconds)
        self.watched += self.config.window_seconds
        rows, evidence = self.partitions.merge(start)
        words = self.partitions.words(start)
        if words.texts:
            self.emerging.take(start, words.texts, words.terms)
        else:
            self.emerging.pass_time(start)
        due = self._due(start + self.config.window_seconds + self.config.lateness_seconds)
        real, drilled = of_drill(rows, False), of_drill(rows, True)
        if len(drilled.window) and self.watching and self.drill is None:
            self.drill = self._copy(start)
        asked = len(real.window) or self.alerts.busy or due or self.emerging.found  # else for the drill alone
        closed = (
            self._judge(start, real, evidence, due) if asked else Closed(nothing(start, self.config.window_seconds), [])
        )
        if self.drill is not None:
            closed.incidents.extend(self._rehearse(self.drill, start, drilled, due))
        return closed

    def _rehearse(self, drill: Detect, start: int, rows: Rows, due: Sequence[Control]) -> list[Incident]:
        """A drill is judged beside what is real, by a copy of what was known when it began; the copy goes when the drill is over."""
        drill.drilled = start if len(rows.window) else drill.drilled or start
        told = drill._judge(start, rows, {}, due).incidents
        drill.closed_until = float(start + self.config.window_seconds)
        if not drill.alerts.open and start - drill.drilled >= DRILL_SECONDS:
            self.drill = None
        return told

    def _copy(self, start: int) -> Detect:
        """Another one that knows what is usual, and nothing of what goes on."""
        made = Detect(self.config, self.alerts.fresh())
        made.index.restore(self.index.keys)
        made.restore_bank(None if self.bank is None else self.bank.snapshot(), self.bank_size)
        made.sources, made.closed_until = self.sources, self.closed_until
        made.watched, made.drilled = float("inf"), start
        return made

    def _judge(
        self, start: int, rows: Rows, evidence: Mapping[tuple[int, int], Evidence], due: Sequence[Control]
    ) -> Closed:
        moved = roll_up(rows, self.config.places.lineage)
        found = self.index.find_or_add(moved.place, moved.keyword)
        bank = self._bank()
        counts = np.zeros(len(self.index), np.int64)
        counts[found] = moved.voices
        blind = self.sources.blind(start + self.config.window_seconds)
        exposure = self._exposure(start, counts, blind)
        scores = bank.score(start, counts, exposure)
        held = self.index.mask(self.alerts.held)
        close = self._table(start, counts, found, moved, scores, held, evidence, blind)
        incidents = self.alerts.step(close, due) if self.watching else []
        if self.alerts.settled and isinstance(bank, Relearning):
            bank.settle(start, self.index.mask(self.alerts.settled))
        held = self.index.mask(self.alerts.held) if self.drilled is None else np.ones(len(self.index), bool)
        bank.learn(start, counts, held, exposure)
        told = close.voices, close.messages, close.expected, close.upper, close.p_value
        held = held[self.index.find(close.place, close.keyword)]
        judged = self.alerts.cut, close.learning
        return Closed(Cells(start, close.seconds, close.place, close.keyword, *told, held, *judged), incidents)

    def _table(
        self,
        start: int,
        counts: Ints,
        found: Ints,
        rows: Table,
        scores: Scores,
        held: npt.NDArray[np.bool_],
        evidence: Mapping[tuple[int, int], Evidence],
        blind: tuple[Blind, ...],
    ) -> Close:
        """What ALERT sees: series that moved, that stand in an incident, or whose sums are unusual."""
        chosen = (scores.p_value <= SHOWN_P) | held
        chosen[found] = True
        series = np.flatnonzero(chosen)
        series = series[np.argsort(self.index.keys[series], kind="stable")]
        at = np.full(len(counts), -1)
        at[found] = np.arange(len(found))
        row = at[series]
        moved = row >= 0
        some_messages = np.zeros(len(series), np.int64)
        some_channels = np.zeros((len(series), MAX_CHANNELS), np.int64)
        some_messages[moved] = rows.messages[row[moved]]
        some_channels[moved] = rows.channels[row[moved]]
        seconds = self.config.window_seconds
        relearnt = self.bank.relearnt if isinstance(self.bank, Relearning) else np.zeros(0, np.int64)
        pairs = zip(self.index.place(relearnt).tolist(), self.index.keyword(relearnt).tolist(), strict=True)
        return Close(
            start=start,
            seconds=seconds,
            decided=start + seconds + self.config.lateness_seconds,
            place=self.index.place(series),
            keyword=self.index.keyword(series),
            voices=counts[series],
            messages=some_messages,
            channels=some_channels,
            expected=scores.expected[series],
            upper=scores.upper[series],
            p_value=scores.p_value[series],
            evidence=evidence,
            blind=blind,
            learning=self.watched < LEARNING_SECONDS,
            drill=self.drilled is not None,
            rising=() if self.drilled is not None else rising_at(self.emerging.found, self.config.places),
            relearnt=frozenset(pairs),
            young=frozenset(keyword for keyword, until in self.young.items() if start < until),
        )

    def _due(self, decided: float) -> Sequence[Control]:
        due = [control for control in self.controls if control.at < decided]
        self.controls = [control for control in self.controls if control.at >= decided]
        return due

    # -- time, blindness, late rows ------------------------------------------------------------------------------

    def _bank(self) -> Detector:
        """The detector, grown to the series known now."""
        if self.bank is None:
            self.bank = self._new_bank()
            self.bank_size = len(self.index)
        elif self.bank_size < len(self.index):
            self.bank.grow(len(self.index), self.index.groups(), self.index.parents(), self.index.zones)
            self.bank_size = len(self.index)
        return self.bank

    def restore_bank(self, state: bytes | None, size: int) -> None:
        """Take over a detector's snapshot; the index must hold the series already."""
        self.bank, self.bank_size = None, 0
        if state is not None:
            self.bank, self.bank_size = self._new_bank(), size
            self.bank.restore(state)

    def _new_bank(self) -> Detector:
        return detectors.create(
            self.config.detector,
            n_series=len(self.index),
            window_seconds=self.config.window_seconds,
            groups=self.index.groups(),
            zones=self.index.zones,
            parents=self.index.parents(),
        )

    def _exposure(self, start: int, counts: Ints, blind: tuple[Blind, ...]) -> Floats | None:
        """1 usual, 0 where more than half of what is usually heard is blind, > 1 during a planned event; None when all are 1."""
        events = self.alerts.exposure(start)
        if not blind and not events:
            return None
        share = self.sources.exposure(start + self.config.window_seconds) if blind else 1.0
        exposure = np.full(len(self.index), share if share >= LEAST_EXPOSURE else 0.0)
        if events:
            usual = self._bank().score(start, counts).expected
            exposure *= planned(events, usual, self.index, self.alerts.atlas)
        return exposure

    def _pass_over(self, until: int) -> None:
        """Windows before `until` in which nothing moved: zeros, but where most of what is usually heard was blind nothing is learnt."""
        if self.bank is None or self.closed_until in (NEVER, until):
            return
        seconds = self.config.window_seconds
        for begin, end, heard in self.sources.stretches(self.closed_until, until, LEAST_EXPOSURE):
            if heard:
                self.watched += end - begin
            else:
                self.bank.skip(int(-(-begin // seconds)) * seconds, int(end // seconds) * seconds)

    def _late(self, step: float) -> tuple[list[Revision], list[Incident]]:
        """Late rows that are due, rolled up by window, and the incidents they correct; nothing is learnt of them."""
        found = by_window(self.partitions.late(step), self.config.places.lineage)
        if not found:
            return [], []
        decided = self.closed_until + self.config.lateness_seconds
        corrected = self.alerts.late([LateRows(start, *table) for start, table in found], decided)
        return [Revision(start, *table[:4]) for start, table in found], corrected
