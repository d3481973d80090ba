"""What words people use besides those the pack listens for, by place: counted when a window closes, in a size that does not grow with the
traffic.

Texts about no keyword are looked at too, for what nobody listens for stands in those. Of more texts than fit every place gets its turn, so
that a few people at a small airport are not lost among those of a whole country.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Protocol, TypeVar

import numpy as np

from streams.evidence import STOP_WORDS
from streams.part import MOST_TERMS, Ints, Words

TEXTS_A_MINUTE = 64
MOST_TEXTS = 512
MOST_CHARACTERS = 32  # of a word; hashtags are long ones
MOST_DIGITS = 4  # of `3`, `b12`, `1204`, as of a belt, a gate, a flight; longer ones may be somebody's
MOST_KINDS = 50_000
KNOWN, NEW, NUMBER = 1, 2, 3  # 0: no part of a term
_digest = attrgetter("digest")
TELLING = frozenset({KNOWN * NEW, NEW * NEW, KNOWN * NUMBER, NEW * NUMBER})  # pairs that may say something new


class Said(Protocol):
    """A text: its words, without handles and links, what it is sampled by, and where it comes from."""

    @property
    def digest(self) -> int: ...
    @property
    def place(self) -> int: ...
    @property
    def leaves(self) -> tuple[int, ...]: ...
    @property
    def plain(self) -> str: ...


T = TypeVar("T", bound=Said)


def most_texts(window_seconds: int) -> int:
    """How many texts of a window are looked at."""
    return min(MOST_TEXTS, TEXTS_A_MINUTE * max(1, window_seconds // 60))


class WordCounter:
    """Counts the terms of a window's texts."""

    def __init__(self, heard: frozenset[str], names: frozenset[str], window_seconds: int, site: Ints) -> None:
        """Words that are no news: those of places' `names`, and those `heard` by the pack, but for texts about none of its keywords.
        `site`: for each place the one its words are counted at."""
        self.kinds, self.kinds_unheard = Kinds(heard | names), Kinds(names)
        self.most_texts = most_texts(window_seconds)
        self.site = site

    def count(self, texts: Sequence[T], counts: Callable[[T], bool] = lambda _: True) -> Words:
        """The terms of one window's texts; `counts`: whether its author is one more person, asked in the order of digests."""
        chosen = [text for text in self._chosen(texts) if counts(text)]
        site = self.site[np.array([text.place for text in chosen], np.int64)].tolist() if chosen else []
        terms: dict[int, Counter[str]] = {}
        for text, place in zip(chosen, site, strict=True):
            words = text.plain.split()
            kinds = list(map((self.kinds if text.leaves else self.kinds_unheard).__getitem__, words))
            found = {word for word, one in zip(words, kinds, strict=True) if one == NEW}
            both = zip(pairwise(words), pairwise(kinds), strict=True)
            found.update([f"{first} {second}" for (first, second), (one, other) in both if one * other in TELLING])
            if place not in terms:
                terms[place] = Counter()
            terms[place].update(found)
        return Words(dict(sorted(Counter(site).items())), _largest(terms))

    def _chosen(self, texts: Sequence[T]) -> list[T]:
        """As many as fit, in turns: the one of the smallest digest of each site, then the second of each, and so on."""
        if len(texts) <= self.most_texts:
            return sorted(texts, key=_digest)
        digest = np.array([text.digest for text in texts], np.uint64)
        site = self.site[np.array([text.place for text in texts], np.int64)]
        order = np.lexsort((digest, site))
        first = np.flatnonzero(np.diff(site[order], prepend=-1))
        turn = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
        kept = order[np.lexsort((digest[order], turn))[: self.most_texts]]
        return [texts[i] for i in kept[np.argsort(digest[kept])].tolist()]


class Kinds(dict[str, int]):
    """What a word is, worked out once each."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self.known = known

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_KINDS:
            self.clear()
        self[word] = kind = self._kind(word)
        return kind

    def _kind(self, word: str) -> int:
        if word in STOP_WORDS:
            return 0
        if word.isalpha():
            size = 2 < len(word) <= MOST_CHARACTERS
            return (KNOWN if word in self.known else NEW) if size else 0
        return NUMBER if len(word) <= MOST_DIGITS and word.isalnum() else 0


def in_all(parts: Iterable[Words]) -> Words:
    """The words of one window from all partitions."""
    texts: Counter[int] = Counter()
    terms: dict[int, Counter[str]] = {}
    for words in parts:
        texts.update(words.texts)
        for place, found in words.terms.items():
            terms.setdefault(place, Counter()).update(found)
    return Words(dict(sorted(texts.items())), _largest(terms))


def _largest(terms: dict[int, Counter[str]]) -> dict[int, dict[str, int]]:
    """The commonest, in an order of their own; of equals those with the smallest hash, so that the alphabet favours none."""
    rows = [(place, term, count) for place, found in terms.items() for term, count in found.items()]
    if len(rows) > MOST_TERMS:
        least = sorted([count for _, _, count in rows], reverse=True)[MOST_TERMS - 1]
        enough = [row for row in rows if row[2] >= least]
        rows = sorted(enough, key=lambda row: (-row[2], zlib.crc32(row[1].encode()), row[0]))[:MOST_TERMS]
    kept: dict[int, dict[str, int]] = {}
    for place, term, count in sorted(rows):
        kept.setdefault(place, {})[term] = count
    return kept
