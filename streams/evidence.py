"""What people wrote, as evidence for the rows of a closed window: terms, redacted examples, copies, seconds.

Few rows are ever looked at, so a row's evidence is made when it is asked for, from the texts kept for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from alerting.model import Evidence, MadeEvidence
from streams.part import Ints
from streams.text import redact
from streams.window import MAX_KEYWORDS, Sample, Window

MIN_VOICES = 3
MAX_TERMS = 8
MAX_EXAMPLES = 3
MAX_SECONDS_A_MINUTE = 60  # of records without author, to tell a machine's pace
TEXTS_FOR_TERMS = 16
MAX_TEXTS = 32  # kept of a row, to find examples that differ: those with the smallest record hash
_STOP_TEXT = """
about after again all also always and any are because been before being but can cant come could did does doing dont even every for from
get getting got had has have having her here hers him his how into its just know like made make many more most much never not now off one
only our out over please really said same say she should some still such take than that the their them then there these they thing this
those through today too under until very was way well went were what when where which while who why will with would yet you your
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())

Key = tuple[int, int]  # place, leaf keyword


_Row = tuple[list[Sample], int, tuple[int, ...]]  # texts by record hash, copies, seconds


class WindowEvidence(MadeEvidence):
    """Evidence by (place, leaf keyword) of one window's rows of at least three voices, each made when first asked for."""

    def __init__(self, rows: Mapping[Key, _Row], leaf_words: Mapping[int, frozenset[str]]) -> None:
        self._rows = rows
        self._leaf_words = leaf_words
        self._made: dict[Key, Evidence] = {}
        self._brief: dict[Key, Evidence] = {}

    def __getitem__(self, key: Key) -> Evidence:
        made = self._made.get(key)
        if made is None:
            brief, texts = self.brief(key), self._rows[key][0]
            made = self._made[key] = Evidence(brief.terms, _examples(texts), brief.copies, brief.seconds)
        return made

    def brief(self, key: Key) -> Evidence:
        made = self._made.get(key) or self._brief.get(key)
        if made is None:
            texts, copies, seconds = self._rows[key]
            own = self._leaf_words.get(key[1], frozenset())
            made = self._brief[key] = Evidence(_terms(own, texts[:TEXTS_FOR_TERMS]), (), copies, seconds)
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Describer:
    """Finds the rows of a closed window that have evidence, and what belongs to each."""

    def __init__(self, leaf_words: Mapping[int, frozenset[str]], window_seconds: int) -> None:
        self.leaf_words = leaf_words
        self.max_seconds = min(600, MAX_SECONDS_A_MINUTE * max(1, window_seconds // 60))

    def describe(self, window: Window) -> Mapping[Key, Evidence]:
        """Evidence by (place, leaf keyword), sorted, for rows of at least three voices."""
        samples = window.samples
        if len(samples) < MIN_VOICES:
            return {}
        lengths = np.array([len(one.leaves) for one in samples], np.int64)
        of_sample = np.repeat(np.arange(len(samples)), lengths)
        leaf = np.fromiter(chain.from_iterable([one.leaves for one in samples]), np.int64, len(of_sample))
        digest = np.array([one.digest for one in samples], np.uint64)
        key = np.array([one.place for one in samples], np.int64)[of_sample] * MAX_KEYWORDS + leaf
        order = np.lexsort((digest[of_sample], key))
        key, of_sample = key[order], of_sample[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        count = np.diff(first, append=len(key))
        many = np.flatnonzero(count >= MIN_VOICES)
        fingerprints = np.array([one.fingerprint for one in samples], np.uint64)
        seconds = np.array([one.second for one in samples], np.int64)
        some_alike = len(np.unique(fingerprints[fingerprints > 0])) < np.count_nonzero(fingerprints)
        some_unsigned = bool((seconds >= 0).any())
        rows: dict[Key, _Row] = {}
        for start, length in zip(first[many].tolist(), count[many].tolist(), strict=True):
            found = of_sample[start : start + length]
            rows[divmod(int(key[start]), MAX_KEYWORDS)] = (
                [samples[number] for number in found[:MAX_TEXTS].tolist()],
                _copies(fingerprints[found]) if some_alike else 1,
                self._seconds(seconds[found]) if some_unsigned else (),
            )
        return WindowEvidence(rows, self.leaf_words)

    def _seconds(self, seconds: Ints) -> tuple[int, ...]:
        return tuple(np.sort(seconds[seconds >= 0])[: self.max_seconds].tolist())


def _copies(fingerprints: npt.NDArray[np.uint64]) -> int:
    """How many texts the commonest fingerprint has."""
    known = fingerprints[fingerprints > 0]
    return int(np.unique(known, return_counts=True)[1].max()) if len(known) else 1


def _terms(own: frozenset[str], samples: Sequence[Sample]) -> tuple[tuple[str, int], ...]:
    """The words that most of the texts share, beside the keyword's own and those everybody uses."""
    found = Counter(chain.from_iterable([set(sample.plain.split()) for sample in samples]))
    ranked = sorted(
        (-count, term)
        for term, count in found.items()
        if count > 1 and len(term) > 2 and term.isalpha() and term not in own and term not in STOP_WORDS
    )
    return tuple((term, -count) for count, term in ranked[:MAX_TERMS])


def _examples(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Up to three redacted texts that differ, of the smallest record hashes."""
    chosen: dict[str, None] = {}
    for sample in samples:
        chosen.setdefault(redact(sample.text))
        if len(chosen) == MAX_EXAMPLES:
            break
    return tuple(chosen)
