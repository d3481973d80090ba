"""Files of complaints as blocks of records: JSON lines or CSV, plain or gzip. Damage is told, and what came before it is kept.

A record's position is the line on which it begins, from 1. Lines end at \\n alone: texts hold other Unicode separators.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

CHUNK_BYTES = 256 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024  # what a longer line has beyond this is dropped; it is refused as too large anyway
GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv"}

Kind = Literal["jsonl", "csv"]
BytesRead = Callable[[int], None]


class FileError(ValueError):
    """A file that cannot be read as complaints at all; the message says why and what to do."""


class Block(NamedTuple):
    """Records as bytes (JSON objects, where they are well formed) and the line each begins on."""

    values: list[bytes]
    positions: Sequence[int]


class Source(Protocol):
    """What complaints are read from, as often as wanted."""

    name: str
    size_bytes: int
    notices: dict[str, str]  # what was odd about it, each thing once

    def blocks(self, read: BytesRead = ...) -> Iterator[Block]:
        """Its records; `read` is told the bytes consumed so far. Raises FileError."""


class CsvOptions(NamedTuple):
    """How the columns of a CSV file become fields of a complaint."""

    columns: Mapping[str, str] = {}  # field: column; `id = "*"` makes the id from the whole row
    source: str | None = None  # for rows without one
    time_format: str | None = None  # of `created_at`, as strptime takes it; ISO 8601 when None


class Input:
    """One file, read from its beginning as often as wanted; `notices` tells what was odd about it, each thing once."""

    def __init__(self, path: Path, csv: CsvOptions = CsvOptions()) -> None:  # noqa: B008 - a constant
        self.path = path
        self.name = path.name
        self.csv = csv
        self.notices: dict[str, str] = {}
        try:
            self.size_bytes = path.stat().st_size
            self.kind: Kind = self._kind()
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None

    def blocks(self, read: BytesRead = lambda _: None) -> Iterator[Block]:
        """The file's records in file order; `read` is told the bytes of the file consumed so far. Raises FileError."""
        lines = split_lines(self._chunks(read))
        if self.kind == "jsonl":
            return lines
        from streams.runtime.csv_rows import rows_as_json

        return rows_as_json(lines, self.csv, self.name, self._notice)

    def _kind(self) -> Kind:
        head = next(self._chunks(lambda _: None), b"")
        if head.startswith(UTF_16):
            raise FileError(f"{self.path}: UTF-16; convert it first: iconv -f UTF-16 -t UTF-8")
        first = head.removeprefix(BOM).lstrip()[:1]
        stem = self.path.with_suffix("") if self.path.suffix == ".gz" else self.path
        kind = KINDS.get(stem.suffix.lower())
        if first == b"[" and kind != "csv":
            raise FileError(f"{self.path}: one JSON array; one object a line is wanted: jq -c '.[]' FILE > FILE.jsonl")
        if kind is None:
            kind = "jsonl" if first in (b"{", b"") else "csv"
        return "csv" if kind == "csv" else "jsonl"

    def _notice(self, key: str, text: str) -> None:
        self.notices.setdefault(key, text)

    def _chunks(self, read: BytesRead) -> Iterator[bytes]:
        """The file's bytes, unpacked."""
        done = 0
        with self.path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            unpack = Gunzip() if packed else None
            while chunk := file.read(CHUNK_BYTES):
                yield from (chunk,) if unpack is None else unpack.feed(chunk)
                done += len(chunk)
                read(done)
                if unpack is not None and unpack.damaged_at is not None:
                    break
        if unpack is not None:
            unpack.end()
            if unpack.damaged_at is not None:
                self._notice(
                    "gzip",
                    f"{self.name}: damaged gzip, {unpack.damage} at byte {unpack.damaged_at:,} of {self.size_bytes:,}; "
                    "what came before was kept",
                )


class Gunzip:
    """Unpacks gzip (several members too) piece by piece; stops at damage and knows the byte."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._fresh = True  # nothing of the member has come yet
        self._at = 0
        self.damaged_at: int | None = None
        self.damage = ""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to, in pieces of bounded size."""
        while data and self.damaged_at is None:
            if self._fresh:
                padding = len(data) - len(data.lstrip(b"\0"))  # after a member, zeros may fill a block
                self._at += padding
                data = data[padding:]
                if not data:
                    return
                self._fresh = False
            before = self._member.copy()
            try:
                out = self._member.decompress(data, 4 * CHUNK_BYTES)
            except zlib.error as error:
                yield from self._up_to_damage(before, data, str(error))
                return
            rest = self._member.unused_data or self._member.unconsumed_tail
            self._at += len(data) - len(rest)
            data = rest
            if out:
                yield out
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
                self._fresh = True

    def end(self) -> None:
        """No more will come."""
        if not self._fresh and self.damaged_at is None:
            self.damaged_at, self.damage = self._at, "cut off"

    def _up_to_damage(self, member: zlib._Decompress, data: bytes, damage: str) -> Iterator[bytes]:
        """Byte by byte, once: what can still be unpacked."""
        self.damage = damage.rsplit(": ", 1)[-1]
        for offset in range(len(data)):
            try:
                out = member.decompress(data[offset : offset + 1])
            except zlib.error:
                self.damaged_at = self._at + offset
                return
            if out:
                yield out
        self.damaged_at = self._at + len(data)


def split_lines(chunks: Iterator[bytes]) -> Iterator[Block]:
    """Lines that are not blank, without their \\n, in blocks."""
    rest, line, first = b"", 1, True
    for chunk in chunks:
        if first:
            chunk, first = chunk.removeprefix(BOM), False
        values = (rest + chunk).split(b"\n")
        rest = values.pop()[:MAX_LINE_BYTES]
        if values:
            yield _without_blanks(values, line)
            line += len(values)
    if rest:
        yield _without_blanks([rest], line)


def _without_blanks(values: list[bytes], line: int) -> Block:
    if b"" not in values and b"\r" not in values:
        return Block(values, range(line, line + len(values)))
    kept = [(value, position) for position, value in enumerate(values, line) if value not in (b"", b"\r")]
    return Block([value for value, _ in kept], [position for _, position in kept])
