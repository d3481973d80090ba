"""What decides an incident, besides the data: every threshold of ALERT in one place."""

from __future__ import annotations

import msgspec

from detectors.tail_cut import LEVEL


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds; times in seconds of event time. Spans shorter than some windows are lengthened to them (`span`)."""

    window_seconds: int = 60
    budget_per_week: float = 0.25  # false incidents a week that are accepted: sets the cut
    signals_per_budget: float = 20.0  # the board shows so many signals for one incident of the budget
    most_runs_per_week: float = 1000.0  # quiet runs watched, to learn the cut from
    signal_people: int = 3
    suspected_people: int = 4  # small counts are no emergency
    wide_people: int = 10  # the same for a region and wider: there a handful of people is no place's trouble
    confirmed_people: int = 5
    corroborated_cut_factor: float = 3.0  # the cut is so much looser where two channels agree
    agreeing_people: int = 2  # a second channel agrees with so many people, if that is unusual for it
    persistent_windows: int = 2
    unusual_p: float = 0.01  # an excess begins at the first window this unusual
    coincide_seconds: float = 3600.0  # what rises this close together at one place is one incident
    recent_seconds: float = 900.0  # people of the latest so many seconds tell whether it still goes on
    hold_seconds: float = 3600.0  # calm for so long before it is resolved
    hold_share: float = 0.25  # or for so much of the time it has lasted, if that is longer: floods pause for the night
    longest_hold_seconds: float = 43_200.0
    reopen_seconds: float = (
        86_400.0  # and after that the same incident again: the night between two days of it is no end
    )
    blind_hold_seconds: float = 86_400.0  # a source gone blind keeps its incidents open for at most so long
    learn_again_seconds: float = 259_200.0  # open for longer: the detector may take it as the new usual
    growth_factor: float = 2.0
    growth_pause_seconds: float = 60.0  # between two updates of one incident
    late_pause_seconds: float = 900.0  # between two corrections of one incident by late data
    remember_seconds: float = 86_400.0  # for why-not and the beginning of an excess
    remember_p: float = 0.3
    remember_rows: int = 400_000
    batch_records: int = 30
    batch_gap_seconds: float = 5.0
    sitting_seconds: float = (
        1800.0  # fewer records without author than `batch_records`, within so long, may be one hand's
    )

    def span(self, seconds: float, windows: int) -> float:
        """`seconds`, or so many windows where that is longer."""
        return max(seconds, windows * self.window_seconds)

    @property
    def recent(self) -> float:
        return self.span(self.recent_seconds, 1)

    @property
    def decay(self) -> float:
        """Series are compared by their people of about the last hour."""
        return self.span(3600.0, 1)

    @property
    def hold(self) -> float:
        return self.span(self.hold_seconds, 2)

    @property
    def reopen(self) -> float:
        return self.span(self.reopen_seconds, 4)

    @property
    def coincide(self) -> float:
        return self.span(self.coincide_seconds, 4)

    @property
    def gap(self) -> float:
        """An excess has ended after so long without an unusual window."""
        return self.span(self.recent_seconds, 2)


__all__ = ["LEVEL", "Policy"]
