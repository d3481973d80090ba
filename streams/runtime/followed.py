"""A file that others append to, read in place by (inode, offset): rotated, truncated, with a last line still being written.

`poll` says how far one may read on; only what the journal has noted is read for counting, so a restart reads the same lines in the same order.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from streams.complaint import Record
from streams.runtime.csv_rows import rows_as_json
from streams.runtime.entries import Advance
from streams.runtime.files import BOM, Block, CsvOptions, FileError
from streams.runtime.settings import SourceSettings

CHUNK_BYTES = 1024 * 1024
HEAD_BYTES = 64
MAX_ROW_BYTES = 512 * 1024  # a CSV row that goes on for longer has a stray quote
QUIET_SECONDS = 2.0  # a file moved away is done when nothing was written to it for so long


class Cursor(msgspec.Struct):
    """How far a file was read; `head` is how it began, to know it again. `generation` counts files of this name."""

    inode: int = 0
    offset: int = 0
    line: int = 1
    head: str = ""
    generation: int = 0


def cursor_after(advance: Advance) -> Cursor:
    """Where reading goes on after a stretch."""
    return Cursor(advance.inode, advance.end, advance.line + advance.lines, advance.head, advance.generation)


class Followed:
    """One followed file. `poll` and `took` belong to one thread, `records` to another."""

    def __init__(self, source: SourceSettings, partition: int, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        assert source.path is not None
        self.source = source
        self.partition = partition
        self.quiet_seconds = quiet_seconds
        self.path = source.path
        self.csv = source.file_format == "csv"
        self.cursor = Cursor()
        self.notices: list[str] = []  # what happened to the file since they were last taken
        self.trouble: str | None = None  # why it cannot be read
        self.caught_up = False
        self._options = CsvOptions(source.columns, source.name, source.time_format)
        self._file = -1

    # -- looking -------------------------------------------------------------------------------------------------

    def poll(self) -> Advance | None:
        """The next stretch of whole lines, None when there is none."""
        self.caught_up = False
        try:
            if self._file < 0 and not self._open():
                self.caught_up = True
                return None
            moved = self._moved_on()
            quiet = moved and time.time() - os.fstat(self._file).st_mtime >= self.quiet_seconds
            found = self._stretch(last=quiet)
            if found is None and quiet:
                self._close()
                self.cursor = Cursor(generation=self.cursor.generation + 1)
                return self.poll()
            self.trouble = None
            self.caught_up = found is None
            return found
        except (OSError, FileError) as error:
            self.trouble = f"{self.source.name}: {error}"
            return None

    def took(self, advance: Advance) -> None:
        """The journal has noted the stretch."""
        self.cursor = cursor_after(advance)

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    def _open(self) -> bool:
        """Open the file being read, else the one that has the name now; whether there is one."""
        path = self._by_inode(self.cursor.inode) if self.cursor.inode else None
        if path is None and self.cursor.inode:
            self.notices.append(
                f"{self.path}: the file read so far is gone; what it had after byte {self.cursor.offset} is lost"
            )
        if path is None:
            path = self.path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        at = os.fstat(self._file)
        head = os.pread(self._file, HEAD_BYTES, 0)
        known = bytes.fromhex(self.cursor.head)
        if at.st_ino != self.cursor.inode or at.st_size < self.cursor.offset or not head.startswith(known):
            self._begin(at.st_ino)
        return True

    def _begin(self, inode: int) -> None:
        """Another file than the one read so far, or the first."""
        another = 1 if self.cursor.inode else 0
        self.cursor = Cursor(inode, generation=self.cursor.generation + another)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _moved_on(self) -> bool:
        """Whether another file has the name now, or the one we read was cut short."""
        size, inode = os.fstat(self._file).st_size, os.fstat(self._file).st_ino
        if size < self.cursor.offset or not os.pread(self._file, HEAD_BYTES, 0).startswith(
            bytes.fromhex(self.cursor.head)
        ):
            self.notices.append(f"{self.path}: truncated after {self.cursor.offset} bytes; read from its beginning")
            self._begin(inode)
            return False
        try:
            return self.path.stat().st_ino != inode
        except FileNotFoundError:
            return False

    def _stretch(self, *, last: bool) -> Advance | None:
        """Whole lines after the cursor; in a file that was moved away the last line is whole as it is."""
        cursor = self.cursor
        size = CHUNK_BYTES
        while True:
            data = os.pread(self._file, size, cursor.offset)
            end = _whole(data, self.csv)
            if end or len(data) < size:
                break
            size *= 4  # one very long line
        if last and not end:
            end = len(data)
        if not end:
            return None
        if self.csv and cursor.offset == 0:
            self._check_header(data[:end])
        head = cursor.head if len(cursor.head) == 2 * HEAD_BYTES else os.pread(self._file, HEAD_BYTES, 0).hex()
        head = head[: 2 * min(HEAD_BYTES, cursor.offset + end)]
        lines = data[:end].count(b"\n")
        inode = os.fstat(self._file).st_ino
        return Advance(
            str(self.path), inode, cursor.offset, cursor.offset + end, cursor.line, lines, cursor.generation, head
        )

    def _check_header(self, data: bytes) -> None:
        """Raises FileError when required columns are missing."""
        rows = rows_as_json(iter([Block([_first_line(data)], [1])]), self._options, self.path.name, lambda *_: None)
        next(rows, None)

    # -- reading -------------------------------------------------------------------------------------------------

    def records(self, advance: Advance, arrival: float) -> list[Record]:
        """The records of a stretch the journal has noted. Raises FileNotFoundError when the file is gone."""
        path = self._by_inode(advance.inode)
        if path is None:
            raise FileNotFoundError(f"{advance.path}: gone with bytes {advance.start} to {advance.end} not read")
        with path.open("rb") as file:
            header = _first_line(file.read(CHUNK_BYTES)) if self.csv and advance.start else b""
            file.seek(advance.start)
            data = file.read(advance.end - advance.start)
        if advance.start == 0:
            data = data.removeprefix(BOM)
        origin = self.path.name + (f"#{advance.generation + 1}" if advance.generation else "")
        block = _lines(data, advance.line)
        if not self.csv:
            return [Record(position, value, arrival, origin) for value, position in zip(*block, strict=True)]
        if header:
            block = Block([header, *block.values], [0, *block.positions])
        rows = rows_as_json(iter([block]), self._options, origin, self._notice)
        return [
            Record(position, value, arrival, origin)
            for values, at in rows
            for value, position in zip(values, at, strict=True)
        ]

    def _notice(self, key: str, text: str) -> None:
        self.notices.append(text)

    def _by_inode(self, inode: int) -> Path | None:
        """Where the file of this inode lies: under its name, or moved aside in the same folder."""
        for path in _beside(self.path):
            try:
                if path.stat().st_ino == inode:
                    return path
            except FileNotFoundError:
                continue
        return None


def _beside(path: Path) -> Iterator[Path]:
    yield path
    if path.parent.is_dir():
        yield from sorted(one for one in path.parent.iterdir() if one != path and one.is_file())


def _first_line(data: bytes) -> bytes:
    return data.removeprefix(BOM).split(b"\n", 1)[0]


def _lines(data: bytes, first: int) -> Block:
    """Lines that are not blank, and their numbers."""
    kept = [(value, line) for line, value in enumerate(data.split(b"\n"), first) if value.strip()]
    return Block([value for value, _ in kept], [line for _, line in kept])


def _whole(data: bytes, csv: bool) -> int:
    """Where the last whole line ends, 0 when there is none; a CSV row may hold line ends in quotes."""
    end = data.rfind(b"\n") + 1
    if not csv:
        return end
    whole = end
    while whole and data.count(b'"', 0, whole) % 2:
        whole = data.rfind(b"\n", 0, whole - 1) + 1
    return end if end - whole > MAX_ROW_BYTES else whole
