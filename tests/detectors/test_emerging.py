"""New words are told when several people use them within the hour; ordinary talk never is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from detectors.emerging import DAY_SECONDS, MOST_TERMS_A_SLOT, Emerging, Term
from detectors.together import distinct, together

WINDOW = 300
EVERYWHERE, ENGLAND, LHR, MAN, TEXAS, DFW = range(6)
ABOVE = np.array(
    [
        [-1, -1, EVERYWHERE],
        [ENGLAND, -1, EVERYWHERE],
        [LHR, ENGLAND, EVERYWHERE],
        [MAN, ENGLAND, EVERYWHERE],
        [TEXAS, -1, EVERYWHERE],
        [DFW, TEXAS, EVERYWHERE],
    ]
)
NAMES = [f"word{number}" for number in range(3000)]


def add(emerging: Emerging, start: int, texts: int, people: Mapping[str, int], at: int = LHR) -> None:
    emerging.take(start, {at: texts}, {at: people})


class Talk:
    """Texts of eight words each from a vocabulary as uneven as a language's; what is talked of drifts by the hour."""

    def __init__(self, seed: int, texts: float = 12.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.texts = texts
        self.share = 1.0 / np.arange(5, 5 + len(NAMES))
        self.now = self.share / self.share.sum()

    def window(self, start: int) -> tuple[int, Counter[str]]:
        if start % 3600 == 0:
            drift = self.share * self.rng.gamma(8.0, 1 / 8.0, len(NAMES))
            self.now = drift / drift.sum()
        texts = int(self.rng.poisson(self.texts * (1 + np.sin(start / DAY_SECONDS * 6.28) / 2)))
        found: Counter[str] = Counter()
        for row in self.rng.choice(len(NAMES), (texts, 8), p=self.now).tolist():
            found.update({NAMES[number] for number in row})
        return texts, found


def heard(days: float, seed: int = 1, emerging: Emerging | None = None, begin: int = 0) -> Emerging:
    emerging, talk = emerging or Emerging(WINDOW, ABOVE), Talk(seed)
    for start in range(begin, begin + int(days * DAY_SECONDS), WINDOW):
        add(emerging, start, *talk.window(start))
    return emerging


def test_a_word_nobody_used_before_is_found_in_three_windows() -> None:
    emerging, talk, start = heard(3), Talk(2), 3 * 86400
    found_after = None
    for number in range(3):
        texts, people = talk.window(start + number * WINDOW)
        people["belt 3"] = 3
        add(emerging, start + number * WINDOW, texts, people)
        if found_after is None and emerging.found:
            found_after = number + 1
    (term,) = emerging.found
    assert (term.term, term.people) == ("belt 3", 9)
    assert term.expected < 0.5
    assert found_after in (2, 3)
    assert start <= term.since <= start + 2 * WINDOW


def test_four_people_are_not_enough() -> None:
    emerging = heard(3)
    texts, people = Talk(2).window(3 * 86400)
    add(emerging, 3 * 86400, texts, people | {"kiosk frozen": 4})
    assert emerging.found == ()


@pytest.mark.parametrize("seed", [11, 12])
def test_ordinary_talk_of_four_weeks_tells_nothing(seed: int) -> None:
    emerging, talk, told = Emerging(WINDOW, ABOVE), Talk(seed), 0
    for start in range(0, 28 * 86400, WINDOW):
        add(emerging, start, *talk.window(start))
        told += len(emerging.found)
    assert told == 0


def test_what_is_said_for_days_is_no_longer_new_and_is_let_go_when_it_ends() -> None:
    emerging, talk = heard(3), Talk(3)
    lasted = 0
    for start in range(3 * 86400, 8 * 86400, WINDOW):
        texts, people = talk.window(start)
        add(emerging, start, texts, people | {"strike": 3})
        lasted += any(term.term == "strike" for term in emerging.found)
    assert 12 < lasted < 4 * 288
    assert emerging.found == ()
    emerging = heard(3)
    texts, people = Talk(2).window(3 * 86400)
    add(emerging, 3 * 86400, texts, people | {"belt 3": 9})
    assert emerging.found
    emerging.pass_time(3 * 86400 + 2 * 3600)
    assert emerging.found == ()


def test_nothing_is_told_on_the_first_day() -> None:
    emerging = heard(0.5)
    texts, people = Talk(2).window(43200)
    add(emerging, 43200, texts, people | {"belt 3": 50})
    assert emerging.found == ()


def test_a_restored_one_goes_on_as_if_never_stopped() -> None:
    whole = heard(2)
    copy = Emerging(WINDOW, ABOVE)
    copy.restore(whole.snapshot())
    heard(0.5, 5, whole, 2 * 86400)
    heard(0.5, 5, copy, 2 * 86400)
    assert copy.snapshot() == whole.snapshot()
    assert copy.found == whole.found


def test_memory_does_not_grow_with_the_vocabulary() -> None:
    emerging = Emerging(WINDOW, ABOVE)
    for number in range(600):
        people = {f"n{number}x{each}": 1 + each % 2 for each in range(1024)}
        add(emerging, number * WINDOW, 64, people)
    assert all(sum(map(len, slot.people.values())) <= MOST_TERMS_A_SLOT for slot in emerging.slots)
    assert len(emerging.recent) <= MOST_TERMS_A_SLOT * emerging.most_slots
    assert len(emerging.snapshot()) < 1_600_000


def spread(emerging: Emerging, days: float, places: tuple[int, ...]) -> int:
    """Ordinary talk of some days, in equal shares at the places; when it ends."""
    talk = Talk(7, 6.0)
    for start in range(0, int(days * DAY_SECONDS), WINDOW):
        emerging.take(start, *_shares(talk, start, places))
    return int(days * DAY_SECONDS)


def _shares(talk: Talk, start: int, places: tuple[int, ...]) -> tuple[dict[int, int], dict[int, dict[str, int]]]:
    each = {place: talk.window(start) for place in places}
    return {place: texts for place, (texts, _) in each.items()}, {
        place: dict(found) for place, (_, found) in each.items()
    }


def where(emerging: Emerging, term: str) -> list[int]:
    return [one.place for one in emerging.found if one.term == term]


def test_a_word_is_told_at_the_tightest_place_that_has_most_who_say_it() -> None:
    for said, told in (
        ({LHR: 6}, [LHR]),
        ({LHR: 6, MAN: 1}, [LHR]),
        ({LHR: 4, MAN: 4}, [ENGLAND]),
        ({LHR: 4, DFW: 4}, [EVERYWHERE]),
    ):
        emerging = Emerging(WINDOW, ABOVE)
        end = spread(emerging, 3, (LHR, MAN, DFW))
        texts = dict.fromkeys(said, 8)
        emerging.take(end, texts, {place: {"kiosk": count} for place, count in said.items()})
        assert where(emerging, "kiosk") == told


def test_a_word_common_elsewhere_is_new_where_nobody_used_it() -> None:
    emerging = Emerging(WINDOW, ABOVE)
    for start in range(0, 6 * 86400, WINDOW):
        emerging.take(start, {DFW: 5, LHR: 1}, {DFW: {"tornado": 1}})
    end = 6 * 86400
    emerging.take(end, {DFW: 8}, {DFW: {"tornado": 7}})
    assert emerging.found == ()
    emerging.take(end + WINDOW, {LHR: 8}, {LHR: {"tornado": 8}})
    assert where(emerging, "tornado") == [LHR]


def term(name: str, place: int, people: int) -> Term:
    return Term(name, place, people, 0.1, 0.0, 1e-9)


def test_words_of_one_place_are_one_thing_and_a_pair_stands_for_its_words() -> None:
    found = (
        term("kiosk frozen", LHR, 6),
        term("frozen", LHR, 7),
        term("kiosk", DFW, 6),
        term("gate", LHR, 15),
        term("gate kiosk", LHR, 5),
    )
    told = distinct(found)
    assert [(one.term, one.place) for one in told] == [
        ("kiosk frozen", LHR), ("kiosk", DFW), ("gate", LHR), ("gate kiosk", LHR)
    ]  # fmt: skip
    groups = together(told, lambda one, other: one == other)
    assert [(group.place, [one.term for one in group.terms]) for group in groups] == [
        (LHR, ["kiosk frozen", "gate", "gate kiosk"]), (DFW, ["kiosk"])
    ]  # fmt: skip
