"""Half-open event-time windows [start, start + seconds) of one partition: counts while they fill, rows and evidence when they close.

A cell's code packs (place, keyword, channel, drill) into one integer, so that counting is one dictionary update.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from alerting.model import MAX_CHANNELS, Evidence
from streams.part import Ints, Rows
from streams.text import redact

KEYWORD_BITS = 14
MAX_KEYWORDS = 1 << KEYWORD_BITS
CELL_BITS = 4  # three of channel, one of drill
PLACE_SHIFT = KEYWORD_BITS + CELL_BITS
MIN_VOICES_FOR_EVIDENCE = 3
MAX_SAMPLES = 8_192  # texts kept of one window: those with the smallest record hash
MAX_TERMS = 8
MAX_EXAMPLES = 3
MAX_SECONDS_A_MINUTE = 60  # of records without author, to tell a machine's pace
TEXTS_FOR_TERMS = 16
_STOP_TEXT = """
about after again all also always and any are because been before being but can cant come could did does doing dont even every for from
get getting got had has have having her here hers him his how into its just know like made make many more most much never not now off one
only our out over please really said same say she should some still such take than that the their them then there these they thing this
those through today too under until very was way well went were what when where which while who why will with would yet you your
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A voice's text, until its window closes."""

    digest: bytes
    place: int
    leaves: tuple[int, ...]
    text: str
    plain: str  # its words, without handles and links
    fingerprint: bytes  # empty where the text is too short to tell a copy
    second: int  # -1 where the record names an author


class Window(msgspec.Struct, array_like=True):
    """What one open window has counted: `voices` and `repeats` (messages that are no voice) by cell code."""

    voices: dict[int, int] = {}
    repeats: dict[int, int] = {}
    samples: list[Sample] = []

    def count(self, base: int, nodes: tuple[int, ...], fresh: tuple[int, ...]) -> None:
        """One voice on each keyword of `fresh`, one message on every other of `nodes`; `base` has the rest of the cell's code."""
        voices = self.voices
        for node in fresh:
            code = base | node << CELL_BITS
            voices[code] = voices.get(code, 0) + 1
        if len(fresh) != len(nodes):
            repeats = self.repeats
            for node in nodes:
                if node not in fresh:
                    code = base | node << CELL_BITS
                    repeats[code] = repeats.get(code, 0) + 1

    def keep(self, sample: Sample) -> None:
        """Keep a text; when there are too many, those with the smallest digest stay, whatever the order of arrival."""
        self.samples.append(sample)
        if len(self.samples) >= 2 * MAX_SAMPLES:
            self.samples.sort(key=lambda kept: kept.digest)
            del self.samples[MAX_SAMPLES:]


def rows(windows: Mapping[int, Window]) -> Rows:
    """The rows of `windows` (by start), sorted by (window, place, keyword, channel)."""
    starts: list[int] = []
    codes: list[int] = []
    voices: list[int] = []
    messages: list[int] = []
    for start in sorted(windows):
        window = windows[start]
        cells = window.voices.keys() | window.repeats.keys() if window.repeats else window.voices.keys()
        heard, repeats = window.voices.get, window.repeats.get
        for cell in sorted(cells):
            starts.append(start)
            codes.append(cell)
            count = heard(cell, 0)
            voices.append(count)
            messages.append(count + repeats(cell, 0))
    if not codes:
        return Rows.empty()
    code: Ints = np.array(codes, np.int64)
    return Rows(
        np.array(starts, np.int64),
        code >> PLACE_SHIFT,
        (code >> CELL_BITS) & (MAX_KEYWORDS - 1),
        (code >> 1) & (MAX_CHANNELS - 1),
        code & 1,
        np.array(voices, np.int64),
        np.array(messages, np.int64),
    )


class Describer:
    """Turns the texts of a closed window into evidence for its rows: terms, redacted examples, copies, seconds."""

    def __init__(self, leaf_words: Mapping[int, frozenset[str]], window_seconds: int) -> None:
        self.leaf_words = leaf_words
        self.max_seconds = min(600, MAX_SECONDS_A_MINUTE * max(1, window_seconds // 60))

    def describe(self, window: Window) -> dict[tuple[int, int], Evidence]:
        """Evidence by (place, leaf keyword) for rows of at least three voices."""
        groups: dict[tuple[int, int], list[Sample]] = {}
        for sample in window.samples:
            for leaf in sample.leaves:
                groups.setdefault((sample.place, leaf), []).append(sample)
        return {
            key: self._evidence(key[1], samples)
            for key, samples in sorted(groups.items())
            if len(samples) >= MIN_VOICES_FOR_EVIDENCE
        }

    def _evidence(self, leaf: int, samples: list[Sample]) -> Evidence:
        samples.sort(key=lambda sample: sample.digest)
        alike = Counter([sample.fingerprint for sample in samples if sample.fingerprint])
        seconds = sorted(sample.second for sample in samples if sample.second >= 0)
        return Evidence(
            terms=self._terms(leaf, samples[:TEXTS_FOR_TERMS]),
            examples=_examples(samples),
            copies=max(alike.values(), default=1),
            seconds=tuple(seconds[: self.max_seconds]),
        )

    def _terms(self, leaf: int, samples: Iterable[Sample]) -> tuple[tuple[str, int], ...]:
        own = self.leaf_words.get(leaf, frozenset())
        found: Counter[str] = Counter()
        for sample in samples:
            found.update(set(sample.plain.split()))
        ranked = sorted(
            (
                (-count, term)
                for term, count in found.items()
                if count > 1 and len(term) > 2 and term.isalpha() and term not in own and term not in STOP_WORDS
            )
        )
        return tuple((term, -count) for count, term in ranked[:MAX_TERMS])


def _examples(samples: list[Sample]) -> tuple[str, ...]:
    """Up to three redacted texts that differ, of the smallest record hashes."""
    chosen: dict[str, None] = {}
    for sample in samples:
        chosen.setdefault(redact(sample.text))
        if len(chosen) == MAX_EXAMPLES:
            break
    return tuple(chosen)
