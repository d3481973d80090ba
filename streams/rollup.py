"""Rows of several partitions as one table, rolled up the place tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alerting.model import MAX_CHANNELS, Evidence, MadeEvidence
from streams.part import Rows
from streams.window import MAX_KEYWORDS

Ints = npt.NDArray[np.int64]


class Table(NamedTuple):
    """Sums by (place or any place above it, keyword), sorted; int64[m], `channels` int64[m, 8] holds voices."""

    place: Ints
    keyword: Ints
    voices: Ints
    messages: Ints
    channels: Ints


def together(blocks: Iterable[Rows]) -> Rows:
    """The rows of several partitions, in their order."""
    kept = list(blocks)
    if not kept:
        return Rows.empty()
    return Rows(*(np.concatenate(columns) for columns in zip(*kept, strict=True)))


def of_drill(rows: Rows, drill: bool) -> Rows:
    """Those of drills, or the real ones: the two are never mixed."""
    chosen = rows.drill == int(drill)
    return rows if chosen.all() else Rows(*(column[chosen] for column in rows))


def roll_up(rows: Rows, lineage: npt.NDArray[np.int32]) -> Table:
    """`rows` of one window summed at each place and all above it; `lineage`: int[places, depth], -1 where there is none."""
    lines = lineage[rows.place]
    real = lines >= 0
    row = np.nonzero(real)[0]
    key = lines[real].astype(np.int64) * MAX_KEYWORDS + rows.keyword[row]
    keys, inverse = np.unique(key, return_inverse=True)
    voices = np.bincount(inverse, rows.voices[row], len(keys)).astype(np.int64)
    messages = np.bincount(inverse, rows.messages[row], len(keys)).astype(np.int64)
    channel = inverse * MAX_CHANNELS + rows.channel[row]
    channels = np.bincount(channel, rows.voices[row], len(keys) * MAX_CHANNELS).astype(np.int64)
    return Table(keys // MAX_KEYWORDS, keys % MAX_KEYWORDS, voices, messages, channels.reshape(-1, MAX_CHANNELS))


def by_window(blocks: Iterable[Rows], lineage: npt.NDArray[np.int32]) -> list[tuple[int, Table]]:
    """Real rows of several windows, rolled up window by window, block by block."""
    return [
        (start, roll_up(of_drill(rows.at(start), False), lineage))
        for rows in blocks
        for start in np.unique(rows.window).tolist()
    ]


class MergedEvidence(MadeEvidence):
    """Evidence of one window from several partitions, in their order."""

    def __init__(self, found: Sequence[Mapping[tuple[int, int], Evidence]]) -> None:
        self._found = found
        self._keys = sorted(set().union(*found))

    def __getitem__(self, key: tuple[int, int]) -> Evidence:
        return self._merged(key, [one[key] for one in self._found if key in one])

    def brief(self, key: tuple[int, int]) -> Evidence:
        found = [one for one in self._found if key in one]
        return self._merged(key, [one.brief(key) if isinstance(one, MadeEvidence) else one[key] for one in found])

    def _merged(self, key: tuple[int, int], ones: list[Evidence]) -> Evidence:
        if not ones:
            raise KeyError(key)
        return reduce(merged, ones)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def merged(first: Evidence, second: Evidence) -> Evidence:
    """Evidence of one cell from two partitions."""
    terms = dict(first.terms)
    for term, count in second.terms:
        terms[term] = terms.get(term, 0) + count
    ranked = sorted(terms.items(), key=lambda item: (-item[1], item[0]))
    return Evidence(
        terms=tuple(ranked[:8]),
        examples=tuple(dict.fromkeys((*first.examples, *second.examples)))[:3],
        copies=max(first.copies, second.copies),
        seconds=tuple(sorted((*first.seconds, *second.seconds))),
    )
