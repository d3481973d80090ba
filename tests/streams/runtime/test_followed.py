"""A followed file: every whole line once and in order, whatever happens to the file."""

from __future__ import annotations

import random
from pathlib import Path

from streams.runtime.followed import Cursor, Followed
from streams.runtime.settings import SourceSettings


def followed(path: Path, cursor: Cursor | None = None, **settings: object) -> Followed:
    source = SourceSettings.model_validate({"kind": "file", "name": "feed", "path": path, **settings})
    file = Followed(source, 1, quiet_seconds=0.0)
    if cursor is not None:
        file.cursor = cursor
    return file


def read(file: Followed) -> list[str]:
    values = []
    while advance := file.poll():
        values += [record.value.decode() for record in file.records(advance, 0.0)]
        file.took(advance)
    return values


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_half_written_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file = followed(path)
    assert read(file) == []
    append(path, "one\ntw")
    assert read(file) == ["one"]
    append(path, "o\nthree\n\n")
    assert read(file) == ["two", "three"]


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file = followed(path)
    append(path, "one\n")
    assert read(file) == ["one"]
    append(path, "two\nthree")
    path.rename(tmp_path / "feed.jsonl.1")
    append(path, "four\n")
    assert read(file) == ["two", "three", "four"]


def test_a_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file = followed(path)
    append(path, "one\ntwo\n")
    assert read(file) == ["one", "two"]
    path.write_text("1\n")
    assert read(file) == ["1"]
    path.write_text("longer than before, but another beginning\n")
    assert read(file) == ["longer than before, but another beginning"]
    assert len(file.notices) == 2


def test_a_restart_goes_on_where_the_journal_says_even_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file = followed(path)
    append(path, "one\n")
    assert read(file) == ["one"]
    append(path, "two\n")
    path.rename(tmp_path / "feed.jsonl.1")
    append(path, "three\n")
    assert read(followed(path, file.cursor)) == ["two", "three"]


def test_a_file_that_was_rotated_away_and_deleted_is_told(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file = followed(path)
    append(path, "one\n")
    read(file)
    path.rename(tmp_path / "old")
    append(path, "two\n")
    (tmp_path / "old").unlink()
    again = followed(path, file.cursor)
    assert read(again) == ["two"]
    assert "lost" in again.notices[0]


def test_where_is_never_the_same_for_two_records(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    file, wheres = followed(path), []
    for generation in range(3):
        path.write_text(f"line {generation}\nline\n" * (generation + 1))
        while advance := file.poll():
            wheres += [(record.origin, record.position) for record in file.records(advance, 0.0)]
            file.took(advance)
    assert len(wheres) == 12
    assert len(set(wheres)) == 12
    assert wheres[:2] == [("feed.jsonl", 1), ("feed.jsonl", 2)]


def test_csv_rows_with_line_ends_in_quotes_are_whole_however_they_arrive(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    file, seen = followed(path), []
    text = 'id,created_at,text\n1,2020-01-01T00:00:00Z,"no\npower, ""again"""\n2,2020-01-01T00:00:01Z,dark\n'
    rng = random.Random(1)
    while text:
        cut = rng.randint(1, 7)
        append(path, text[:cut])
        text = text[cut:]
        seen += read(file)
    assert [one.split('"text":')[1] for one in seen] == ['"no\\npower, \\"again\\""}', '"dark"}']
    assert all('"source":"feed"' in one for one in seen)


def test_a_csv_without_a_required_column_is_told_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    append(path, "key,when\n1,2\n")
    file = followed(path)
    assert file.poll() is None
    assert "no column for" in (file.trouble or "")
