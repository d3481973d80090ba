"""Every count against a brute-force recount that shares no code with the product: order, duplicates, repeats, late rows, partitions, batches."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.complaint import Record, Tick
from streams.intake import Intake
from streams.part import Part
from streams.pipeline import Pipeline, PipelineConfig

PACK = """
[pack]
name = "tiny"
title = "Tiny"
window_seconds = 60
language = "en"
[[keywords]]
id = "power"
name = "power"
[[keywords]]
id = "power/out"
name = "power out"
phrases = ["power out", "no power"]
[[keywords]]
id = "power/flicker"
name = "flickering lights"
phrases = ["lights flicker"]
[[keywords]]
id = "water"
name = "no water"
phrases = ["no water"]
"""
SAYS = {"no power": {"power/out", "power", "*"}, "lights flicker": {"power/flicker", "power", "*"}, "no water": {"water", "*"},
        "no power and no water": {"power/out", "power", "water", "*"}, "lovely day": set()}  # fmt: skip
PLACES = {"country:FR": 1, "country:DE": 2}
START = 1_700_000_040  # on a minute
HOUR = 3600


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    path = tmp_path_factory.mktemp("packs") / "tiny.toml"
    path.write_text(PACK, encoding="utf-8")
    return Pipeline(PipelineConfig(pack=str(path), lateness_seconds=60.0))


complaints = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 60).map(str),
            "at": st.integers(0, 3 * HOUR),
            "author": st.sampled_from([None, "ann", "bob", "cat"]),
            "text": st.sampled_from(sorted(SAYS)),
            "place": st.sampled_from(sorted(PLACES)),
        }
    ),
    max_size=80,
)


def recount(records: list[dict]) -> dict[tuple[int, str, str], tuple[int, int]]:
    """(window, place, keyword) -> voices, messages, by the rules as told to people: no code of the product."""
    ids, spoken = set(), defaultdict(list)
    voices, messages = defaultdict(int), defaultdict(int)
    for one in records:
        if one["id"] in ids:
            continue
        ids.add(one["id"])
        time = START + one["at"]
        for keyword in SAYS[one["text"]]:
            cell = (time - time % 60, one["place"], keyword)
            messages[cell] += 1
            said = spoken[one["author"], keyword]
            if one["author"] is None or all(abs(time - at) >= HOUR for at in said):
                voices[cell] += 1
                said.append(time)
    return {cell: (voices[cell], count) for cell, count in messages.items()}


def log(records: list[dict]) -> list[Record]:
    """The records as they arrive: each at its own time, in the order given."""
    return [
        Record(
            i,
            json.dumps(
                {"id": one["id"], "source": "s", "text": one["text"], "created_at": START + one["at"], "author": one["author"],
                 "place": one["place"]}
            ).encode(),
            float(START + 3 * HOUR),
        )
        for i, one in enumerate(records)
    ]  # fmt: skip


def counted(parts: list[Part], pipeline: Pipeline) -> dict[tuple[int, str, str], tuple[int, int]]:
    """What the parts hold, late rows among them."""
    found: dict[tuple[int, str, str], tuple[int, int]] = {}
    for part in parts:
        for rows in (part.rows, part.late):
            for window, place, keyword, _, _, voices, messages in zip(
                *(column.tolist() for column in rows), strict=True
            ):
                cell = (window, pipeline.places.id(place), pipeline.keywords.id(keyword))
                before = found.get(cell, (0, 0))
                found[cell] = (before[0] + voices, before[1] + messages)
    return found


@given(complaints)
@settings(max_examples=150, deadline=None)
def test_in_event_time_order_every_count_is_the_recount(pipeline: Pipeline, records: list[dict]) -> None:
    records = sorted(records, key=lambda one: one["at"])
    intake = Intake(pipeline.intakes[0].config)
    parts = intake.process([*log(records), Tick(len(records), START + 4 * HOUR, final=True)]).parts
    assert counted(parts, pipeline) == recount(records)


@given(complaints)
@settings(max_examples=100, deadline=None)
def test_out_of_order_no_message_is_lost_or_double(pipeline: Pipeline, records: list[dict]) -> None:
    intake = Intake(pipeline.intakes[0].config)
    parts = intake.process([*log(records), Tick(len(records), START + 4 * HOUR, final=True)]).parts
    found, expected = counted(parts, pipeline), recount(records)
    assert {cell: messages for cell, (_, messages) in found.items()} == {cell: n for cell, (_, n) in expected.items()}
    assert all(voices <= messages for voices, messages in found.values())


@given(complaints, st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(0, 80))
@settings(max_examples=100, deadline=None)
def test_batch_limits_and_a_restart_change_nothing(
    pipeline: Pipeline, records: list[dict], cuts: list[int], restart: int
) -> None:
    from streams.snapshot import restore_intake, snapshot_intake

    entries = [*log(records), Tick(len(records), START + 4 * HOUR, final=True)]
    whole = Intake(pipeline.intakes[0].config).process(entries).parts
    intake, parts, at = Intake(pipeline.intakes[0].config), [], 0
    while at < len(entries):
        size = cuts[at % len(cuts)]
        parts.extend(intake.process(entries[at : at + size]).parts)
        if at <= restart < at + size:
            state = snapshot_intake(intake)
            intake = Intake(pipeline.intakes[0].config)
            restore_intake(intake, state)
        at += size
    assert [part.seq for part in parts] == list(range(len(parts)))
    assert counted(parts, pipeline) == counted(whole, pipeline)
    assert [part.watermark for part in parts] == [part.watermark for part in whole]
