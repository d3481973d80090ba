"""Rows of a CSV export as JSON complaints: the delimiter is found, columns are mapped to fields, UTF-8 with cp1252 as the fallback."""

from __future__ import annotations

import csv
import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from streams.runtime.files import Block, CsvOptions, FileError

REQUIRED = ("id", "created_at", "text", "source")
OPTIONAL = (
    "author",
    "location",
    "place",
    "lat",
    "lon",
    "lang",
    "audience",
    "repost_of",
    "reply_to",
    "url",
    "received_at",
)
NUMBERS = ("lat", "lon")
SYNONYMS = {
    "id": ("unique key", "key", "case id", "case number", "ticket id", "ticket", "tweet id", "service request id", "number", "nr"),
    "created_at": ("created date", "created", "date created", "timestamp", "datetime", "date time", "time", "opened", "date received", "date"),
    "text": ("body", "message", "complaint", "description", "descriptor", "content", "tweet", "comment", "summary", "subject", "problem"),
    "source": ("channel", "origin", "platform", "agency"),
    "lat": ("latitude",),
    "lon": ("longitude", "lng", "long"),
}  # fmt: skip
DELIMITERS = ",;\t|"
MAX_FIELD_CHARACTERS = 512 * 1024
BLOCK_ROWS = 512

Notice = Callable[[str, str], None]


class Layout(NamedTuple):
    """Where each field stands in a row: (field, index), and the number of columns."""

    fields: tuple[tuple[str, int], ...]
    columns: int
    hashed_id: bool


def rows_as_json(lines: Iterator[Block], options: CsvOptions, name: str, notice: Notice) -> Iterator[Block]:
    """Blocks of JSON records. A row with too many fields, or a quote that never ends, is passed on as it stands, to be refused.

    Raises FileError when the header lacks a required column.
    """
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    feed = _Feed(lines)
    header_line = next(feed, None)
    if header_line is None:
        return
    delimiter = max(DELIMITERS, key=_outside_quotes(header_line).count)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    layout = layout_of([_text(column, notice, name).strip() for column in header], options, name)
    values: list[bytes] = []
    positions: list[int] = []
    for position, row in _rows(feed, delimiter, name, notice):
        values.append(row if isinstance(row, bytes) else _record(row, layout, options, name, notice))
        positions.append(position)
        if len(values) == BLOCK_ROWS:
            yield Block(values, positions)
            values, positions = [], []
    if values:
        yield Block(values, positions)


def layout_of(header: Sequence[str], options: CsvOptions, name: str) -> Layout:
    """The fields' columns. Raises FileError naming the columns found and a `--map` to paste."""
    by_name = {column: index for index, column in reversed(list(enumerate(header)))}
    by_plain = {_plain(column): index for index, column in reversed(list(enumerate(header)))}
    found: dict[str, int] = {}
    missing: list[str] = []
    for field in (*REQUIRED, *OPTIONAL):
        mapped = options.columns.get(field)
        column = field if mapped is None or mapped == "*" else mapped
        index = by_name.get(column, by_plain.get(_plain(column)))
        if index is not None:
            found[field] = index
        elif mapped is not None and not (field == "id" and mapped == "*"):
            missing.append(f"{field} (mapped to {mapped!r})")
        elif field in REQUIRED and not (mapped == "*" or (field == "source" and options.source)):
            missing.append(field)
    for field in NUMBERS:
        index = next((by_plain[plain] for plain in SYNONYMS[field] if plain in by_plain), None)
        if index is not None:
            found.setdefault(field, index)
    if missing:
        raise FileError(
            f"{name}, line 1: no column for {', '.join(missing)}. Columns found: {', '.join(header)}.\n"
            f"Try: {suggestion(header, options, found)}"
        )
    hashed = options.columns.get("id") == "*"
    return Layout(
        tuple((field, index) for field, index in found.items() if not (hashed and field == "id")), len(header), hashed
    )


def suggestion(header: Sequence[str], options: CsvOptions, found: dict[str, int]) -> str:
    """The options that would read this file, ready to paste."""
    by_plain = {_plain(column): column for column in reversed(header)}
    parts = []
    for field in REQUIRED:
        if field in found:
            mapped = options.columns.get(field)
            parts += [f"--map {field}={shlex.quote(mapped)}"] if mapped else []
            continue
        guess = next((by_plain[plain] for plain in SYNONYMS[field] if plain in by_plain), None)
        guess = guess or next((c for p, c in by_plain.items() if any(s in p.split() for s in SYNONYMS[field])), None)
        if guess is not None:
            parts.append(f"--map {field}={shlex.quote(guess)}")
        elif field == "source":
            parts.append("--source NAME")
        else:
            parts.append(f"--map {field}=" + ("'*'" if field == "id" else "COLUMN"))
    return " ".join(parts)


class _Feed:
    """Lines as text, byte for byte (latin-1), and how many were taken."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._lines = ((line, position) for block in blocks for line, position in zip(*block, strict=True))
        self.line = self.began = 0
        self.recent: list[str] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line, self.line = next(self._lines)
        if not self.recent:
            self.began = self.line
        text = line.decode("latin-1") + "\n"
        self.recent.append(text)
        return text


def _rows(feed: _Feed, delimiter: str, name: str, notice: Notice) -> Iterator[tuple[int, list[str] | bytes]]:
    """Rows with the line each begins on; bytes where the row is broken."""
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.recent = []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines = f"lines {feed.began} to {feed.line} were read as one bad record"
            notice("csv", f"{name}, line {feed.began}: {error}; {lines}")
            reader = csv.reader(feed, delimiter=delimiter)
            yield feed.began, "".join(feed.recent).encode("latin-1")
            continue
        if row:
            yield feed.began, row


def _record(row: list[str], layout: Layout, options: CsvOptions, name: str, notice: Notice) -> bytes:
    if len(row) > layout.columns and any(row[layout.columns :]):
        return "\t".join(row).encode("latin-1")
    record: dict[str, object] = {}
    if layout.hashed_id:
        record["id"] = "row-" + hashlib.blake2b("\0".join(row).encode("latin-1"), digest_size=8).hexdigest()
    if options.source:
        record["source"] = options.source
    for field, index in layout.fields:
        value = _text(row[index], notice, name) if index < len(row) else ""
        if not value and field not in ("text", "id"):
            continue
        record[field] = _number(value) if field in NUMBERS else value
    if options.time_format and isinstance(at := record.get("created_at"), str):
        record["created_at"] = _time(at, options.time_format)
    return msgspec.json.encode(record)


def _text(value: str, notice: Notice, name: str) -> str:
    """A latin-1 reading turned into what was meant: UTF-8, else cp1252."""
    if value.isascii():
        return value
    raw = value.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        notice("cp1252", f"{name}: not all of it is UTF-8; those fields were read as cp1252")
        return raw.decode("cp1252", "replace")


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _time(value: str, time_format: str) -> str:
    try:
        return datetime.strptime(value.strip(), time_format).isoformat()  # noqa: DTZ007 - the zone is the source's
    except ValueError:
        return value


def _plain(column: str) -> str:
    return " ".join(column.casefold().replace("_", " ").replace("-", " ").split())


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])
