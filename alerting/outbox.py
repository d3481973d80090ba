"""The outbox: what is to be told, in which order, when, and what becomes of it. No clock, no I/O: `now` is Unix seconds, an argument.

A delivery begins as pending, is sending while a channel has it, and ends as sent, superseded (something newer says it) or dead (not taken
for 24 h). Each channel has a lane: one send at a time, in order within a key, no faster than the channel takes it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from alerting.message import OPENED, Action, Message, Trouble
from alerting.model import Incident

State = Literal["pending", "sending", "sent", "superseded", "dead"]
FADING: frozenset[Action] = frozenset({"update", "ack"})  # not worth telling once something newer is there
GIVE_UP_SECONDS = 86_400.0
LONGEST_ROW_PAUSE, LONGEST_LANE_PAUSE = (
    45.0,
    30.0,
)  # with a send's length under a minute: so soon a channel that is back is used
REFUSED_PAUSE = 300.0  # of what was refused
OTHERS_PAUSE = 10.0  # after a first refusal: another message tells whether it was the message or the channel
TROUBLE_AFTER = 30.0  # a refusal that is not over by then is told
SILENT_AFTER = 600.0  # so is a channel that takes nothing for so long
DIGEST_OVER, MOST_IN_DIGEST = 20, 500


class UnreachableError(Exception):
    """The store that keeps the outbox does not answer; the same may be asked again."""


class ReplacedError(Exception):
    """Another process sends from this outbox now."""


class Delivery(msgspec.Struct, kw_only=True):
    """A row: one message to one channel. `id` 0: not in the store yet."""

    id: int
    channel: str
    key: str
    sequence: int
    action: Action
    created_at: float
    state: State = "pending"
    attempts: int = 0
    not_before: float = 0.0
    thread: str | None = None
    error: str | None = None
    refused: bool = False
    ended_at: float | None = None  # sent, superseded, dead

    @property
    def name(self) -> str:
        """The same for every attempt."""
        return f"{self.key}:{self.sequence}:{self.channel}"


class Outbox(Protocol):
    """What keeps the rows. Every method raises UnreachableError, ReplacedError; each may take a while."""

    def waiting(self, after: int) -> list[Delivery]:
        """Rows with a higher id that are pending or were being sent, by id."""

    def rests(self) -> dict[str, float]:
        """Until when channels asked to be left alone."""

    def claim(self, rows: Sequence[Delivery], ended: Sequence[Delivery]) -> list[Message]:
        """Keep what ended, and that `rows` are being sent; what each says, with the newest facts."""

    def keep(self, rows: Sequence[Delivery], channel: str, rest_until: float | None = None) -> None:
        """Keep rows as they stand now, and until when their channel asked to be left alone."""

    def standing(self, channel: str, ended_since: float) -> list[Message]:
        """What the channel was told of and goes on, newest facts; and what ended since and it was told so."""

    def found_troubles(self, now: float) -> list[Trouble]:
        """Blind sources, and channels for which messages died lately."""

    def tell_troubles(self, troubles: Sequence[Trouble], now: float, doubtful: Collection[str] = ()) -> None:
        """Write rows for what began and what is over; what is `doubtful`, by key, is not over where it had begun."""

    def straight(self, incident: Incident, now: float) -> list[tuple[Delivery, Message]]:
        """What is to be told of a page that cannot be written yet; needs no store, and is remembered for when it is written."""


def backoff(name: str, failures: int, longest: float) -> float:
    """Seconds: anything below 2^failures, up to `longest`; always the same for the same."""
    digest = hashlib.blake2b(f"{name}:{failures}".encode(), digest_size=8).digest()
    return min(longest, 2.0 ** min(failures, 16)) * int.from_bytes(digest, "big") / 2**64


class Lane:
    """The open rows of one channel, and when it may be used again. `changed`: rows whose new state is still to be kept."""

    def __init__(self, channel: str, *, every_seconds: float = 0.0, digests: bool = False) -> None:
        self.channel, self.every_seconds, self.digests = channel, every_seconds, digests
        self.changed: list[Delivery] = []
        self.repeats = 0  # rows that were being sent when the process before ended
        self.rest_until = -math.inf  # as the receiver asked
        self.reason = ""  # of the newest failure
        self._keys: dict[str, list[Delivery]] = {}  # what is not ended, by sequence
        self._not_before = -math.inf
        self._began = -math.inf  # the newest send
        self._failures = 0  # one after another
        self._failing_since: float | None = None
        self._refusals: dict[str, float] = {}  # rows that wait because they were refused, since when
        self._through: dict[str, int] = {}  # told, or about to be, up to this sequence without the store
        self._unwritten: dict[tuple[str, int], Delivery] = {}  # ended without the store, which does not have them yet

    @property
    def rows(self) -> list[Delivery]:
        """What is not ended."""
        return [one for rows in list(self._keys.values()) for one in rows]  # figures are read in another thread

    # -- rows come in --------------------------------------------------------------------------------------------

    def add(self, row: Delivery, now: float) -> None:
        """A row of the store. What of it was told without the store is not told again."""
        known = self._unwritten.pop((row.key, row.sequence), None) or self._find(row.key, row.sequence)
        if known is not None:
            known.id = row.id
            if known.ended_at is not None:
                self.changed.append(known)
            if self._through.get(row.key) == row.sequence:
                del self._through[row.key]
            return
        if row.state == "sending":
            row.state = "pending"
            self.repeats += 1
        self._insert(row)
        if row.refused:
            self._refusals[row.name] = now
        if row.sequence < self._through.get(row.key, row.sequence):
            self._end(row, "superseded", now)
            return
        for one in self._keys[row.key][:-1]:
            if one.state == "pending" and one.action in FADING:
                self._end(one, "superseded", now)

    def straight(self, row: Delivery, now: float) -> None:
        """A page for which the store cannot be waited; it says all that waits of its key."""
        if row.sequence <= self._through.get(row.key, -1) or self._find(row.key, row.sequence) is not None:
            return
        for one in list(self._keys.get(row.key, ())):
            if one.state == "pending" and one.sequence < row.sequence:
                if one.action in OPENED:
                    row.action = one.action
                self._end(one, "superseded", now)
        self._insert(row)
        self._through[row.key] = row.sequence

    def _find(self, key: str, sequence: int) -> Delivery | None:
        return next((one for one in self._keys.get(key, ()) if one.sequence == sequence), None)

    def _insert(self, row: Delivery) -> None:
        # a new list, for others may be going through the old one
        self._keys[row.key] = sorted([*self._keys.get(row.key, ()), row], key=lambda one: one.sequence)

    # -- rows go out ---------------------------------------------------------------------------------------------

    def take(self, now: float, *, stored: bool = True) -> list[Delivery]:
        """What is to be sent now, several only as a digest; it is sending from here on. Not `stored`: only what needs no store."""
        if now < self._ready_at(now) or any(one.state == "sending" for one in self.rows):
            return []
        ready = [one for one in self._firsts() if one.not_before <= now and (stored or not one.id)]
        taken = sorted(ready, key=_urgency)[:1]
        if self.digests and taken and taken[0].id and len(many := self._digest(now)) > DIGEST_OVER:
            taken = many
        for one in taken:
            one.state, one.attempts, self._began = "sending", one.attempts + 1, now
        for one in taken:
            self._fold(one, now)
        return taken

    def _digest(self, now: float) -> list[Delivery]:
        """All that may be sent now; what was refused once goes alone, and nothing goes before the rows before it."""
        found: list[Delivery] = []
        for rows in self._keys.values():
            for one in rows:
                if not one.id or one.refused or one.not_before > now:
                    break
                found.append(one)
        return sorted(found, key=lambda one: one.id)[:MOST_IN_DIGEST]

    def _fold(self, row: Delivery, now: float) -> None:
        """An open is told with the newest facts: updates that wait right behind it have nothing to add."""
        if row.action not in OPENED:
            return
        for one in [one for one in self._keys[row.key] if one.sequence > row.sequence]:
            if one.action != "update" or one.state != "pending":
                break
            self._end(one, "superseded", now)

    def put_back(self, rows: Iterable[Delivery]) -> None:
        """They were not sent after all: the store did not answer."""
        for one in rows:
            one.state, one.attempts = "pending", one.attempts - 1

    def due(self, now: float) -> float:
        """When `take` may next give something; infinity while nothing waits."""
        return max(self._ready_at(now), min((one.not_before for one in self._firsts()), default=math.inf))

    def _ready_at(self, now: float) -> float:
        self._began = min(self._began, now)  # a clock set back holds nothing up
        return max(self._not_before, self.rest_until, self._began + self.every_seconds)

    def _firsts(self) -> list[Delivery]:
        """Of each key the row whose turn it is, if it waits."""
        return [rows[0] for rows in self._keys.values() if rows[0].state == "pending"]

    # -- what came of it -----------------------------------------------------------------------------------------

    def sent(self, rows: Sequence[Delivery], now: float, thread: str | None = None) -> None:
        """The channel has them."""
        self._failures, self._failing_since = 0, None
        for one in rows:
            one.thread = thread if len(rows) == 1 else None
            one.error, one.refused = None, False
            self._end(one, "sent", now)

    def unsent(self, rows: Sequence[Delivery], now: float, reason: str, after: float | None = None) -> None:
        """Not taken, perhaps later; `after` is asked for by the receiver and holds for the whole lane."""
        self._failed(now, reason)
        self._not_before = now + backoff(f"lane:{rows[0].name}", self._failures, LONGEST_LANE_PAUSE)
        if after is not None:
            self.rest_until = max(self.rest_until, now + after)
        for one in rows:
            alone = backoff(one.name, one.attempts, LONGEST_ROW_PAUSE) if len(rows) == 1 else 0.0
            self._back(one, now, now + alone, reason)

    def refused(self, rows: Sequence[Delivery], now: float, reason: str) -> None:
        """Not taken, and the same again will not be: the lane stands still but for a look now and then."""
        self._not_before = now + (REFUSED_PAUSE if self._failures else OTHERS_PAUSE)
        self._failed(now, reason)
        for one in rows:
            one.refused = True
            self._refusals.setdefault(one.name, now)
            self._back(one, now, now + REFUSED_PAUSE, reason)

    def _failed(self, now: float, reason: str) -> None:
        self._failures += 1
        self._failing_since = now if self._failing_since is None else self._failing_since
        self.reason = reason

    def _back(self, row: Delivery, now: float, not_before: float, reason: str) -> None:
        """Wait for another try, or have nothing to say any more."""
        row.state, row.not_before, row.error = "pending", not_before, reason[:500]
        if row.action in FADING and self._keys[row.key][-1] is not row:
            self._end(row, "superseded", now)
        elif row.id:
            self.changed.append(row)

    def expire(self, now: float) -> list[Delivery]:
        """Give up what is a day old and cannot be sent; returns those rows."""
        old = [one for one in self.rows if one.state == "pending" and now - one.created_at >= GIVE_UP_SECONDS]
        dead = [one for one in old if one.attempts or self._failures]
        for one in dead:
            one.error = one.error or self.reason
            self._end(one, "dead", now)
        return dead

    def _end(self, row: Delivery, state: State, now: float) -> None:
        row.state, row.ended_at = state, now
        self._keys[row.key] = [one for one in self._keys[row.key] if one is not row]
        if not self._keys[row.key]:
            del self._keys[row.key]
        self._refusals.pop(row.name, None)
        if row.id:
            self.changed.append(row)
        else:
            self._unwritten[row.key, row.sequence] = row

    def trouble(self, now: float) -> tuple[str, float] | None:
        """What is wrong with the channel, and since when, once it is worth telling."""
        if self._refusals and now - (since := min(self._refusals.values())) >= TROUBLE_AFTER:
            return f"refuses messages: {self.reason or 'as before the start'}", since
        if self._failing_since is not None and now - self._failing_since >= SILENT_AFTER:
            return f"takes no messages: {self.reason}", self._failing_since
        return None


def _urgency(row: Delivery) -> tuple[bool, bool, int]:
    """What goes without the store first, then what opens; then in the order written."""
    return bool(row.id), row.action not in OPENED, row.id
