"""A request's body as records: one JSON object, an array of them, or a line each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import msgspec

from streams.codec import EARLIEST, Rejected, decode, parse_time

NDJSON = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-lines",
)
_array = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)


class UnreadableError(ValueError):
    """The body is neither JSON nor lines of it; the message says where."""


def split_body(body: bytes, content_type: str) -> list[tuple[int, bytes]]:
    """The records with their line or number, from 1. Raises UnreadableError."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in NDJSON:
        return _lines(body)
    text = body.strip()
    if text.startswith(b"["):
        try:
            return [(number, bytes(raw)) for number, raw in enumerate(_array.decode(text), 1)]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableError(f"not a JSON array: {error}") from None
    try:
        _one.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        lines = _lines(body)
        if len(lines) < 2:
            raise UnreadableError(f"line 1: not JSON: {error}") from None
        return lines
    return [(1, text)]


def check(record: bytes, zone: Callable[[str], tzinfo | None]) -> tuple[str, str] | None:
    """Reason and detail when the record cannot be counted, as far as can be told without the log."""
    try:
        complaint = decode(record)
        if parse_time(complaint.created_at, zone(complaint.source))[0] < EARLIEST:
            return "bad_time", f"{complaint.created_at!r} is before 2000"
    except Rejected as rejected:
        return rejected.reason, rejected.detail
    return None


def _lines(body: bytes) -> list[tuple[int, bytes]]:
    lines = ((number, line.rstrip(b"\r")) for number, line in enumerate(body.split(b"\n"), 1))
    return [(number, line) for number, line in lines if line.strip()]
