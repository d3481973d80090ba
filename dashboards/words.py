"""How times, counts and odds are said to people; the same words on every page."""

from __future__ import annotations

import math
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from scipy.special import pdtrik

from alerting.messages import odds as odds
from alerting.model import iso
from dashboards.dom import Node, h

TIERS = ("confirmed", "suspected", "signal", "resolved")
SHAPES = {"confirmed": "■", "suspected": "◆", "signal": "●", "resolved": "○"}
TRENDS = {"rising": "▲", "steady": "▬", "falling": "▼"}


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name; UTC where the name is unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def local(at: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at, zone_of(zone))


def parse_minute(said: str, zone: str) -> float | None:
    """A minute as the browser's field sends it, in the viewer's zone; ISO with a zone is taken as it is. None where it is neither."""
    try:
        given = datetime.fromisoformat(said)
        return (given if given.tzinfo else given.replace(tzinfo=zone_of(zone))).timestamp()
    except (ValueError, OverflowError):  # the year 1, seen from the east
        return None


def at_text(at: float) -> str:
    """A moment as addresses tell it: UTC, to the minute where it is one."""
    return iso(at).replace(":00Z", "Z") if at % 60 == 0 else iso(at)


def clock(at: float, zone: str, now: float | None = None) -> str:
    """`07:03`; with the day where it is not that of `now`: `Mon 07:03`, `12 Mar 07:03`, `12 Mar 2025 07:03`."""
    here = local(at, zone)
    time = f"{here:%H:%M}"
    if now is None:
        return time
    today = local(now, zone)
    if here.date() == today.date():
        return time
    if abs(now - at) < 6 * 86400:
        return f"{here:%a} {time}"
    day = f"{here.day} {here:%b}"
    return f"{day} {time}" if here.year == today.year else f"{day} {here.year} {time}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `2 h 10 min`, `3 days 4 h`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        rest = minutes % 60
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    rest = hours % 24
    unit = "day" if days == 1 else "days"
    return f"{days} {unit} {rest} h" if rest else f"{days} {unit}"


def ago(seconds: float) -> str:
    """A coarse age that stays true until the next refresh."""
    return "moments ago" if seconds < 20 else f"{duration(seconds)} ago"


def moment(at: float, zone: str, now: float, *, since: bool = False, lasted: bool = False) -> Node:
    """A time for people, with UTC on hover: `since 07:03 (40 min)`."""
    said = clock(at, zone, now)
    text = f"since {said}" if since else said
    if lasted:
        text += f" ({duration(now - at)})"
    return h(
        "time", text, datetime=iso(at), title=f"{datetime.fromtimestamp(at, ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S} UTC"
    )


def number(value: float) -> str:
    """`1,204`, `2.1`, `0.3`, `0.03`: as many digits as say something."""
    if value >= 10 or abs(value - round(value)) < 0.005:
        return f"{round(value):,}"
    return f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def usual_range(expected: float) -> tuple[int, int]:
    """The counts between which nine in ten ordinary moments lie, for a Poisson count with this mean."""
    if expected <= 0:
        return 0, 0
    low = math.ceil(float(pdtrik(0.05, expected))) if expected > 3 else 0
    high = max(1, math.ceil(float(pdtrik(0.95, expected)))) if expected > 0.05 else 0
    return low, high


def usual(expected: float) -> str:
    """`usually 0 to 3`."""
    low, high = usual_range(expected)
    return f"usually {low:,}" if low == high else f"usually {low:,} to {high:,}"


def times(factor: float) -> str:
    """`14 × the usual`; without a number where the usual is next to nothing."""
    if not math.isfinite(factor) or factor >= 1000:
        return "far above the usual"
    return f"{number(factor)} × the usual"


def count_of(number_: int, one: str, many: str | None = None) -> str:
    return f"{number_:,} {one if number_ == 1 else many or one + 's'}"


def listed(names: list[str], limit: int = 3, what: str = "channels") -> str:
    """`tweets + tickets`, `4 channels` beyond the limit."""
    if not names:
        return ""
    return " + ".join(names) if len(names) <= limit else f"{len(names)} {what}"
