"""Bytes to complaints. What cannot be read is `Rejected` with a reason from a closed list, never an exception of a parser."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import msgspec

from streams.complaint import Complaint, DeadLetter, Where

MAX_RECORD_BYTES = 256 * 1024
MAX_DEPTH = 8
MAX_RAW_BYTES = 64 * 1024
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LATEST = 1e11  # Unix seconds beyond this are milliseconds or nonsense
REASONS = ("too_large", "not_utf8", "not_json", "too_deep", "bad_field", "bad_time")

_decoder = msgspec.json.Decoder(Complaint)
_decode, _decode_lines = _decoder.decode, _decoder.decode_lines


class Rejected(ValueError):
    """The record is not a complaint; `reason` is one of REASONS, `detail` says what and where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode(value: bytes) -> Complaint:
    """The complaint in `value`, its fields checked, its times not yet read. Raises Rejected."""
    if len(value) > MAX_RECORD_BYTES:
        raise Rejected("too_large", f"{len(value)} bytes, {MAX_RECORD_BYTES} allowed")
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and _too_deep(value):
        raise Rejected("too_deep", f"nested deeper than {MAX_DEPTH}")
    try:
        complaint = _decode(value)
    except msgspec.ValidationError as error:
        raise Rejected("bad_field", str(error)) from None
    except UnicodeDecodeError as error:
        raise Rejected("not_utf8", f"byte {error.object[error.start]:#04x} at {error.start}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Rejected("not_json", str(error)) from None
    if (problem := _problem(complaint)) is not None:
        raise Rejected("bad_field", problem)
    return complaint


def decode_all(values: Sequence[bytes]) -> Sequence[Complaint | Rejected]:
    """What `decode` gives for each of `values`, or raises for it; much faster when all of them are complaints."""
    return _together(values) or [_one(value) for value in values]


def _one(value: bytes) -> Complaint | Rejected:
    try:
        return decode(value)
    except Rejected as rejected:
        return rejected


def _together(values: Sequence[bytes]) -> list[Complaint] | None:
    """The complaints, when there is nothing to say against any of them."""
    lines = b"\n".join(values)
    seams = len(values) - 1
    # A line that begins with { and ends with } never runs on into the next one: JSON allows no { after a }, no line's end in a text.
    if lines.count(b"\n") != seams or lines.count(b"}\n{") != seams or lines[:1] != b"{" or lines[-1:] != b"}":
        return None
    if len(lines) > MAX_RECORD_BYTES and max(map(len, values)) > MAX_RECORD_BYTES:
        return None
    if lines.count(b"{") + lines.count(b"[") > seams + MAX_DEPTH and any(
        value.count(b"{") + value.count(b"[") > MAX_DEPTH for value in values
    ):
        return None
    try:
        found = _decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    odd = [one for one in found if not (one.id and one.source) or one.lat is not None or one.lon is not None]
    if len(found) != len(values) or any(map(_problem, odd)):
        return None
    return found


def _problem(complaint: Complaint) -> str | None:
    """What is wrong with its fields."""
    if not complaint.id or not complaint.source:
        return "empty - at `$.id`" if not complaint.id else "empty - at `$.source`"
    lat, lon = complaint.lat, complaint.lon
    if lat is not None and lon is not None:
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            return f"latitude {lat}, longitude {lon}: outside the globe"
    elif lat is not lon:
        return "`lat` and `lon` go together"
    return None


def parse_time(value: float | str, zone: tzinfo | None = None) -> tuple[float, str | None]:
    """Unix seconds of an ISO 8601 text or a number, and what a clock change did to it: None, "repeated" or "skipped".

    A text without zone is read in `zone`: of a repeated hour the first reading counts, a skipped one moves forward. Raises Rejected.
    """
    if not isinstance(value, str):
        if not math.isfinite(value) or abs(value) > LATEST:
            raise Rejected("bad_time", f"{value!r} is not Unix seconds")
        return float(value), None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        raise Rejected("bad_time", f"{value[:40]!r} is not ISO 8601") from None
    if at.tzinfo is not None:
        return at.timestamp(), None
    if zone is None:
        raise Rejected("bad_time", f"{value[:40]!r} has no zone, and the source sets no `timezone`")
    first = at.replace(tzinfo=zone, fold=0)
    seconds = first.timestamp()
    if datetime.fromtimestamp(seconds, zone).replace(tzinfo=None) != at:
        return (
            seconds,
            "skipped",
        )  # fold=0 inside a gap counts with the offset before it, so the time lies after the gap
    return seconds, "repeated" if at.replace(tzinfo=zone, fold=1).timestamp() != seconds else None


def dead_letter(reason: str, detail: str, where: Where, value: bytes) -> DeadLetter:
    """The dead letter of `value`, with the first 64 KiB of it and the hash of all."""
    raw = base64.b64encode(value[:MAX_RAW_BYTES]).decode("ascii")
    return DeadLetter(reason, detail[:400], where, raw, len(value), hashlib.sha256(value).hexdigest())


def _too_deep(value: bytes) -> bool:
    """Whether anything outside strings is nested deeper than MAX_DEPTH, without recursion; looks no further than there."""
    depth = 0
    in_text = escaped = False
    for byte in value:
        if escaped:
            escaped = False
        elif in_text:
            if byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif byte in b"]}":
            depth -= 1
    return False
