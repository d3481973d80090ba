"""Words nobody listens for are counted where people are, people once each, whatever the batches, the partitions and the restarts."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.complaint import Record, Tick
from streams.intake import Intake
from streams.part import Words
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.board_state import new_words
from streams.snapshot import restore_intake, snapshot_intake
from streams.words import in_all

MONDAY = 1_704_672_000.0  # 8 January 2024
PIPELINE = Pipeline(PipelineConfig(pack="airline"))
CONFIG = PIPELINE.intake_config()
HOUR = 3600.0


def said(number: int, at: float, text: str, author: str | None, place: str = "airport:LHR", **more: str) -> Record:
    body = {"id": f"n{number}", "source": "twitter:x", "created_at": MONDAY + at, "text": text, "place": place, **more}
    return Record(number, json.dumps(body | ({"author": author} if author else {})).encode(), MONDAY + at, "log")


def words_of(
    entries: list[Record | Tick], at_once: int = 1000, restart_after: int | None = None
) -> list[dict[int, Words]]:
    intake, found, seen = Intake(CONFIG), [], 0
    for first in range(0, len(entries), at_once):
        batch = entries[first : first + at_once]
        found += [part.words for part in intake.process(batch).parts]
        seen += len(batch)
        if restart_after is not None and seen >= restart_after:
            state, intake, restart_after = snapshot_intake(intake), Intake(CONFIG), None
            restore_intake(intake, state)
    return found


def total(found: list[dict[int, Words]], term: str, place: str = "airport:LHR") -> int:
    at = PIPELINE.places.index(place)
    return sum(words.terms.get(at, {}).get(term, 0) for part in found for words in part.values())


def ended(records: list[Record]) -> list[Record | Tick]:
    return [*records, Tick(9999, MONDAY + 10 * HOUR, True)]


def test_a_text_about_no_problem_counts_for_its_place() -> None:
    found = words_of(ended([said(n, 60.0 * n, f"kiosk frozen {n}", f"a{n}") for n in range(6)]))
    assert total(found, "kiosk frozen") == 6


def test_one_person_counts_once_an_hour_whatever_is_said_about_what() -> None:
    texts = ("kiosk frozen", "lost my bag, kiosk frozen", "flight cancelled, kiosk frozen", "kiosk frozen again")
    records = [said(n, 300.0 * n, text, "same") for n, text in enumerate(texts)]
    records.append(said(9, 2 * HOUR, "kiosk frozen", "same"))
    assert total(words_of(ended(records)), "kiosk frozen") == 2
    assert total(words_of(ended(records), restart_after=2, at_once=1), "kiosk frozen") == 2


def test_reposts_copies_and_what_a_machine_repeats_are_one() -> None:
    long = "the new kiosk frozen at every single counter here and nobody at all to be seen"
    copied = [said(n, 60.0 * n, long, f"a{n}") for n in range(6)]
    reposted = [said(10 + n, 60.0 * n, "RT @x: kiosk frozen", f"b{n}") for n in range(6)]
    marked = [said(20 + n, 60.0 * n, "kiosk frozen", f"c{n}", repost_of="n1") for n in range(6)]
    typed = [said(30 + n, 60.0 * n, "kiosk frozen", None) for n in range(6)]
    assert total(words_of(ended(sorted(copied + reposted + marked, key=lambda one: one.position))), "kiosk frozen") == 1
    assert total(words_of(ended(typed)), "kiosk frozen") == 1


@st.composite
def streams(draw: st.DrawFn) -> list[Record]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 1800), st.integers(0, 12), st.sampled_from("abcd"), st.booleans()), max_size=40
        )
    )
    texts = {
        "a": "kiosk frozen",
        "b": "lost my bag at belt 3",
        "c": "gate changed",
        "d": "flight cancelled and kiosk frozen",
    }
    rows.sort(key=lambda row: row[0])
    return [
        said(n, float(at), texts[text], f"a{author}", "airport:LHR" if here else "airport:JFK")
        for n, (at, author, text, here) in enumerate(rows)
    ]


@settings(max_examples=25, deadline=None)
@given(streams(), st.integers(1, 9), st.integers(0, 60))
def test_batches_and_a_restart_change_nothing_and_partitions_of_authors_add_up(
    records: list[Record], batch: int, stop: int
) -> None:
    whole = words_of(ended(records))
    assert words_of(ended(records), batch, stop) == whole
    halves = [[one for one in records if (int(json.loads(one.value)["author"][1:]) % 2) == half] for half in (0, 1)]
    parted = [{start: words for part in words_of(ended(half)) for start, words in part.items()} for half in halves]
    together = {start: words for part in whole for start, words in part.items()}
    for start, words in together.items():
        assert in_all(half[start] for half in parted if start in half) == words


def test_six_people_at_an_airport_are_told_there() -> None:
    pipeline = Pipeline(PipelineConfig(pack="airline"))
    usual = ["lovely flight", "nice crew", "lost my bag", "delayed again"]
    records = [
        said(n, 120.0 * n, f"{usual[n % 4]} {n}", f"u{n}", ("airport:LHR", "airport:JFK")[n % 2]) for n in range(2200)
    ]
    end = 120.0 * 2200
    records += [said(5000 + n, end + 100.0 * n, f"kiosk frozen number {n}", f"k{n}") for n in range(6)]
    pipeline.process(0, [*records, Tick(9999, MONDAY + end + 760)])
    told = [(one["word"], one["place"], one["people"]) for one in new_words(pipeline.detect)]
    assert ("kiosk frozen", "airport:LHR", 6) in told
