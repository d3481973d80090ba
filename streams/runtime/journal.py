"""The embedded log: append-only segments, fsynced (many appends by one call) before anyone is told that an entry is kept.

A torn tail, as a crash leaves it, is cut off. Damage with intact entries behind it is named, never passed over in silence.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from streams.runtime.entries import Entry, decode, encode, find_next
from streams.runtime.journal_reader import READ_BYTES, JournalDamagedError, JournalReader, damage_text

SEGMENT_BYTES = 64 * 1024 * 1024
SUFFIX = ".journal"


class JournalFullError(OSError):
    """The entries could not be written, and nothing of them is kept."""


class Journal:
    """The journal of one folder. `append` from one event loop; `reader` gives access from any one thread."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, past_damage: bool = False) -> None:
        """Open it, cutting off a torn tail. Raises JournalDamagedError unless `past_damage` lets it go on behind the damage."""
        self.folder = folder
        self.segment_bytes = segment_bytes
        self.past_damage = past_damage
        self.torn_bytes = 0
        self.failure: OSError | None = None  # of the last append; None when it succeeded
        self.next_seq = 0  # all before it are synced
        self.last_arrival: float | None = None
        self._synced = threading.Condition()
        self._waiting: list[tuple[Sequence[Entry], asyncio.Future[int]]] = []
        self._writer = ThreadPoolExecutor(1, "journal")
        self._flushing: asyncio.Task[None] | None = None
        self._file = -1
        folder.mkdir(parents=True, exist_ok=True)
        found = self.segments()
        self.active = found[-1] if found else folder / f"{0:020d}{SUFFIX}"
        self.size = self._recover()

    def segments(self) -> list[Path]:
        """The files, oldest first; each is named by the seq of its first entry."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    def _recover(self) -> int:
        """Open the newest segment and find its end."""
        self._open(self.active)
        self.next_seq = int(self.active.stem)
        at, size = 0, os.fstat(self._file).st_size
        while at < size:
            data, used = os.pread(self._file, 4 * READ_BYTES, at), 0
            while found := decode(data, used):
                entry, used = found
                self.next_seq, self.last_arrival = entry.seq + 1, entry.arrival
            at += used
            if used:
                continue
            rest = os.pread(self._file, size - at, at)
            behind = find_next(rest, 1)
            if behind is None:
                self.torn_bytes = size - at
                os.ftruncate(self._file, at)
                break
            if not self.past_damage:
                raise JournalDamagedError(damage_text(self.active, at, at + behind))
            at += behind
        return at

    # -- writing -------------------------------------------------------------------------------------------------

    async def append(self, entries: Sequence[Entry]) -> int:
        """Keep the entries, in order and together; returns the first one's seq once all are on the disk. Raises JournalFullError."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="journal flush")
        return await future

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            together = [entry for entries, _ in batch for entry in entries]
            try:
                first = await loop.run_in_executor(self._writer, self.write, together)
            except OSError as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(JournalFullError(error.errno, error.strerror))
                continue
            for entries, future in batch:
                if not future.done():
                    future.set_result(first)
                first += len(entries)

    def write(self, entries: Sequence[Entry]) -> int:
        """Append and sync, on the one thread that writes; returns the first one's seq. Raises OSError, and then nothing is kept."""
        first = self.next_seq
        data = b"".join(encode(seq, entry) for seq, entry in enumerate(entries, first))
        try:
            if self.size >= self.segment_bytes:
                self._roll(first)
            view, at = memoryview(data), self.size
            while view:
                done = os.pwrite(self._file, view, at)
                view, at = view[done:], at + done
            os.fsync(self._file)
        except OSError as error:
            self.failure = error
            os.ftruncate(self._file, self.size)
            raise
        self.failure = None
        with self._synced:
            self.size += len(data)
            self.next_seq = first + len(entries)
            self.last_arrival = entries[-1].arrival if entries else self.last_arrival
            self._synced.notify_all()
        return first

    def _roll(self, first: int) -> None:
        path = self.folder / f"{first:020d}{SUFFIX}"
        try:
            self._open(path)
        except OSError:
            path.unlink(missing_ok=True)  # an empty newer segment would hide what this one still takes
            raise
        with self._synced:
            self.active, self.size = path, 0

    def _open(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name must survive too
        finally:
            os.close(folder)
        if self._file >= 0:
            os.close(self._file)
        self._file = file

    def begin_at(self, seq: int) -> None:
        """Go on at `seq` at least: what was counted is ahead of a journal that was deleted or put back from a copy."""
        if self.next_seq < seq:
            self._roll(seq)
            self.next_seq = seq

    def bytes_from(self, seq: int) -> int:
        """Bytes of the segments that hold entry `seq` and all after it; up to a segment more than these entries take."""
        _, active, size = self.synced()
        if (
            int(active.stem) <= seq
        ):  # as a rule: it is asked with each request, and a week's journal is hundreds of files
            return size
        older = [path for path in self.segments() if path < active]
        following = [int(path.stem) for path in (*older[1:], active)]
        return size + sum(path.stat().st_size for path, end in zip(older, following, strict=False) if end > seq)

    def delete_before(self, seq: int, older_than: float) -> list[Path]:
        """Delete segments whose entries all precede `seq`, last written before `older_than` (Unix seconds); returns them."""
        found = self.segments()
        gone = []
        for path, following in pairwise(found):
            if int(following.stem) > seq or path.stat().st_mtime >= older_than:
                break
            path.unlink()
            gone.append(path)
        return gone

    def close(self) -> None:
        """Finish what is being written and let go of the files."""
        self._writer.shutdown(wait=True)
        os.close(self._file)
        self.wake()

    # -- reading -------------------------------------------------------------------------------------------------

    def reader(self, seq: int) -> JournalReader:
        """The entries from `seq` on; from the oldest kept when `seq` is older."""
        return JournalReader(self, seq)

    def synced(self) -> tuple[int, Path, int]:
        """The next seq, the newest segment, and how many of its bytes are synced."""
        with self._synced:
            return self.next_seq, self.active, self.size

    def wait(self, seq: int, seconds: float) -> bool:
        """Block until entry `seq` is synced, at most so long; whether it is."""
        with self._synced:
            if self.next_seq <= seq:
                self._synced.wait(seconds)
            return self.next_seq > seq

    def wake(self) -> None:
        """End all waiting, to stop."""
        with self._synced:
            self._synced.notify_all()


__all__ = ["Journal", "JournalDamagedError", "JournalFullError", "JournalReader"]
