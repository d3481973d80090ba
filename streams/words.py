"""What words people use besides those the pack listens for: counted when a window closes, in a size that does not grow with the traffic."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Protocol

from streams.evidence import STOP_WORDS
from streams.part import MOST_TERMS, Words

TEXTS_A_MINUTE = 32
MOST_TEXTS = 512
MOST_CHARACTERS = 24  # of a word
MOST_DIGITS = 4  # of `3`, `b12`, `1204`, as of a belt, a gate, a flight; longer ones may be somebody's
MOST_KINDS = 50_000
KNOWN, NEW, NUMBER = 1, 2, 3  # 0: no part of a term
_digest = attrgetter("digest")
TELLING = frozenset({KNOWN * NEW, NEW * NEW, KNOWN * NUMBER, NEW * NUMBER})  # pairs that may say something new


class Said(Protocol):
    """A text: its words, without handles and links, and what it is sampled by."""

    @property
    def digest(self) -> object: ...
    @property
    def plain(self) -> str: ...


class WordCounter:
    """Counts the terms of a window's voices; of many, of those with the smallest digests."""

    def __init__(self, known: frozenset[str], window_seconds: int) -> None:
        """`known`: words that are no news, of the pack and of places."""
        self.kinds = Kinds(known)
        self.most_texts = min(MOST_TEXTS, TEXTS_A_MINUTE * max(1, window_seconds // 60))

    def count(self, texts: Sequence[Said]) -> Words:
        """The terms of one window's texts."""
        if len(texts) > self.most_texts:
            texts = sorted(texts, key=_digest)[: self.most_texts]
        terms: Counter[str] = Counter()
        kind = self.kinds.__getitem__
        for text in texts:
            words = text.plain.split()
            kinds = list(map(kind, words))
            found = {word for word, one in zip(words, kinds, strict=True) if one == NEW}
            both = zip(pairwise(words), pairwise(kinds), strict=True)
            found.update([f"{first} {second}" for (first, second), (one, other) in both if one * other in TELLING])
            terms.update(found)
        return Words(len(texts), _largest(terms))


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


def in_all(first: Words, second: Words) -> Words:
    """The words of one window from two partitions."""
    terms = dict(first.terms)
    for term, count in second.terms.items():
        terms[term] = terms.get(term, 0) + count
    return Words(first.texts + second.texts, _largest(terms))


def _largest(terms: dict[str, int]) -> dict[str, int]:
    """The commonest, in an order of their own; of equals those with the smallest hash, so that the alphabet favours none."""
    if len(terms) <= MOST_TERMS:
        return dict(sorted(terms.items()))
    least = sorted(terms.values(), reverse=True)[MOST_TERMS - 1]
    enough = [one for one in terms.items() if one[1] >= least]
    return dict(sorted(enough, key=lambda one: (-one[1], zlib.crc32(one[0].encode())))[:MOST_TERMS])
