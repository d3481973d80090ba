"""Who was heard already: records seen before (dedupe) and authors who spoke on a keyword within the hour (voices).

Both keep two generations and drop the older one as event time passes, so memory is bounded by traffic and by a cap.
Authors are known only by a keyed token of the event day (BLAKE2b, RFC 7693), which leaves with the generation that holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

VOICE_SECONDS = 3600.0
DAY_SECONDS = 86400.0
MAX_RECORDS = 1_000_000  # in one generation; about 65 MB


class Seen:
    """Digests of the records seen: at least `span_seconds` of event time, unless more than `max_records` came in it."""

    def __init__(self, span_seconds: float = DAY_SECONDS, max_records: int = MAX_RECORDS) -> None:
        self.span_seconds = span_seconds
        self.max_records = max_records
        self.now: set[bytes] = set()
        self.before: set[bytes] = set()
        self.since: float | None = None
        self.before_since: float | None = None

    def add(self, digest: bytes, newest: float) -> bool:
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


Spoken = list[tuple[float, tuple[int, ...]]]


class Voices:
    """An author's first complaint on a keyword within 60 min of event time is a voice; the rest are messages."""

    def __init__(self, secret: bytes) -> None:
        self.tokens = Tokens(secret)
        self.now: dict[bytes, Spoken] = {}
        self.before: dict[bytes, Spoken] = {}
        self.since = float("-inf")

    def hear(self, author: bytes, keywords: tuple[int, ...], time: float) -> tuple[int, ...]:
        """Those of `keywords` on which this author had not been heard within the hour."""
        if time - self.since >= VOICE_SECONDS:
            self.before, self.now, self.since = (self.now if time - self.since < 2 * VOICE_SECONDS else {}), {}, time
        day, second = divmod(time, DAY_SECONDS)
        token = self.tokens.of(author, int(day))
        spoken = self.now.get(token) or self.before.get(token)
        if spoken is None and second < VOICE_SECONDS:
            yesterday = self.tokens.of(author, int(day) - 1)
            spoken = self.now.get(yesterday) or self.before.get(yesterday)
        if spoken is None:
            self.now[token] = [(time, keywords)]
            return keywords
        lately = [(at, said) for at, said in spoken if abs(time - at) < VOICE_SECONDS]
        known = {keyword for _, said in lately for keyword in said}
        fresh = tuple(keyword for keyword in keywords if keyword not in known)
        if fresh:
            lately.append((time, fresh))
        self.now[token] = lately
        return fresh


def generations(first: Iterable[bytes], second: Iterable[bytes]) -> list[bytes]:
    """Two sets of 8-byte digests as two sorted byte strings, for a snapshot that does not depend on hash order."""
    return [b"".join(sorted(first)), b"".join(sorted(second))]


def digests(packed: bytes) -> set[bytes]:
    """The set back from one string of `generations`."""
    return {packed[i : i + 8] for i in range(0, len(packed), 8)}
