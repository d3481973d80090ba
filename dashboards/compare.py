"""Two replays held against each other: which incidents appear, vanish, move. Matched by overlap of time, scope and keywords."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

SLACK_SECONDS = 3600.0
MOVED_SECONDS = 60.0
MOVED_SHARE = 0.2  # of people
OPEN_END = float("inf")
TIERS = ("signal", "suspected", "confirmed")


class Seen(msgspec.Struct, frozen=True):
    """An incident of one replay, as far as comparing needs it. Times are Unix seconds."""

    id: str
    title: str
    tier: str
    onset: float
    told: float
    resolved: float | None
    place: str
    path: tuple[str, ...]
    keywords: tuple[str, ...]
    people: int


class Moved(msgspec.Struct, frozen=True):
    """An incident of both replays that differs, and in what."""

    before: Seen
    after: Seen
    changes: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True):
    """All incidents of two replays, in pairs where they are one and the same."""

    appear: tuple[Seen, ...]
    vanish: tuple[Seen, ...]
    move: tuple[Moved, ...]
    same: int


class Pair(NamedTuple):
    """How well two incidents match; the greatest pair is the best."""

    same_id: bool
    same_place: bool
    same_keywords: bool
    shared_seconds: float
    before: int  # negated index, so that the earlier wins
    after: int


def read_incidents(folder: Path, signals: bool = False) -> list[Seen]:
    """The incidents of a replay's folder by onset; signals only when asked for. Raises OSError, ValueError."""
    path = folder / "incidents.jsonl"
    last: dict[str, dict[str, Any]] = {}
    tiers: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=dict[str, Any])
            last[one["id"]] = one
            tiers[one["id"]] = max(tiers.get(one["id"], 0), _tier(one))
        except (msgspec.DecodeError, KeyError) as error:
            raise ValueError(f"{path}, line {number}: not an incident ({error})") from None
    seen = [_seen(one, TIERS[tiers[id]]) for id, one in last.items() if signals or tiers[id]]
    return sorted(seen, key=lambda one: (one.onset, one.id))


def compared(before: Sequence[Seen], after: Sequence[Seen]) -> Comparison:
    """Each incident is matched at most once, best pairs first."""
    pairs = sorted(
        (pair for a in range(len(before)) for b in range(len(after)) if (pair := _pair(before, after, a, b))),
        reverse=True,
    )
    left, right = set(range(len(before))), set(range(len(after)))
    matched: list[tuple[Seen, Seen]] = []
    for pair in pairs:
        a, b = -pair.before, -pair.after
        if a in left and b in right:
            left.remove(a)
            right.remove(b)
            matched.append((before[a], after[b]))
    moved = [Moved(one, other, changes) for one, other in matched if (changes := changes_of(one, other))]
    return Comparison(
        appear=tuple(after[b] for b in sorted(right)),
        vanish=tuple(before[a] for a in sorted(left)),
        move=tuple(sorted(moved, key=lambda one: (one.before.onset, one.before.id))),
        same=len(matched) - len(moved),
    )


def changes_of(one: Seen, other: Seen) -> tuple[str, ...]:
    """In words, what differs: tier, time, place, keywords, size."""
    changes = []
    if one.tier != other.tier:
        changes.append(f"{one.tier} → {other.tier}")
    shift = other.told - one.told
    if abs(shift) >= MOVED_SECONDS:
        changes.append(f"told {_duration(abs(shift))} {'later' if shift > 0 else 'sooner'}")
    if one.place != other.place:
        changes.append(f"at {one.path[0] if one.path else one.place} → {other.path[0] if other.path else other.place}")
    if set(one.keywords) != set(other.keywords):
        changes.append(f"{', '.join(one.keywords)} → {', '.join(other.keywords)}")
    if abs(other.people - one.people) > MOVED_SHARE * max(one.people, 1):
        changes.append(f"{one.people:,} → {other.people:,} people")
    return tuple(changes)


def show(result: Comparison, before: str, after: str) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "since (UTC)", "what", "people", "tier", "difference"):
        table.add_column(name, justify="right" if name == "people" else "left", no_wrap=name in ("", "since (UTC)"))
    rows = [("+ appears", one, "") for one in result.appear] + [("- vanishes", one, "") for one in result.vanish]
    rows += [("~ moves", one.after, "; ".join(one.changes)) for one in result.move]
    for word, one, difference in sorted(rows, key=lambda row: (row[1].onset, row[0], row[1].id)):
        since = f"{datetime.fromtimestamp(one.onset, UTC):%Y-%m-%d %H:%M}"
        table.add_row(word, since, one.title, f"{one.people:,}", one.tier, difference)
    if rows:
        console.print(table)
    told = f"{len(result.appear)} appear, {len(result.vanish)} vanish, {len(result.move)} move, {result.same} the same"
    console.print(f"{before} → {after}: {told}.", highlight=False, markup=False, soft_wrap=True)


def _pair(before: Sequence[Seen], after: Sequence[Seen], a: int, b: int) -> Pair | None:
    one, other = before[a], after[b]
    start = max(one.onset, other.onset)
    end = min(one.resolved or OPEN_END, other.resolved or OPEN_END)
    if end + SLACK_SECONDS < start or not _related_places(one, other) or not _related_keywords(one, other):
        return None
    shared = min(end, start + 365 * 86400.0) - start
    return Pair(one.id == other.id, one.place == other.place, set(one.keywords) == set(other.keywords), shared, -a, -b)


def _related_places(one: Seen, other: Seen) -> bool:
    """The same place, or one of them lies in the other."""
    return (
        one.place == other.place
        or one.path == other.path[-len(one.path) :]
        or other.path == one.path[-len(other.path) :]
    )


def _related_keywords(one: Seen, other: Seen) -> bool:
    """A keyword in common, or one that stands above another."""
    return any(
        a == b or "*" in (a, b) or a.startswith(b + "/") or b.startswith(a + "/")
        for a in one.keywords
        for b in other.keywords
    )


def _tier(one: dict[str, Any]) -> int:
    return (
        2
        if one.get("confirmed_at")
        else 1
        if one.get("suspected_at") or one["state"] in ("suspected", "confirmed")
        else 0
    )


def _seen(one: dict[str, Any], tier: str) -> Seen:
    told = min(
        [at for key in ("suspected_at", "confirmed_at") if (at := _unix(one.get(key))) is not None],
        default=_unix(one["opened_at"]),
    )
    scope = one["scope"]
    return Seen(
        id=one["id"],
        title=one["title"],
        tier=tier,
        onset=_unix(one["onset"]) or 0.0,
        told=told or 0.0,
        resolved=_unix(one.get("resolved_at")),
        place=scope["place"],
        path=tuple(scope["path"]),
        keywords=tuple(one["keywords"]),
        people=one["people"],
    )


def _unix(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes} min"
        if minutes < 120
        else f"{seconds / 3600:.1f} h"
        if minutes < 2880
        else f"{seconds / 86400:.1f} days"
    )
