"""What people read: titles, page and resolve lines, self-alerts. Numbers with their comparison, times with their length."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from scipy import special

from alerting.model import Blind, Incident, LatePeople

LOW, HIGH = 0.05, 0.95
SCATTER = 1.5  # variance over mean of complaint counts, for the "usually" phrase
MINUTE, HOUR, DAY = 60, 3600, 86_400
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
UNSEEN = re.compile(
    r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)  # no width, or turn what follows around
HALVES = re.compile(r"[\ud800-\udfff]")  # cannot be written as UTF-8
VERDICTS = {"real": "real", "not_real": "not real", "known_event": "a known event"}  # by what a control says
VERBS = {"signal": "signal", "suspected": "suspected", "confirmed": "CONFIRMED", "resolved": "RESOLVED"}


def plain(text: str) -> str:
    """The text on one line, with nothing in it that a terminal, a log or a page would obey or hide."""
    return HALVES.sub("\ufffd", UNSEEN.sub("", CONTROLS.sub(" ", text)))


def shortened(text: str, most: int) -> str:
    """At most so many characters; one that was cut ends in "…"."""
    return text if len(text) <= most else text[: most - 1] + "…"


def duration(seconds: float) -> str:
    """ "40 min", "2 h 10 min", "3 d 4 h": the two largest units."""
    minutes = max(0, round(seconds / MINUTE))
    if minutes == 0:
        return f"{max(0, round(seconds))} s"
    hours, rest = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h" if hours_left else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


def clock(at: float, now: float, zone: str = "UTC") -> str:
    """ "07:03" today, "Mon 07:03" within a week, "12 Mar 07:03" before."""
    there: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    then, today = datetime.fromtimestamp(at, there), datetime.fromtimestamp(now, there)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if abs(now - at) < 6 * DAY:
        return f"{then:%a %H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {then:%b}{year} {then:%H:%M}"


def since(at: float, now: float, zone: str = "UTC") -> str:
    """ "since 07:03 (40 min)"."""
    return f"since {clock(at, now, zone)} ({duration(now - at)})"


def usual_range(expected: float) -> tuple[int, int]:
    """The count in nine of ten such times: 5 % and 95 % quantiles of a negative binomial with this mean."""
    if expected <= 0:
        return 0, 0
    size = expected / (SCATTER - 1)
    low = high = 0
    while _at_most(low, size) < LOW:
        low += max(1, round(expected / 200))
    high = low
    while _at_most(high, size) < HIGH:
        high += max(1, round(expected / 200))
    return low, high


def _at_most(count: int, size: float) -> float:
    return float(special.betainc(size, count + 1, 1 / SCATTER))


def usually(expected: float, dash: bool = False) -> str:
    """ "usually 0 to 3", or with a dash "usually 0–3"; "usually none"."""
    low, high = usual_range(expected)
    if high == 0:
        return "usually none"
    if low == high:
        return f"usually {low}"
    return f"usually {low}–{high}" if dash else f"usually {low} to {high}"


def odds(p: float) -> str:
    """`about 1 time in 20,000`: a chance as people compare it."""
    if p >= 0.5:
        return "as often as not"
    if p < 1e-9:
        return "less than 1 time in a billion"
    one_in = 1 / p
    digits = max(0, len(str(int(one_in))) - 2)
    return f"about 1 time in {round(one_in, -digits):,.0f}"


def people(count: int) -> str:
    """ "1 person", "1,204 people"."""
    return f"{count:,} {'person' if count == 1 else 'people'}"


def late_line(late: LatePeople, now: float, zone: str = "UTC") -> str:
    """ "12 more people, 07:20 to 07:25": whom an incident was not told of in time."""
    more = f"{late.people:,} more {'person' if late.people == 1 else 'people'}"
    return f"{more}, {clock(late.since, now, zone)} to {clock(late.until, now, zone)}"


def factor(incident: Incident) -> str:
    """ "14 × the usual"; where next to nothing is usual, that."""
    if incident.expected < 0.5:
        return "usually next to none"
    return f"{incident.factor:.0f} × the usual" if incident.factor >= 9.5 else f"{incident.factor:.1f} × the usual"


def title_sentence(incident: Incident, now: float, zone: str = "UTC") -> str:
    """ "Baggage at JFK Terminal 4: 41 people since 07:03, 14 × the usual"."""
    what = incident.title[:1].upper() + incident.title[1:]
    return f"{what}: {people(incident.people)} since {clock(incident.onset, now, zone)}, {factor(incident)}"


def page_line(incident: Incident) -> str:
    """ "CONFIRMED baggage at JFK Terminal 4: 41 people in 40 min (usually 0–3), rising"."""
    span = duration(incident.updated_at - incident.onset)
    count = f"{people(incident.people)} in {span} ({usually(incident.expected, dash=True)})"
    drill = "DRILL " if incident.drill else ""
    return f"{drill}{VERBS[incident.state]} {incident.title}: {count}, {incident.trend}"


def resolve_line(incident: Incident, replies_waiting: int | None = None) -> str:
    """ "RESOLVED after 2 h 10 min, peak 58 people; 3 replies still wait in outreach"."""
    ended = incident.resolved_at if incident.resolved_at is not None else incident.updated_at
    line = f"RESOLVED after {duration(ended - incident.onset)}, peak {people(incident.peak)}"
    line += ": it did not end, it is the usual now" if incident.reason == "new_normal" else ""
    if replies_waiting:
        line += (
            f"; {replies_waiting} {'reply still waits' if replies_waiting == 1 else 'replies still wait'} in outreach"
        )
    return line


def channels_sentence(incident: Incident) -> str:
    """ "tweets and tickets", most people first."""
    names = [name for name, _ in sorted(incident.channels.items(), key=lambda item: (-item[1], item[0]))]
    if len(names) < 2:
        return names[0] if names else "channels not counted"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def why_it_paged(incident: Incident, spent: float, budget_per_week: float) -> str:
    """ "2 channels, 41 people, budget 2 of 3 used"."""
    count = len(incident.channels)
    told = f"{count} channel{'s' if count != 1 else ''}, {people(incident.people)}"
    return f"{told}, budget {spent:g} of {budget_per_week:g} used"


def body_lines(incident: Incident, now: float, zone: str = "UTC") -> list[str]:
    """The facts under the page line, one a line; what is not known is left out."""
    lines = [since(incident.onset, now, zone), channels_sentence(incident)]
    if incident.terms:
        lines.append("words: " + ", ".join(term for term, _ in incident.terms[:4]))
    lines += [f"“{example}”" for example in incident.examples[:3]]
    return lines


def blind_line(blind: Blind, now: float, zone: str = "UTC") -> str:
    """The self-alert of a source that fell silent."""
    usual = f"{blind.usual_per_hour:.0f}" if blind.usual_per_hour >= 1 else f"{blind.usual_per_hour:.1f}"
    begin = clock(blind.since, now, zone)
    told = f"overheard is BLIND for {blind.source} since {begin}: no records, usually {usual} an hour."
    return f"{told} Incidents there stay open until it returns."
