"""Which partition a complaint belongs to: the key rule of the complaints topic with Kafka's default partitioner."""

from __future__ import annotations

import msgspec

MAX_CACHED = 1 << 18


class Sender(msgspec.Struct, gc=False):
    """The fields a key is made of."""

    source: str
    id: str | None = None
    author: str | None = None


_sender = msgspec.json.Decoder(Sender).decode


def key_of(value: bytes) -> bytes | None:
    """`source NUL author`, else `source NUL id`, so that an author and a redelivered id stay in one partition; None where none can be read."""
    try:
        sender = _sender(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    last = sender.id if sender.author is None else sender.author
    return None if last is None else f"{sender.source}\0{last}".encode("utf-8", "replace")


class Router:
    """Partition numbers 0 .. partitions - 1; records without a key go to 0."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._known: dict[bytes, int] = {}

    def partition(self, value: bytes) -> int:
        """The partition of a record."""
        return 0 if self.partitions == 1 else self.of_key(key_of(value))

    def of_key(self, key: bytes | None) -> int:
        """The partition of a key."""
        if self.partitions == 1 or key is None:
            return 0
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            found = self._known[key] = (murmur2(key) & 0x7FFFFFFF) % self.partitions
        return found


def murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's clients use it for keys (seed 0x9747b28c), unsigned 32 bits."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    length = len(data)
    state = 0x9747B28C ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * mixer & mask
        word = (word ^ word >> 24) * mixer & mask
        state = state * mixer & mask ^ word
    if length & 3:
        state = (state ^ int.from_bytes(data[whole:], "little")) * mixer & mask
    state = (state ^ state >> 13) * mixer & mask
    return state ^ state >> 15
