"""Reads a journal's entries in order, from segment to segment; damage stops it, or is told when it may go on behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from streams.runtime.entries import Logged, decode, find_next

READ_BYTES = 1024 * 1024


class Segments(Protocol):
    """A journal as far as reading needs it."""

    past_damage: bool

    def segments(self) -> list[Path]: ...
    def synced(self) -> tuple[int, Path, int]: ...  # the next seq, the newest segment, its synced bytes


class JournalDamagedError(RuntimeError):
    """An entry cannot be read though later ones can; the message names file and byte."""


class JournalReader:
    """Reads entries in order, only synced ones; damage passed over (where allowed) is told in `passed`."""

    def __init__(self, journal: Segments, seq: int) -> None:
        self.journal = journal
        found = journal.segments()
        holding = [path for path in found if int(path.stem) <= seq] or found[:1]
        self.path = holding[-1]
        self.wanted = seq
        self.seq = int(self.path.stem)
        self.passed: list[str] = []
        self._at = 0  # byte of the file where the buffer begins
        self._buffer = b""
        self._used = 0
        while self.seq < self.wanted and self.take(1000):
            continue

    def take(self, limit: int) -> list[Logged]:
        """The next entries, at most `limit`; empty when all synced ones were taken. Raises JournalDamagedError."""
        end, active, size = self.journal.synced()
        taken: list[Logged] = []
        while self.seq < end and len(taken) < limit:
            found = decode(self._buffer, self._used)
            if found is None or found[0].seq != self.seq:
                if not self._load(active, size):
                    break
                continue
            entry, self._used = found
            self.seq = entry.seq + 1
            taken.append(entry)
            if self.seq == self.wanted:
                break
        return taken

    def _load(self, active: Path, size: int) -> bool:
        """Read on, into the next segment where this one ends; whether there is an entry now."""
        self._at, self._used, self._buffer = self._at + self._used, 0, b""
        length = size if self.path == active else self.path.stat().st_size
        for read_bytes in (READ_BYTES, 4 * READ_BYTES):
            with self.path.open("rb") as file:
                file.seek(self._at)
                self._buffer = file.read(max(0, min(read_bytes, length - self._at)))
            found = decode(self._buffer, 0)
            if found is not None and found[0].seq == self.seq:
                return True
        if self._at >= length:
            if self.path == active:
                return False
            following = [path for path in self.journal.segments() if path > self.path]
            if following and int(following[0].stem) == self.seq:
                self.path, self._at, self._buffer = following[0], 0, b""
                return True
        return self._pass_damage(length)

    def _pass_damage(self, length: int) -> bool:
        with self.path.open("rb") as file:
            file.seek(self._at)
            rest = file.read(max(0, length - self._at))
        behind = find_next(rest, 0 if decode(rest, 0) else 1)
        text = damage_text(self.path, self._at, None if behind is None else self._at + behind)
        if not self.journal.past_damage:
            raise JournalDamagedError(text)
        self.passed.append(text)
        found = decode(rest, behind) if behind is not None else None
        if found is not None and behind is not None:
            self._at, self.seq = self._at + behind, found[0].seq
            return True
        following = [path for path in self.journal.segments() if path > self.path]
        if not following:
            return False
        self.path, self.seq, self._at = following[0], int(following[0].stem), 0
        return True


def damage_text(path: Path, at: int, until: int | None) -> str:
    """What is damaged, and what one can do."""
    to = "the end" if until is None else f"byte {until}"
    return (
        f"{path}: damaged from byte {at} to {to}, with intact entries behind it. Put the file back from a copy, "
        "or run with --past-damage to go on without what stood there"
    )
