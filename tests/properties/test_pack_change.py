"""A pack that changes on the way: known keywords keep number and baseline, new ones are learnt first, a bad pack changes nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from alerting.model import Control, Incident
from streams.complaint import Record, Tick
from streams.pipeline import Outputs, Pipeline, PipelineConfig

MONDAY = 1_704_672_000  # 8 January 2024
DAY = 86400
HEAD = '[pack]\nname = "little"\ntitle = "Little"\nwindow_seconds = 300\nlanguage = "en"\n'
POWER = '[[keywords]]\nid = "outage"\nname = "outage"\n[[keywords]]\nid = "outage/no-power"\nname = "no power"\nphrases = ["no power"]\n'
WATER = '[[keywords]]\nid = "water"\nname = "water trouble"\nphrases = ["no water"]\n'
HEAT = '[[keywords]]\nid = "outage/cold"\nname = "no heating"\nphrases = ["no heating", "freezing inside"]\n'
BEFORE, AFTER = HEAD + WATER + POWER, HEAD + POWER + HEAT + WATER.replace('"no water"', '"no water", "taps are dry"')


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "little.toml"
    path.write_text(BEFORE)
    return path


def fresh(pack: Path, partitions: int = 1) -> Pipeline:
    return Pipeline(PipelineConfig(pack=str(pack), partitions=partitions))


def change(text: str, id: str = "p1") -> Control:
    return Control(id=id, kind="pack", at=0.0, author="overheard", value=text)


def said(days: float, begin: float = MONDAY, seed: int = 1, first: int = 0) -> list[Record | Tick]:
    """Chatter of three kinds in Houston and Boston, one every seven minutes."""
    rng = random.Random(seed)
    found: list[Record | Tick] = []
    for number in range(first, first + int(days * DAY / 420)):
        at = begin + (number - first) * 420 + rng.random() * 60
        text = rng.choice(["no power again", "no water here", "freezing inside since noon", "taps are dry"])
        found.append(one(number, at, text, rng.choice(["Houston, TX", "Boston, MA"])))
    return found


def one(number: int, at: float, text: str, place: str) -> Record:
    body = {
        "id": f"n{number}",
        "source": "x",
        "author": f"a{number}",
        "created_at": at,
        "text": text,
        "location": place,
    }
    return Record(number, json.dumps(body).encode(), None, "log")


def crowd(at: float, text: str, first: int) -> list[Record | Tick]:
    """Sixty people in Houston within an hour, and the time after it."""
    return [*(one(first + n, at + n * 60, f"{text} {n}", "Houston, TX") for n in range(60)), Tick(0, at + 7200)]


def heard(outputs: Outputs, pipeline: Pipeline, keyword: str) -> int:
    number = pipeline.keywords.index(keyword)
    everywhere = pipeline.places.everywhere
    return sum(int(c.voices[(c.keyword == number) & (c.place == everywhere)].sum()) for c in outputs.cells)


def together(*batches: Outputs) -> tuple[list[Incident], list[tuple[int, list[int], list[float]]]]:
    cells = [(c.start, c.voices.tolist(), c.p_value.tolist()) for batch in batches for c in batch.cells]
    return [i for batch in batches for i in batch.incidents], cells


def test_known_keywords_keep_their_numbers_and_baselines_and_new_ones_are_heard(pack: Path) -> None:
    changed, same = fresh(pack), fresh(pack)
    names = {id: changed.keywords.index(id) for id in ("*", "outage", "outage/no-power", "water")}
    before = changed.process(0, said(7)), same.process(0, said(7))
    assert together(before[0]) == together(before[1])
    changed.control(change(AFTER))
    assert {id: changed.keywords.index(id) for id in names} == names
    assert changed.keywords.index("outage/cold") == len(names)
    more = said(1, MONDAY + 7 * DAY, 2, 5000)
    after, plain = changed.process(0, more), same.process(0, more)
    assert heard(after, changed, "outage/cold") > 30
    assert heard(after, changed, "water") > 1.5 * heard(plain, same, "water")
    assert heard(after, changed, "outage/no-power") == heard(plain, same, "outage/no-power")
    number = names["outage/no-power"]
    for new, old in zip(after.cells[:3], plain.cells[:3], strict=True):
        expected = [
            {int(p): float(e) for p, e, k in zip(c.place, c.expected, c.keyword, strict=True) if k == number}
            for c in (new, old)
        ]
        assert expected[0].keys() >= expected[1].keys()
        assert all(np.isclose(expected[0][place], value, rtol=0.05) for place, value in expected[1].items())


def test_a_restart_before_and_after_the_change_changes_nothing(pack: Path) -> None:
    parts = [said(4), said(1, MONDAY + 4 * DAY, 2, 3000), crowd(MONDAY + 5 * DAY, "no power", 9000)]
    whole = fresh(pack)
    wanted = [whole.process(0, parts[0])]
    whole.control(change(AFTER))
    wanted += [whole.process(0, part) for part in parts[1:]]

    first = fresh(pack)
    found = [first.process(0, parts[0])]
    pack.write_text(AFTER)  # the file is ahead of the log
    second = fresh(pack)
    second.restore(first.snapshot())
    assert not any(k.id == "outage/cold" for k in second.pack.keywords)
    second.control(change(AFTER))
    found.append(second.process(0, parts[1]))
    third = fresh(pack)
    third.restore(second.snapshot())
    found.append(third.process(0, parts[2]))
    assert together(*found) == together(*wanted)
    assert third.digest == whole.digest


@pytest.mark.parametrize(
    "text", ["nonsense [", HEAD, AFTER.replace("300", "600"), BEFORE.replace('id = "outage"', 'id = "out age"')]
)
def test_a_bad_pack_changes_nothing(pack: Path, text: str) -> None:
    pipeline, other = fresh(pack), fresh(pack)
    pipeline.process(0, said(1))
    other.process(0, said(1))
    pipeline.control(change(text))
    assert pipeline.digest == other.digest
    assert pipeline.snapshot() == other.snapshot()


def test_a_new_keyword_is_no_more_than_a_signal_until_it_is_learnt(pack: Path) -> None:
    pipeline = fresh(pack)
    pipeline.process(0, said(8))
    pipeline.control(change(AFTER))
    new = pipeline.process(0, crowd(MONDAY + 8 * DAY + 3600, "freezing inside", 9000))
    told = [i for i in new.incidents if "outage/cold" in i.keywords]
    assert {i.state for i in told} <= {"signal"}
    old = pipeline.process(0, crowd(MONDAY + 8 * DAY + 5 * 3600, "no power", 9500))
    assert any(i.state in ("suspected", "confirmed") for i in old.incidents)


def test_a_keyword_that_is_gone_is_heard_no_more_and_comes_back_with_its_number(pack: Path) -> None:
    pipeline = fresh(pack)
    pipeline.process(0, said(1))
    number = pipeline.keywords.index("water")
    pipeline.control(change(HEAD + POWER))
    without = pipeline.process(0, said(1, MONDAY + DAY, 2, 3000))
    assert heard(without, pipeline, "water") <= 1  # of the window that was filling
    pipeline.control(change(BEFORE, "p2"))
    again = pipeline.process(0, said(1, MONDAY + 2 * DAY, 3, 6000))
    assert pipeline.keywords.index("water") == number
    assert heard(again, pipeline, "water") > 30
