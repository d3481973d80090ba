"""The terms of a window: each voice once, no stop words, no words the pack knows, bounded, the same however partitions split it."""

from __future__ import annotations

import json
import random
from typing import NamedTuple

import numpy as np

from streams.complaint import Record
from streams.part import MOST_TERMS, Words
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.board_state import new_words
from streams.words import WordCounter, in_all

MONDAY = 1_704_672_000.0  # 8 January 2024
KNOWN, NAMES = frozenset({"bag", "lost"}), frozenset({"chicago"})
SITES = np.arange(10)
SITES[5] = 4  # a terminal in an airport


class Text(NamedTuple):
    digest: int
    plain: str
    place: int = 0
    leaves: tuple[int, ...] = (1,)


def texts(*said: str) -> list[Text]:
    return [Text(number, one) for number, one in enumerate(said)]


def terms(words: Words) -> dict[str, int]:
    return words.terms[0]


def test_each_voice_counts_a_term_once() -> None:
    words = WordCounter(KNOWN, NAMES, 60, SITES).count(
        texts("kiosk kiosk frozen kiosk frozen", "the kiosk frozen again")
    )
    assert words.texts == {0: 2}
    assert terms(words) == {"frozen": 2, "kiosk": 2, "frozen kiosk": 1, "kiosk frozen": 2, "kiosk kiosk": 1}


def test_what_the_pack_and_the_map_know_is_no_news_but_a_new_pair_of_it_is() -> None:
    words = WordCounter(KNOWN | {"belt"}, NAMES, 60, SITES).count(
        texts("lost bag at belt 3 in chicago", "bag 123456 is at belt 3")
    )
    assert terms(words) == {"belt 3": 2}


def test_in_a_text_about_no_keyword_the_packs_words_are_news_too() -> None:
    unheard = Text(1, "bag frozen in chicago", leaves=())
    assert terms(WordCounter(KNOWN, NAMES, 60, SITES).count([unheard])) == {"bag": 1, "frozen": 1, "bag frozen": 1}


def test_of_many_texts_those_with_the_smallest_digests_are_looked_at() -> None:
    counter = WordCounter(KNOWN, NAMES, 60, SITES)
    many = [Text(number, "early" if number < 64 else "late") for number in range(1000)]
    assert terms(counter.count(many[::-1])) == {"early": 64}
    assert counter.count(many).texts == {0: 64}


def test_a_few_people_at_a_small_place_are_not_lost_among_many_of_a_large_one() -> None:
    many = [Text(number, "late") for number in range(1000)]
    few = [Text(2000 + number, "kiosk", 4 + number % 2) for number in range(6)]
    words = WordCounter(KNOWN, NAMES, 60, SITES).count(many + few)
    assert words.texts == {0: 58, 4: 6}
    assert words.terms == {0: {"late": 58}, 4: {"kiosk": 6}}


def test_no_window_gives_more_terms_than_fit_and_the_commonest_stay() -> None:
    said = [
        Text(number, " ".join(f"w{'abcdefghij'[number % 10]}{chr(97 + each)}q" * 1 for each in range(26)))
        for number in range(10, 64)
    ]
    said += [Text(number, "storm " + " ".join(f"x{chr(97 + number % 26)}{chr(97 + each % 26)}{chr(97 + each // 26)}" for each in range(400)))
             for number in range(10)]  # fmt: skip
    words = WordCounter(KNOWN, NAMES, 60, SITES).count(said)
    assert len(terms(words)) == MOST_TERMS
    assert terms(words)["storm"] == 10


def test_partitions_add_up() -> None:
    counter = WordCounter(KNOWN, NAMES, 60, SITES)
    first, second = counter.count(texts("kiosk frozen")), counter.count(texts("kiosk dead", "screen dead"))
    both = in_all([first, second])
    assert both == counter.count(texts("kiosk frozen", "kiosk dead", "screen dead"))
    assert both == in_all([second, first])


def said(number: int, at: float, text: str) -> Record:
    body = {"id": f"n{number}", "source": "twitter:x", "author": f"a{number}", "created_at": at, "text": text}
    return Record(number, json.dumps(body).encode(), None, "log")


def test_a_new_word_in_complaints_is_told_and_a_restart_changes_nothing() -> None:
    rng = random.Random(4)
    usual = [
        f"no power in {rng.choice(('Houston', 'Dallas'))} {rng.choice(('again', 'tonight', 'ugh', 'help'))} number {n}"
        for n in range(900)
    ]
    records = [said(n, MONDAY + n * 160.0, text) for n, text in enumerate(usual)]
    end = MONDAY + 900 * 160.0
    records += [said(1000 + n, end + n * 100.0, f"flamingo crate fell, no power {n}") for n in range(9)]
    whole, parted = Pipeline(PipelineConfig(pack="power")), Pipeline(PipelineConfig(pack="power"))
    whole.process(0, records)
    parted.process(0, records[:903])
    state = parted.snapshot()
    parted = Pipeline(PipelineConfig(pack="power"))
    parted.restore(state)
    parted.process(0, records[903:])
    told = new_words(whole.detect)
    assert told == new_words(parted.detect)
    assert {"flamingo crate", "crate fell"} <= {one["word"] for one in told}
    assert not {"flamingo", "crate", "power", "houston"} & {one["word"] for one in told}
    assert all(one["people"] >= 5 and one["expected"] < 1 for one in told)
