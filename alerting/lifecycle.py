"""signal -> suspected -> confirmed -> resolved: what a close does to a case, with hysteresis on both edges."""

from __future__ import annotations

from alerting.case import RANK, UNSILENCED, Case
from alerting.gates import Bar, Verdict, fresh, high, judge, people_needed, pulses_of, reach
from alerting.messages import duration
from alerting.model import Blind, Close, Gate
from alerting.places_and_keywords import Atlas
from alerting.policy import Policy
from alerting.tracks import keys_of

BATCH = "batch_entry"
NEW_NORMAL = "new_normal"  # reason of the end of what stayed
NEW_PART_PEOPLE = 3


def advance(case: Case, close: Close, policy: Policy, bar: Bar, atlas: Atlas) -> str | None:
    """Move a case on by one close; the reason of its new revision, None when there is nothing to tell."""
    end = float(close.start + close.seconds)
    if case.p_now <= bar.level:
        case.last_unusual = end
    _count_streak(case, policy, bar)
    if case.state == "resolved":
        return _reopen(case, policy, bar, close)
    if high(case, policy):
        case.last_high = end
    hour = sum(pulse.voices for pulse in pulses_of(case, policy.span(3600.0, 1), policy))
    started_in_it = case.people if end - case.onset <= policy.span(3600.0, 1) else 0.0
    case.peak = max(case.peak, round(hour), round(started_in_it))
    verdict = judge(case, policy, bar)
    before = case.state
    reason = _promote(case, verdict, close)
    if case.open and _is_new_normal(case, close):
        case.state, case.resolved_at, case.why = "resolved", close.decided, (*verdict.why, _new_normal(case, end))
        return NEW_NORMAL
    if case.open and _is_over(case, close, policy, atlas):
        case.state, case.resolved_at = "resolved", close.decided
        return "resolved" if before != "run" else None
    case.why = verdict.why if reason is not None or case.state in ("run", "signal") else case.why
    return reason or _heard_again(case, close) or _growth(case, policy, close, atlas)


def _count_streak(case: Case, policy: Policy, bar: Bar) -> None:
    if case.p_now > bar.cut or case.people < people_needed(case, policy):
        case.streak = 0
        return
    if case.streak == 0:
        case.at_cut = (case.people, case.expected)
    case.streak += 1


def _promote(case: Case, verdict: Verdict, close: Close) -> str | None:
    before = case.state
    if case.state == "run" and verdict.signal:
        case.state, case.opened_at, case.last_high = "signal", close.decided, float(close.start + close.seconds)
    if verdict.batch != (BATCH in case.marks):
        return _mark(case, verdict, before)
    if case.state == "signal" and verdict.suspected:
        case.state, case.suspected_at = "suspected", case.suspected_at or close.decided
    if case.state == "suspected" and verdict.confirmed:
        case.state, case.confirmed_at = "confirmed", close.decided
    if case.state == before:
        return None
    case.tier = max(case.tier, case.state, key=lambda state: RANK[state])
    return "opened" if case.state == "signal" else case.state


def _mark(case: Case, verdict: Verdict, before: str) -> str | None:
    """Batch entry shows, or no longer: while it does, the incident is a signal and no more."""
    case.marks = [BATCH] if verdict.batch else []
    if verdict.batch and case.state in ("suspected", "confirmed"):
        case.state = "signal"
    if case.state == "run":
        return None
    case.tier = max(case.tier, case.state, key=lambda state: RANK[state])
    return "opened" if before == "run" else "marked" if verdict.batch else "unmarked"


def _reopen(case: Case, policy: Policy, bar: Bar, close: Close) -> str | None:
    """Go back to the tier it had, when fresh people, not those of before, are unusual again."""
    assert case.resolved_at is not None
    wanted = bar.signal_cut if case.tier == "signal" else bar.cut
    if case.p_now > max(wanted, bar.cut) or not fresh(case, policy, case.resolved_at):
        return None
    verdict = judge(case, policy, bar)
    if verdict.batch:
        return None
    case.state, case.resolved_at = case.tier, None
    case.last_high = float(close.start + close.seconds)
    case.why = verdict.why
    reason = _promote(case, verdict, close)
    return reason or "reopened"


def _is_over(case: Case, close: Close, policy: Policy, atlas: Atlas) -> bool:
    calm_for = close.start + close.seconds - case.last_high
    lasted = case.last_high - case.onset
    if calm_for < max(policy.hold, reach(case, policy), min(policy.hold_share * lasted, policy.longest_hold_seconds)):
        return False
    return not any(_withholds(case, blind, close.decided, policy, atlas) for blind in close.blind)


def _is_new_normal(case: Case, close: Close) -> bool:
    """Whether all that is counted has been steady for so long that the detector takes it for what is usual."""
    if not close.relearnt:
        return False
    relearnt = keys_of(*zip(*close.relearnt, strict=True)).tolist()
    case.settled += sorted({*case.measured, *case.tight, *case.held}.intersection(relearnt))
    return set(case.measured) <= set(case.settled)


def _new_normal(case: Case, end: float) -> Gate:
    usual = f"{case.people / max(case.expected, 0.1):.1f} times what was usual"
    return Gate(
        NEW_NORMAL, True, f"steady at {usual} for days, {duration(end - case.onset)} in all: it is the usual now"
    )


def _withholds(case: Case, blind: Blind, now: float, policy: Policy, atlas: Atlas) -> bool:
    """Whether silence may only be this source's: it fell silent during the incident, and not too long ago."""
    if blind.since < case.onset or now - blind.since > policy.blind_hold_seconds:
        return False
    return not blind.places or any(
        atlas.place_related(place, case.place) or place in case.parts for place in blind.places
    )


def _heard_again(case: Case, close: Close) -> str | None:
    """A silence or snooze ended while it still goes on: who knows of it is told so, who does not yet hears of it."""
    going_on = case.state in ("suspected", "confirmed")
    return UNSILENCED if going_on and case.silence_ended(close.decided) else None


def _growth(case: Case, policy: Policy, close: Close, atlas: Atlas) -> str | None:
    """News of an open suspected or confirmed incident: twice the people, a new place, another scope."""
    if case.state not in ("suspected", "confirmed") or close.decided - case.told_at < policy.growth_pause_seconds:
        return None
    if case.place != case.told_place:
        return "widened" if atlas.lies_in(case.told_place, case.place) else "narrowed"
    known = set(case.told_parts)
    new = any(people >= NEW_PART_PEOPLE for place, people in case.parts.items() if place not in known)
    if new or case.people >= policy.growth_factor * max(case.told_people, 1.0):
        return "grew"
    return None
