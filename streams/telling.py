"""Words by which a text that names no place is told at once: one word of each name, hardly used otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_ORDINARY_TEXT = """
air airport bay beach branch center central city college current east falls fort front grand great green hill hope international island
lake little live middle mobile new normal north park point port river safety san south springs state station three united us valley
water west white worth
"""
ORDINARY = frozenset(_ORDINARY_TEXT.split())  # not alone, where the name has another word


def telling_words(names: Iterable[Sequence[str]]) -> frozenset[str]:
    """A word of each name (in words): a text without any of them holds no name."""
    return frozenset(
        max(reversed(words), key=lambda word: (word not in ORDINARY, len(word))) for words in names if words
    )
