"""The gates between signal, suspected and confirmed. Each gives a sentence with its figures, passed or not."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

import numpy as np

from alerting.case import Case, Pulse
from alerting.model import Gate
from alerting.pace import largest_sitting, pace_of
from alerting.policy import Policy
from detectors.scan import poisson_tail

CHANNEL_P = 0.01
LATER_P = 0.05
FRESH_P = 1e-3
LEARNING = Gate("learning", False, "the baseline is still learning: nothing above a signal")
LATER_SHARE = 0.2  # of the people at the cut must come on top after it
MANY_SECONDS = 60  # as many as one row of a window carries


class Bar(NamedTuple):
    """What a close is judged by: the cuts now, the usual share of each channel."""

    cut: float
    signal_cut: float
    level: float  # runs begin under it
    shares: tuple[float, ...]
    channels: tuple[str, ...]
    learning: bool


class Verdict(NamedTuple):
    """How far a case may go, and why."""

    signal: bool
    suspected: bool
    confirmed: bool
    batch: bool
    why: tuple[Gate, ...]


def judge(case: Case, policy: Policy, bar: Bar) -> Verdict:
    """Judge a case at a close, after its figures were brought up to date."""
    people = round(case.people)
    agreeing = agreeing_channels(case, policy, bar)
    cut = bar.cut * (policy.corroborated_cut_factor if len(agreeing) > 1 else 1.0)
    batch, batch_gate = _batch(case, policy)
    under = case.p_now <= cut
    looser = f", looser by {policy.corroborated_cut_factor:g} as channels agree" if len(agreeing) > 1 else ""
    needed = people_needed(case, policy)
    why = [
        Gate(
            "cut",
            under,
            f"p = {case.p_now:.1g}, the cut is {cut:.1g}{looser} (budget {policy.budget_per_week:g} a week)",
        ),
        Gate("people", people >= needed, f"{people} people, usually {usual_number(case.expected)}; {needed} needed"),
        _latest(case, policy),
        batch_gate,
    ]
    if bar.learning:
        why.append(LEARNING)
    standing = not batch_gate.passed or bar.learning
    enough = people >= policy.signal_people
    suspected = under and people >= needed and why[2].passed and not standing
    lasting = _persistence(case, policy)
    channels = _channels(agreeing, case, bar)
    why += [lasting, channels]
    confirmed = suspected and people >= max(needed, policy.confirmed_people) and (lasting.passed or channels.passed)
    signal = enough and why[2].passed and case.p_now <= max(bar.signal_cut, cut)
    return Verdict(signal, suspected, confirmed, batch, tuple(why))


def agreeing_channels(case: Case, policy: Policy, bar: Bar) -> list[int]:
    """Channels in each of which, taken alone, so many people are unusual; most people first."""
    found = [
        c
        for c, people in enumerate(case.channels)
        if people >= policy.agreeing_people and poisson_tail(people, case.expected * bar.shares[c]) <= CHANNEL_P
    ]
    return sorted(found, key=lambda c: (-case.channels[c], c))


def people_needed(case: Case, policy: Policy) -> int:
    """People without whom a case is no more than a signal: more for a wide scope."""
    return policy.wide_people if case.wide else policy.suspected_people


def fresh(case: Case, policy: Policy, since: float) -> bool:
    """Whether people of the latest while, after `since`, are by themselves more than chance: leftovers of long sums are not."""
    end = case.pulses[-1].start + policy.window_seconds if case.pulses else 0.0
    begin = max(since, end - reach(case, policy))
    lately = list(takewhile(lambda pulse: pulse.start >= begin, reversed(case.pulses)))
    voices, expected = sum(pulse.voices for pulse in lately), sum(pulse.expected for pulse in lately)
    return voices >= policy.signal_people and poisson_tail(voices, expected) <= FRESH_P


def reach(case: Case, policy: Policy) -> float:
    """Seconds in which about four people of this disruption come: a slow one is looked at for longer, three hours at most."""
    if not case.pulses:
        return policy.recent
    lasted = case.pulses[-1].start + policy.window_seconds - case.onset
    excess = max(case.people - case.expected, 1.0)
    return policy.span(float(np.clip(4 * lasted / excess, policy.recent, 3 * policy.hold)), 1)


def high(case: Case, policy: Policy) -> bool:
    """Whether it still goes on: people of the latest while above the expected band, and more than one."""
    lately = pulses_of(case, reach(case, policy), policy)
    expected = sum(pulse.expected for pulse in lately)
    band = max(expected + 2 * float(np.sqrt(sum(pulse.spread for pulse in lately))), expected + 1.0)
    return sum(pulse.voices for pulse in lately) > band


def pulses_of(case: Case, seconds: float, policy: Policy) -> list[Pulse]:
    """The windows of the last so many seconds, newest first."""
    if not case.pulses:
        return []
    since = case.pulses[-1].start + policy.window_seconds - seconds
    return list(takewhile(lambda pulse: pulse.start >= since, reversed(case.pulses)))


def usual_number(expected: float) -> str:
    """An expected count as people write it."""
    return f"{expected:.0f}" if expected >= 9.5 else f"{expected:.1f}" if expected >= 0.05 else "almost none"


def _latest(case: Case, policy: Policy) -> Gate:
    span = reach(case, policy)
    lately = pulses_of(case, span, policy)
    voices, expected = sum(pulse.voices for pulse in lately), sum(pulse.expected for pulse in lately)
    text = f"{voices:.0f} people in the last {round(span / 60)} min, usually {usual_number(expected)}"
    return Gate("latest", high(case, policy), text)


def _batch(case: Case, policy: Policy) -> tuple[bool, Gate]:
    known = len(case.seconds)
    if known < 0.5 * case.people and known < MANY_SECONDS:
        return False, Gate("batch_entry", True, "not records typed in by one hand or machine")
    pace = pace_of(case.seconds, policy.batch_records, policy.batch_gap_seconds)
    if pace.paced >= policy.batch_records and 2 * pace.paced >= known:
        return True, Gate(
            "batch_entry", False, f"{pace.paced} of {known} records without author come at an even, fast pace"
        )
    if pace.undecided:
        text = f"{known} records without author come fast and evenly: too few to tell from batch entry"
        return False, Gate("batch_entry", False, text)
    sitting = largest_sitting(case.seconds, policy.sitting_seconds)
    if sitting < policy.batch_records and known - sitting < policy.signal_people:
        text = f"{sitting} of {known} records without author within {round(policy.sitting_seconds / 60)} min: one hand may have entered them"
        return False, Gate("batch_entry", False, text)
    return False, Gate("batch_entry", True, "records without author come at no machine's pace")


def _persistence(case: Case, policy: Policy) -> Gate:
    later, usual = case.people - case.at_cut[0], case.expected - case.at_cut[1]
    wanted = max(2.0, LATER_SHARE * case.at_cut[0]) if case.streak else 2.0
    running = case.streak >= policy.persistent_windows
    passed = running and later >= wanted and poisson_tail(later, usual) <= LATER_P
    windows = f"under the cut in {case.streak} window{'s' if case.streak != 1 else ''} running"
    if not running:
        return Gate("persistence", False, f"{windows}, {policy.persistent_windows} needed")
    text = f"{windows}, {later:.0f} more people after the first (usually {usual_number(usual)}; {np.ceil(wanted):.0f} needed)"
    return Gate("persistence", passed, text)


def _channels(agreeing: list[int], case: Case, bar: Bar) -> Gate:
    if len(agreeing) > 1:
        names = [bar.channels[c] for c in agreeing]
        return Gate("channels", True, f"{', '.join(names[:-1])} and {names[-1]} agree")
    heard = [bar.channels[c] for c, people in enumerate(case.channels) if people >= 1 and c < len(bar.channels)]
    return Gate("channels", False, f"one channel alone: {heard[0]}" if len(heard) == 1 else "no second channel agrees")
