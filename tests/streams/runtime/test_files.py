"""Files as people have them: exports with odd delimiters and encodings, cut downloads, columns with names of their own."""

import gzip
import json
from pathlib import Path

import pytest

from streams.runtime.files import CsvOptions, FileError, Input


def records(path: Path, **options) -> list[dict]:
    return [json.loads(value) for block in Input(path, CsvOptions(**options)).blocks() for value in block.values]


def positions(path: Path) -> list[int]:
    return [position for block in Input(path).blocks() for position in block.positions]


HEADER = "id,created_at,text,source\n"


def test_json_lines_keep_other_unicode_separators_and_count_blank_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id":"1","text":"one\xe2\x80\xa8line"}\r\n\r\n\n{"id":"2"}')
    assert [one["id"] for one in records(path)] == ["1", "2"]
    assert records(path)[0]["text"] == "one\u2028line"
    assert positions(path) == [1, 4]


def test_lines_longer_than_a_chunk_come_whole(tmp_path):
    path = tmp_path / "a.jsonl"
    long = json.dumps({"id": "1", "text": "x" * 900_000})
    path.write_text(long + "\n" + '{"id":"2"}\n')
    assert [len(one.get("text", "")) for one in records(path)] == [900_000, 0]


def test_gzip_of_several_members_is_read_to_the_end(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id":"1"}\n') + gzip.compress(b'{"id":"2"}\n') + b"\0" * 512)
    source = Input(path)
    assert [block.values for block in source.blocks()] == [[b'{"id":"1"}'], [b'{"id":"2"}']]
    assert source.notices == {}


@pytest.mark.parametrize("lost", [1, 9, 400])
def test_a_cut_gzip_keeps_what_came_before_and_names_the_byte(tmp_path, lost):
    lines = b"".join(json.dumps({"id": str(i), "text": f"{i * 7919 % 10007:x}"}).encode() + b"\n" for i in range(5000))
    whole = gzip.compress(lines)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[:-lost])
    source = Input(path)
    values = [value for block in source.blocks() for value in block.values]
    assert b"\n".join(values) == lines[: len(b"\n".join(values))]
    assert len(values) > 4000
    assert f"cut off at byte {len(whole) - lost:,} of {len(whole) - lost:,}" in source.notices["gzip"]


def test_a_gzip_damaged_inside_keeps_what_came_before_and_names_the_byte(tmp_path):
    lines = b"".join(json.dumps({"id": str(i), "text": f"{i * 7919 % 10007:x}"}).encode() + b"\n" for i in range(5000))
    broken = bytearray(gzip.compress(lines))
    middle = len(broken) // 2
    broken[middle : middle + 8] = b"\xff" * 8
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(bytes(broken))
    source = Input(path)
    values = [value for block in source.blocks() for value in block.values]
    assert 500 < len(values) < 5000
    assert values[:500] == lines.split(b"\n")[:500]
    named = int(source.notices["gzip"].split("at byte ")[1].split(" ")[0].replace(",", ""))
    assert middle <= named < len(broken)


def test_a_json_array_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"id":"1"}]')
    with pytest.raises(FileError, match="jq -c"):
        Input(path)


def test_utf_16_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER, "utf-16")
    with pytest.raises(FileError, match="iconv"):
        Input(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters_are_found(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    path.write_text(
        HEADER.replace(",", delimiter) + delimiter.join(["1", "2026-01-05T07:00:00Z", '"a; b, c"', "311:x"]) + "\n"
    )
    assert records(path) == [{"id": "1", "created_at": "2026-01-05T07:00:00Z", "text": "a; b, c", "source": "311:x"}]


def test_csv_with_bom_quoted_newlines_and_doubled_quotes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + HEADER.encode()
        + b'1,2026-01-05T07:00:00Z,"no power,\r\nsaid ""she""",311:x\r\n2,2026-01-05T07:01:00Z,b,311:x\r\n'
    )
    found = records(path)
    assert found[0]["text"] == 'no power,\r\nsaid "she"'
    assert found[1]["id"] == "2"
    assert positions(path) == [2, 4]


def test_fields_that_are_not_utf_8_are_read_as_cp1252_and_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        HEADER.encode() + "1,t,caf\u00e9 \u20ac5,311:x\n".encode("cp1252") + "2,t,caf\u00e9,311:x\n".encode()
    )
    source = Input(path)
    texts = [json.loads(value)["text"] for block in source.blocks() for value in block.values]
    assert texts == ["café €5", "café"]
    assert "cp1252" in source.notices["cp1252"]


def test_missing_columns_are_refused_on_line_1_with_a_map_to_paste(tmp_path):
    path = tmp_path / "nyc.csv"
    path.write_text("Unique Key,Created Date,Descriptor,Borough\n1,2026-01-05,x,y\n")
    with pytest.raises(FileError) as refused:
        records(path)
    told = str(refused.value)
    assert told.startswith("nyc.csv, line 1: no column for id, created_at, text, source.")
    assert "Columns found: Unique Key, Created Date, Descriptor, Borough." in told
    assert "--map id='Unique Key' --map created_at='Created Date' --map text=Descriptor --source NAME" in told


def test_what_the_refusal_suggests_works(tmp_path):
    path = tmp_path / "nyc.csv"
    path.write_text(
        "Unique Key,Created Date,Descriptor,Latitude,Longitude\n17,2026-01-05T07:00:00,Street Flooding,40.7,-73.9\n"
    )
    columns = {"id": "Unique Key", "created_at": "Created Date", "text": "Descriptor"}
    (found,) = records(path, columns=columns, source="311:nyc")
    assert found["id"] == "17"
    assert (found["lat"], found["lon"], found["source"]) == (40.7, -73.9, "311:nyc")


def test_a_mapped_column_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1,t,x,s\n")
    with pytest.raises(FileError, match=r"created_at \(mapped to 'Opened'\)"):
        records(path, columns={"created_at": "Opened"})


def test_ids_can_be_made_from_whole_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("created_at,text,source\nt,x,s\nt,y,s\nt,x,s\n")
    first, second, third = (one["id"] for one in records(path, columns={"id": "*"}))
    assert first == third != second


def test_other_ways_to_write_a_time_are_read_by_their_format(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1,04/15/2024 11:59:58 PM,x,s\n2,soon,x,s\n")
    found = records(path, time_format="%m/%d/%Y %I:%M:%S %p")
    assert [one["created_at"] for one in found] == ["2024-04-15T23:59:58", "soon"]


def test_a_row_with_too_many_fields_is_not_taken_for_a_complaint(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1,t,no power, all day,s\n2,t,x,s\n")
    values = [value for block in Input(path).blocks() for value in block.values]
    assert not values[0].startswith(b"{")
    assert json.loads(values[1])["id"] == "2"


def test_a_quote_that_never_ends_costs_one_record_and_is_told(tmp_path):
    path = tmp_path / "a.csv"
    filler = "".join(f"{i},t,{'x' * 1000},s\n" for i in range(2000))
    path.write_text(HEADER + '1,t,"no end,s\n' + filler)
    source = Input(path)
    values = [value for block in source.blocks() for value in block.values]
    assert sum(value.startswith(b"{") for value in values) > 1000
    assert sum(not value.startswith(b"{") for value in values) == 1
    assert source.notices["csv"].startswith("a.csv, line 2:")
