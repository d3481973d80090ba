"""What is a complaint, what is refused and in which words, and how times without zone are read."""

from __future__ import annotations

import base64
import hashlib
from zoneinfo import ZoneInfo

import msgspec
import pytest

from streams.codec import MAX_RECORD_BYTES, Rejected, dead_letter, decode, parse_time
from streams.complaint import Where

GOOD = {"id": "1", "source": "s", "text": "no power", "created_at": "2024-05-01T10:00:00Z"}
CHICAGO = ZoneInfo("America/Chicago")


def line(**changes: object) -> bytes:
    return msgspec.json.encode(GOOD | changes)


def refused(value: bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode(value)
    return caught.value


def test_a_record_with_unknown_fields_is_read() -> None:
    assert decode(line(mood="bad", tags={"a": 1})).text == "no power"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_json"),
        (b"null", "bad_field"),
        (b"[1, 2]", "bad_field"),
        (line()[:-1], "not_json"),
        (line() + b"x", "not_json"),
        (b'{"id":"1","source":"s","created_at":1,"text":"\xff\xfe"}', "not_utf8"),
        (b'{"id":"1","source":"s","created_at":1,"text":"\\ud800"}', "not_json"),
        (b'{"id":"1","source":"s","created_at":NaN,"text":"x"}', "not_json"),
        (b'{"id":"1","source":"s","created_at":1e999,"text":"x"}', "bad_field"),
        (line(text=None), "bad_field"),
        (line(id=7), "bad_field"),
        (line(id=""), "bad_field"),
        (line(created_at=True), "bad_field"),
        (line(lat=91.0, lon=0.0), "bad_field"),
        (line(lat=1.0), "bad_field"),
        (line(text="x" * MAX_RECORD_BYTES), "too_large"),
        (line(extra=[[[[[[[[1]]]]]]]]), "too_deep"),
        (b'{"id":"1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    ],
)
def test_a_broken_record_is_refused_with_its_reason(value: bytes, reason: str) -> None:
    assert refused(value).reason == reason


def test_a_wrong_field_is_named() -> None:
    assert "$.text" in refused(line(text=5)).detail


def test_brackets_inside_a_text_are_not_depth() -> None:
    assert decode(line(text='[[[[[[[[[[ {{{{{{{{{{ \\" [[[')).id == "1"


@pytest.mark.parametrize("value", ["yesterday", "2024-13-01T00:00:00Z", float("nan"), 1e15, "2024-05-01T10:00:00"])
def test_a_time_that_cannot_be_known_is_refused(value: float | str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_time(value)
    assert caught.value.reason == "bad_time"


@pytest.mark.parametrize(
    ("text", "utc", "change"),
    [
        ("2016-07-01T12:00:00", "2016-07-01T17:00:00Z", None),
        ("2016-11-06T01:30:00", "2016-11-06T06:30:00Z", "repeated"),
        ("2016-03-13T02:30:00", "2016-03-13T08:30:00Z", "skipped"),
        ("2016-07-01T12:00:00+02:00", "2016-07-01T10:00:00Z", None),
    ],
)
def test_local_times_are_read_in_the_sources_zone(text: str, utc: str, change: str | None) -> None:
    assert parse_time(text, CHICAGO) == (parse_time(utc)[0], change)


def test_a_dead_letter_holds_the_record_and_its_hash() -> None:
    value = bytes(range(256)) * 400
    letter = dead_letter("not_json", "x", Where("file.jsonl", 3), value)
    assert base64.b64decode(letter.raw) == value[: 64 * 1024]
    assert (letter.length, letter.sha256) == (len(value), hashlib.sha256(value).hexdigest())
