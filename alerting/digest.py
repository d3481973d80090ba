"""Many messages as one: what a channel that has fallen behind is told, an incident a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from alerting.message import Message, facts

MOST_LISTED = 50
ORDER = ("confirmed", "trouble", "suspected", "resolved")  # what needs someone first, first
NAMES = {"trouble": "own trouble"}


class Digest(msgspec.Struct, frozen=True):
    """In words as `Facts` are: plain, nothing escaped, nothing cut."""

    headline: str  # how many, and how they stand
    lines: tuple[tuple[str, str | None], ...]  # (headline of one, address of its page)
    more: int  # how many of them are not listed
    board: str | None  # where all are found

    def first(self, count: int) -> Digest:
        """With only so many of its lines."""
        return msgspec.structs.replace(self, lines=self.lines[:count], more=self.more + len(self.lines[count:]))

    def rest(self) -> str | None:
        """The sentence about those not listed."""
        return f"and {self.more} more" + (", all on the board" if self.board else "") if self.more else None

    def text(self) -> str:
        """All of it as plain text."""
        lines = [self.headline, *(f"- {line}" + (f" {url}" if url else "") for line, url in self.lines)]
        return "\n".join([*lines, *filter(None, (self.rest(), self.board))])


def digest(messages: Sequence[Message], now: float) -> Digest:
    """What they say together: of each key its newest, at most MOST_LISTED of them."""
    newest = {one.key: one for one in sorted(messages, key=lambda one: one.sequence)}
    ordered = sorted(newest.values(), key=_rank)
    listed = [(facts(one, now).headline, _page(one)) for one in ordered[:MOST_LISTED]]
    return Digest(
        headline=f"{len(ordered)} alerts in one message: {_counts(ordered)}",
        lines=tuple(listed),
        more=len(ordered) - len(listed),
        board=next((one.links.page for one in ordered if one.links.page is not None), None),
    )


def _state(one: Message) -> str:
    if one.action == "resolve":
        return "resolved"
    return one.incident.state if one.incident is not None else "trouble"


def _rank(one: Message) -> tuple[int, int, str]:
    state, people = _state(one), one.incident.people if one.incident is not None else 0
    return ORDER.index(state) if state in ORDER else len(ORDER), -people, one.key


def _counts(messages: Iterable[Message]) -> str:
    count = Counter(map(_state, messages))
    return ", ".join(f"{count[state]} {NAMES.get(state, state)}" for state in (*ORDER, "signal") if count[state])


def _page(one: Message) -> str | None:
    return one.links.of(one.incident)[0][1] if one.incident is not None and one.links.page is not None else None
