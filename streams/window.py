"""Half-open event-time windows [start, start + seconds) of one partition: counts while they fill, rows when they close.

A cell's code packs (place, channel, drill, keyword) into one integer, so that counting is keeping a list of integers, summed when there
are many or the window closes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from alerting.model import MAX_CHANNELS
from streams.part import Ints, Rows
from streams.voices import DAY_SECONDS, Tokens

KEYWORD_BITS = 14
MAX_KEYWORDS = 1 << KEYWORD_BITS
CELL_BITS = 4  # three of channel, one of drill
PLACE_SHIFT = KEYWORD_BITS + CELL_BITS
MAX_CODES = 200_000  # kept before they are summed
ALL_DIGESTS = (1 << 64) - 1
MAX_SAMPLES = 8_192  # texts kept of one window: those with the smallest record hash


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A voice's text, until its window closes."""

    digest: int
    place: int
    leaves: tuple[int, ...]
    text: str
    plain: str  # folded, without handles and links
    fingerprint: int  # 0 where the text is too short to tell a copy, or its author unknown
    second: int  # -1 where the record names an author
    speaker: str = ""  # source, NUL, author; in a snapshot its token of the window's event day, which has no NUL


class Counts:
    """How often each code came."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.summed: tuple[Ints, Ints] = (
            _NOTHING,
            _NOTHING,
        )  # codes, sorted, and their counts, of those not in the list

    def total(self) -> tuple[Ints, Ints]:
        """Codes, sorted, and their counts."""
        if self.codes:
            known, counts = self.summed
            new = np.sort(np.array(self.codes, np.int64))
            first = np.flatnonzero(np.diff(new, prepend=-1))
            codes, fresh = new[first], np.diff(first, append=len(new))
            if len(known):
                codes, at = np.unique(np.concatenate([known, codes]), return_inverse=True)
                fresh = np.bincount(at, np.concatenate([counts, fresh])).astype(np.int64)
            self.summed, self.codes = (codes, fresh), []
        return self.summed


class Window:
    """What one open window has counted by cell code: `heard` voices, `repeats` messages that are no voice."""

    def __init__(self) -> None:
        self.heard = Counts()
        self.repeats = Counts()
        self.samples: list[Sample] = []
        self.others: list[Sample] = []  # texts about no keyword
        self.limit = ALL_DIGESTS  # of these only smaller digests are kept

    def count(self, base: int, nodes: tuple[int, ...], fresh: tuple[int, ...]) -> None:
        """One voice on each keyword of `fresh`, one message on every other of `nodes`; `base` is of `cell_base`."""
        codes = self.heard.codes
        codes += [base | node for node in fresh]
        if len(codes) > MAX_CODES:
            self.heard.total()
        if fresh is not nodes and len(fresh) != len(nodes):
            self.repeats.codes += [base | node for node in nodes if node not in fresh]
            if len(self.repeats.codes) > MAX_CODES:
                self.repeats.total()

    def keep(self, sample: Sample) -> None:
        """Keep a text; when there are too many, those with the smallest digest stay, whatever the order of arrival."""
        self.samples.append(sample)
        if len(self.samples) >= 2 * MAX_SAMPLES:
            self.samples.sort(key=lambda kept: kept.digest)
            del self.samples[MAX_SAMPLES:]

    def overhear(self, sample: Sample, most: int) -> None:
        """Keep a text about no keyword, whose digest is under `limit`; of many, `most` or somewhat more of the smallest digests."""
        self.others.append(sample)
        if len(self.others) >= 2 * most:
            self.others.sort(key=lambda kept: kept.digest)
            del self.others[most:]
            self.limit = self.others[-1].digest

    def state(self, tokens: Tokens, start: int) -> WindowState:
        """For a snapshot, in which authors are known by token only."""
        counts = [column.tobytes() for counts in (self.heard, self.repeats) for column in counts.total()]
        day = int(start // DAY_SECONDS)
        samples, others = ([_masked(one, tokens, day) for one in kept] for kept in (self.samples, self.others))
        return WindowState(counts, samples, others, self.limit)


class WindowState(msgspec.Struct, array_like=True):
    """A window of a snapshot: codes and counts of voices, of repeats."""

    counts: list[bytes]
    samples: list[Sample]
    others: list[Sample]
    limit: int

    def window(self) -> Window:
        """The window again."""
        window = Window()
        heard, heard_counts, repeats, repeat_counts = (np.frombuffer(column, np.int64) for column in self.counts)
        window.heard.summed, window.repeats.summed = (heard, heard_counts), (repeats, repeat_counts)
        window.samples, window.others, window.limit = self.samples, self.others, self.limit
        return window


def _masked(sample: Sample, tokens: Tokens, day: int) -> Sample:
    if "\0" not in sample.speaker:
        return sample
    token = tokens.of(sample.speaker.encode("utf-8", "replace"), day)
    return msgspec.structs.replace(sample, speaker=token.hex())


def cell_base(place: int, channel: int, drill: bool) -> int:
    """A cell's code without its keyword."""
    return (place << CELL_BITS | channel << 1 | drill) << KEYWORD_BITS


def rows(windows: Mapping[int, Window]) -> Rows:
    """The rows of `windows` (by start), sorted by (window, place, keyword, channel)."""
    blocks = [_rows(start, windows[start]) for start in sorted(windows)]
    if not blocks:
        return Rows.empty()
    return blocks[0] if len(blocks) == 1 else Rows(*map(np.concatenate, zip(*blocks, strict=True)))


def _rows(start: int, window: Window) -> Rows:
    codes, voices = window.heard.total()
    messages = voices
    repeated, repeats = window.repeats.total()
    if len(repeated):
        codes = np.union1d(codes, repeated)
        heard, counts = window.heard.total()
        voices = np.zeros(len(codes), np.int64)
        voices[np.searchsorted(codes, heard)] = counts
        messages = voices.copy()
        messages[np.searchsorted(codes, repeated)] += repeats
    keyword = codes & (MAX_KEYWORDS - 1)
    cell = codes >> KEYWORD_BITS
    place, channel = cell >> CELL_BITS, cell >> 1 & (MAX_CHANNELS - 1)
    order = np.argsort(place << PLACE_SHIFT | keyword << CELL_BITS | cell & (1 << CELL_BITS) - 1)
    columns = (place, keyword, channel, cell & 1, voices, messages)
    return Rows(np.full(len(codes), start, np.int64), *(column[order] for column in columns))


_NOTHING: Ints = np.zeros(0, np.int64)
