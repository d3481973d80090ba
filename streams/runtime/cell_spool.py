"""Closed cells of a replay on disk: written as they come, read back by series, told as CSV at the end."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alerting.model import KeywordTree, PlaceTree
from streams.closed import Cells, Revision
from streams.runtime.cell_text import RealText, lines, of_whole
from streams.runtime.store.cells import Cell
from streams.window import MAX_KEYWORDS

ROW = np.dtype(
    [
        ("start", "<i8"),
        ("place", "<i4"),
        ("keyword", "<i4"),
        ("voices", "<i4"),
        ("messages", "<i4"),
        ("expected", "<f8"),
        ("upper", "<f8"),
        ("p_value", "<f8"),
        ("late", "<i4"),
        ("held", "<i4"),
    ]
)
CHUNK_ROWS = 100_000
COLUMNS = "start,seconds,place,keyword,people,messages,expected,upper,p_value,held,late"

Rows = npt.NDArray[Any]


class CellSpool:
    """An append-only file of cells."""

    def __init__(self, path: Path, window_seconds: int) -> None:
        self.path = path
        self.window_seconds = window_seconds
        self.rows = 0
        self._file = path.open("wb")

    def add(self, cells: Cells) -> None:
        """Cells of a closed window."""
        rows = np.zeros(len(cells.place), ROW)
        rows["start"] = cells.start
        rows["place"], rows["keyword"] = cells.place, cells.keyword
        rows["voices"], rows["messages"] = cells.voices, cells.messages
        rows["expected"], rows["upper"], rows["p_value"] = cells.expected, cells.upper, cells.p_value
        rows["held"] = cells.held
        self._write(rows)

    def revise(self, revision: Revision) -> None:
        """Counts that came late: they add to those of their window."""
        rows = np.zeros(len(revision.place), ROW)
        rows["start"] = revision.start
        rows["place"], rows["keyword"] = revision.place, revision.keyword
        rows["voices"], rows["messages"] = revision.voices, revision.messages
        rows["p_value"] = 1.0
        rows["late"] = 1
        self._write(rows)

    def _write(self, rows: Rows) -> None:
        self._file.write(rows.tobytes())
        self.rows += len(rows)

    def close(self) -> None:
        """Nothing more is added."""
        self._file.close()

    def chunks(self) -> Iterator[Rows]:
        """All rows in the order added, in arrays of bounded length."""
        if not self._file.closed:
            self._file.flush()
        with self.path.open("rb") as file:
            while data := file.read(CHUNK_ROWS * ROW.itemsize):
                yield np.frombuffer(data, ROW)

    def series(self, wanted: Iterable[tuple[int, int, float, float]]) -> list[Rows]:
        """For each (place, keyword, since, until): its rows whose window starts in [since, until), in one reading of the file."""
        wanted = list(wanted)
        found: list[list[Rows]] = [[] for _ in wanted]
        for rows in self.chunks():
            key = rows["place"].astype(np.int64) * MAX_KEYWORDS + rows["keyword"]
            first, last = int(rows["start"].min()), int(rows["start"].max())
            for number, (place, keyword, since, until) in enumerate(wanted):
                if until > first and since <= last:
                    one = rows[key == place * MAX_KEYWORDS + keyword]
                    found[number].append(one[(one["start"] >= since) & (one["start"] < until)])
        return [np.concatenate(parts) if parts else np.zeros(0, ROW) for parts in found]

    def cells(self, rows: Rows, place: str, keyword: str) -> list[Cell]:
        """Rows of one series as plain cells."""
        return [
            Cell(start, self.window_seconds, place, keyword, voices, messages, expected, upper, p_value)
            for start, _, _, voices, messages, expected, upper, p_value, late, _ in rows.tolist()
            if not late or voices or messages
        ]

    def people_by_hour(self, keyword: int = 0) -> dict[int, dict[int, int]]:
        """People about a keyword (0: any) by place and Unix hour."""
        people: dict[int, dict[int, int]] = {}
        for rows in self.chunks():
            rows = rows[(rows["keyword"] == keyword) & (rows["voices"] > 0)]
            key = rows["place"].astype(np.int64) << 32 | rows["start"] // 3600
            keys, inverse = np.unique(key, return_inverse=True)
            sums = np.bincount(inverse, rows["voices"], len(keys)).astype(np.int64)
            for one, count in zip(keys.tolist(), sums.tolist(), strict=True):
                hours = people.setdefault(one >> 32, {})
                hour = one & 0xFFFFFFFF
                hours[hour] = hours.get(hour, 0) + count
        return people

    def write_csv(self, path: Path, places: PlaceTree, keywords: KeywordTree) -> None:
        """All cells as gzipped CSV, the same bytes for the same cells. Rows with `late` = 1 add to the others of their window."""
        place_ids, keyword_ids = _Ids(places), _Ids(keywords)
        three, four = RealText(3), RealText(4)
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
            packed.write(COLUMNS.encode() + b"\n")
            for rows in self.chunks():
                texts = (
                    of_whole(rows["start"]),
                    of_whole(np.full(len(rows), self.window_seconds)),
                    of_whole(rows["place"], place_ids.__getitem__),
                    of_whole(rows["keyword"], keyword_ids.__getitem__),
                    of_whole(rows["voices"]),
                    of_whole(rows["messages"]),
                    four(rows["expected"]),
                    four(rows["upper"]),
                    three(rows["p_value"]),
                    of_whole(rows["held"]),
                    of_whole(rows["late"]),
                )
                packed.write(lines(texts))


class _Ids(dict[int, str]):
    """Ids of a tree's nodes as CSV fields, looked up once."""

    def __init__(self, tree: PlaceTree | KeywordTree) -> None:
        super().__init__()
        self.tree = tree

    def __missing__(self, node: int) -> str:
        name = self.tree.id(node)
        self[node] = f'"{name}"' if "," in name else name
        return self[node]
