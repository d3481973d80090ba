"""Who was heard already: records seen before (dedupe) and authors who spoke on a keyword within the hour (voices).

Both keep two generations and drop the older one as event time passes, so memory is bounded by traffic and by a cap.
Authors' names stay in memory for two hours of event time at most; a snapshot knows them only by a keyed token of the event
day (BLAKE2b, RFC 7693), which leaves with the generation that holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

VOICE_SECONDS = 3600.0
DAY_SECONDS = 86400.0
NEVER = float("-inf")
MAX_RECORDS = 1_000_000  # in one generation; about 65 MB
_PRIME = (1 << 64) - 59
_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC835


def digest(source: str, id: str) -> int:
    """64 bits that stand for a record: its name as one number, spread, modulo a prime (Karp, Rabin 1987)."""
    return int.from_bytes(f"\1{source}\0{id}".encode("utf-8", "replace"), "big") * _FACTOR % _PRIME


class Seen:
    """Digests of the records seen: at least `span_seconds` of event time, unless more than `max_records` came in it."""

    def __init__(self, span_seconds: float = DAY_SECONDS, max_records: int = MAX_RECORDS) -> None:
        self.span_seconds = span_seconds
        self.max_records = max_records
        self.now: set[int] = set()
        self.before: set[int] = set()
        self.since: float | None = None
        self.before_since: float | None = None

    def add(self, digest: int, newest: float) -> bool:
        """Whether `digest` is new; `newest` is the newest event time accepted so far."""
        now = self.now
        if digest in now or digest in self.before:
            return False
        if self.since is None:
            self.since = newest
        elif newest - self.since >= self.span_seconds or len(now) >= self.max_records:
            self.before, self.now, self.before_since, self.since = now, {digest}, self.since, newest
            return True
        now.add(digest)
        return True

    def reach_seconds(self, newest: float) -> float:
        """How far back in event time a repeated record is still recognised."""
        start = self.before_since if self.before_since is not None else self.since
        return 0.0 if start is None else newest - start


class Tokens:
    """Author tokens under a key of the event day, made from one shared secret."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.days: dict[int, hashlib.blake2b] = {}

    def of(self, author: bytes, day: int) -> bytes:
        """The 8-byte token of `author` (source, NUL, name) on a day (Unix days)."""
        base = self.days.get(day)
        if base is None:
            if len(self.days) > 8:
                self.days.clear()
            key = hashlib.blake2b(day.to_bytes(8, "big", signed=True), key=self.secret, digest_size=32).digest()
            base = self.days[day] = hashlib.blake2b(key=key, digest_size=8)
        keyed = base.copy()
        keyed.update(author)
        return keyed.digest()


Keywords = tuple[int, ...]
Spoken = tuple[float, Keywords] | dict[int, float]  # once; or when last counted on each keyword
MAX_SPOKEN = 64  # keywords of an author before those longer ago than an hour are forgotten


class Voices:
    """An author's first complaint on a keyword within 60 min of event time is a voice; the rest are messages."""

    def __init__(self, secret: bytes) -> None:
        self.tokens = Tokens(secret)
        self.now: dict[str, Spoken] = {}
        self.before: dict[str, Spoken] = {}
        self.since = float("-inf")
        self._restored_now: dict[bytes, Spoken] = {}  # by token: who spoke before the snapshot this was restored from
        self._restored_before: dict[bytes, Spoken] = {}

    def hear(self, author: str, keywords: Keywords, time: float) -> Keywords:
        """Those of `keywords` on which this author (source, NUL, name) had not been heard within the hour."""
        if time - self.since >= VOICE_SECONDS:
            self._pass(time)
        spoken = self.now.get(author)
        if spoken is None:
            spoken = self.before.get(author)
            if spoken is None and (self._restored_now or self._restored_before):
                spoken = self._from_snapshot(author, time)
            if spoken is None:
                self.now[author] = (time, keywords)
                return keywords
            self.now[author] = spoken
        if isinstance(spoken, tuple):
            at, said = spoken
            if said == keywords and abs(time - at) < VOICE_SECONDS:
                return ()
            spoken = self.now[author] = dict.fromkeys(said, at)
        return _fresh(spoken, keywords, time)

    def _pass(self, time: float) -> None:
        """Begin a generation."""
        near = time - self.since < 2 * VOICE_SECONDS
        self.before, self.now = (self.now if near else {}), {}
        self._restored_before, self._restored_now = (self._restored_now if near else {}), {}
        self.since = time

    def _from_snapshot(self, author: str, time: float) -> Spoken | None:
        name, day = author.encode("utf-8", "replace"), int(time // DAY_SECONDS)
        tokens = [self.tokens.of(name, near) for near in (day, day - 1, day + 1)]
        for restored in (self._restored_now, self._restored_before):
            for token in tokens:
                if token in restored:
                    return restored.pop(token)  # known by name from now on
        return None

    def state(self) -> tuple[dict[bytes, Spoken], dict[bytes, Spoken], float]:
        """For a snapshot: both generations by token, and when the younger one began."""
        now = self._restored_now | self._by_token(self.now)
        return now, self._restored_before | self._by_token(self.before), self.since

    def restore(self, now: dict[bytes, Spoken], before: dict[bytes, Spoken], since: float) -> None:
        """Take over a `state`."""
        self.now, self.before, self.since = {}, {}, since
        self._restored_now, self._restored_before = now, before

    def _by_token(self, generation: Mapping[str, Spoken]) -> dict[bytes, Spoken]:
        of = self.tokens.of
        return {
            of(author.encode("utf-8", "replace"), int(_last(spoken) // DAY_SECONDS)): spoken
            for author, spoken in generation.items()
        }


def _fresh(spoken: dict[int, float], keywords: Keywords, time: float) -> Keywords:
    """Those not said within the hour, noted."""
    fresh = tuple([one for one in keywords if one not in spoken or abs(time - spoken[one]) >= VOICE_SECONDS])
    for keyword in fresh:
        if time > spoken.get(keyword, NEVER):
            spoken[keyword] = time
    if len(spoken) > MAX_SPOKEN:
        for keyword in [one for one, at in spoken.items() if time - at >= VOICE_SECONDS]:
            del spoken[keyword]
    return fresh


def _last(spoken: Spoken) -> float:
    return spoken[0] if isinstance(spoken, tuple) else max(spoken.values())


def packed(digests: Iterable[int]) -> bytes:
    """A set of digests as sorted 8-byte numbers, for a snapshot that does not depend on hash order."""
    return np.sort(np.fromiter(digests, np.uint64)).tobytes()


def unpacked(digests: bytes) -> set[int]:
    """The set back from `packed`."""
    return set(np.frombuffer(digests, np.uint64).tolist())
