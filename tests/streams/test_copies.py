"""Copies: one text with small changes is one, different texts are different."""

from __future__ import annotations

import random

from streams.copies import MAX_DISTANCE, Copies, fingerprints, lane

TEXT = "the lights just went out on the whole street and the lift is stuck between two floors with people in it"
WORDS = TEXT.split()


def copied(copies: Copies, words: list[str], time: float) -> bool:
    return copies.is_copy(fingerprints([words])[0], time)


def test_the_same_text_is_a_copy_for_a_day() -> None:
    copies = Copies()
    assert not copied(copies, WORDS, 0.0)
    assert copied(copies, WORDS, 86_399.0)
    assert not copied(copies, WORDS, 86_401.0)


def test_a_different_text_is_no_copy() -> None:
    copies = Copies()
    copied(copies, WORDS, 0.0)
    assert not copied(
        copies,
        [
            "no",
            "internet",
            "at",
            "home",
            "since",
            "four",
            "and",
            "the",
            "hotline",
            "keeps",
            "hanging",
            "up",
            "on",
            "me",
        ],
        1.0,
    )


def test_texts_at_distance_three_are_always_found() -> None:
    copies = Copies()
    (value,) = fingerprints([WORDS])
    copies.is_copy(value, 0.0)
    pick = random.Random(5)
    for _ in range(200):
        near = value
        for bit in pick.sample(range(64), MAX_DISTANCE):
            near ^= 1 << bit
        assert copies.is_copy(near, 1.0)


def test_the_fingerprint_is_the_majority_of_the_words_bits() -> None:
    texts = [[f"word{i}" for i in range(count)] for count in (1, 2, 3, 17, 60)]
    for words, found in zip(texts, fingerprints(texts), strict=True):
        lanes = [lane(word) for word in words]
        majority = [sum(one >> 8 * bit & 1 for one in lanes) * 2 > len(words) for bit in range(64)]
        assert found == sum(bit << place for place, bit in enumerate(majority))


def test_memory_is_bounded_whatever_comes() -> None:
    copies = Copies()
    pick = random.Random(6)
    for i in range(100_000):
        copies.is_copy(pick.getrandbits(64), float(i) / 10)
    assert len(copies.now) + len(copies.before) <= 2 * 40_000
