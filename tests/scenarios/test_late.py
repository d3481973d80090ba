"""Late data revises visibly and quietly: an incident whose people were not all heard of in time says so, and nobody is woken for it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from alerting.late import LateRows
from alerting.messages import late_line
from alerting.model import MAX_CHANNELS, Incident
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from tests.scenarios.world import AIRPORTS, PROBLEMS, Trouble, World, deliveries

SEVEN = 420.0  # minutes since midnight
BELT = Trouble("spot:T4", "baggage/belt", SEVEN, SEVEN + 60, 0.5)
CALLS = 1  # channel


def came_late(world: World, place: str, keyword: str, minutes: Sequence[float], people: int) -> list[Incident]:
    """So many more people in each of these minutes, told of now."""
    return told_late(world, [rolled_up(world, place, keyword, minute, people) for minute in minutes])


def told_late(world: World, windows: Sequence[LateRows]) -> list[Incident]:
    new = world.alerts.late(windows, world.since_monday(world.minute) + 60.0)
    world.revisions += new
    return new


def rolled_up(world: World, place: str, keyword: str, minute: float, people: int) -> LateRows:
    above_places, above_words = world.above
    places = np.flatnonzero(above_places[AIRPORTS.index[place]])
    words = np.flatnonzero(above_words[PROBLEMS.index[keyword]])
    pairs = np.array([(p, w) for p in places for w in words])
    count = np.full(len(pairs), people)
    channels = np.zeros((len(pairs), MAX_CHANNELS), np.int64)
    channels[:, CALLS] = people
    return LateRows(int(world.since_monday(minute)), pairs[:, 0], pairs[:, 1], count, count, channels)


def morning(*troubles: Trouble) -> World:
    world = World(*troubles)
    world.minute = SEVEN - 5
    return world


def confirmed() -> tuple[World, int]:
    """A world with one incident, and the people counted of it so far."""
    world = morning(BELT).run(SEVEN + 40)
    assert len(world.reached("confirmed")) == 1
    return world, counted(world)


def counted(world: World) -> int:
    (case,) = [case for case in world.alerts.cases if case.told]
    return round(case.people)


def test_twelve_people_told_of_later_are_said_with_their_minutes_and_wake_nobody() -> None:
    world, before = confirmed()
    (after,) = came_late(world, "spot:T4", "baggage/belt", [SEVEN + 20, SEVEN + 22, SEVEN + 24], 4)
    assert (after.reason, after.state, after.people) == ("late", "confirmed", before + 12)
    assert after.messages == before + 12
    assert after.channels["calls"] == 12
    assert after.peak == before + 12
    assert after.late is not None
    assert late_line(after.late, after.updated_at) == "12 more people, 07:20 to 07:25"
    told = [(one.channel, one.action) for one in deliveries(world) if one.reason == "late"]
    assert told == [("chat", "update"), ("pager", "update")]
    assert [one.channel for one in deliveries(world) if one.action == "open"] == ["chat", "pager"]


def test_what_came_late_stays_counted_until_the_end() -> None:
    world, _ = confirmed()
    plain = morning(BELT).run(SEVEN + 150)
    came_late(world, "spot:T4", "baggage/belt", [SEVEN + 20], 7)
    world.run(SEVEN + 150)
    (told,), (untold,) = world.reached("confirmed"), plain.reached("confirmed")
    assert told.state == untold.state == "resolved"
    assert told.people == untold.people + 7


def test_late_data_decides_nothing() -> None:
    """All that is decided, and when, is as if it had never come: hundreds of them confirm nothing, and hold nothing open."""
    told, plain = (morning(Trouble("spot:T4", "baggage/belt", SEVEN, SEVEN + 1, 10)) for _ in range(2))
    for world in (told, plain):
        world.run(SEVEN + 10)
        assert world.reached("suspected")
    came_late(told, "spot:T4", "baggage/belt", [SEVEN + minute for minute in range(10)], 300)
    for world in (told, plain):
        world.run(SEVEN + 120)
        assert not world.reached("confirmed")
    decided = [
        [(one.reason, one.updated_at) for one in world.revisions if one.reason != "late"] for world in (told, plain)
    ]
    assert decided[0] == decided[1]
    assert told.alerts.held == plain.alerts.held
    assert told.alerts.cut == plain.alerts.cut


def test_only_an_incident_of_that_place_problem_and_time_is_corrected() -> None:
    world, _ = confirmed()
    assert came_late(world, "spot:T5", "baggage/belt", [SEVEN + 20], 9) == []
    assert came_late(world, "spot:T4", "app/login", [SEVEN + 20], 9) == []
    assert came_late(world, "spot:T4", "baggage/belt", [SEVEN - 60], 9) == []


def test_a_trickle_of_late_data_is_told_every_quarter_of_an_hour_and_all_of_it() -> None:
    world, _ = confirmed()
    for _ in range(40):
        came_late(world, "spot:T4", "baggage/belt", [world.minute - 10], 1)
        world.run(world.minute + 1)
    world.run(world.minute + 20)
    told = [one for one in world.revisions if one.reason == "late"]
    assert len(told) in (3, 4)
    assert sum(one.late.people for one in told if one.late is not None) == 40
    assert world.latest()[0].people == counted(world) + 40


def test_an_incident_that_is_over_is_corrected_where_it_is_read_and_told_to_nobody() -> None:
    world, _ = confirmed()
    world.run(SEVEN + 150)
    (before,) = world.latest("resolved")
    (after,) = came_late(world, "spot:T4", "baggage/belt", [SEVEN + 30], 5)
    assert (after.state, after.people) == ("resolved", before.people + 5)
    assert not [one for one in deliveries(world) if one.reason == "late"]


def test_a_snapshot_keeps_what_came_late() -> None:
    world, _ = confirmed()
    came_late(world, "spot:T4", "baggage/belt", [SEVEN + 20], 7)
    came_late(world, "spot:T4", "baggage/belt", [SEVEN + 21], 2)  # waits for its quarter of an hour
    other, _ = confirmed()
    other.alerts.restore(world.alerts.snapshot())
    for one in (world, other):
        one.revisions.clear()
        one.run(SEVEN + 120)
    assert other.revisions == world.revisions
    assert [one.late.people for one in world.revisions if one.late is not None] == [2]


HOUSTON, START = "no power in Houston", 1_704_585_600


def heard(late_people: int) -> tuple[Pipeline, list[Incident], list[tuple[int, int]]]:
    """A storm of sixty people in Houston, of whom some are told of an hour late; the pipeline, incidents, and late rows."""
    storm = [START + 4 * 86400 + 60.0 * number for number in range(60)]
    times = sorted([*(START + 1800.0 * number for number in range(4 * 48)), *storm])
    late = [START + 4 * 86400 + 1200.0 + 10 * number for number in range(late_people)]
    records = [*times, storm[-1] + 600.0, *late, storm[-1] + 700.0]
    pipeline = Pipeline(PipelineConfig(pack="power"))
    entries = [
        Record(number, json.dumps({"id": f"{number}", "source": "a:a", "author": f"p{number}", "text": HOUSTON, "created_at": at}).encode(),
               max(at, START) + 5.0)
        for number, at in enumerate(records)
    ]  # fmt: skip
    incidents, rows = [], []
    for batch in ([*entries, Tick(len(entries), storm[-1] + 1200.0)], [Tick(len(entries) + 1, storm[-1] + 1800.0)]):
        outputs = pipeline.process(0, batch)
        incidents += outputs.incidents
        rows += [(one.start, int(one.voices.max())) for one in outputs.revisions]
    return pipeline, incidents, rows


def test_from_complaint_to_revision_the_people_and_the_cells_agree_and_the_detector_learns_nothing_of_it() -> None:
    pipeline, incidents, rows = heard(12)
    plain, _, none = heard(0)
    assert none == []
    assert sum(voices for _, voices in rows) == 12
    (corrected,) = [one for one in incidents if one.reason == "late"]
    (known,) = [case for case in plain.alerts.cases if case.told]
    assert (corrected.id, corrected.people) == (known.id, round(known.people) + 12)
    assert corrected.late is not None
    assert corrected.late.people == 12
    assert (corrected.late.since, corrected.late.until) == (min(rows)[0], max(rows)[0] + pipeline.window_seconds)
    assert pipeline.detect.bank is not None
    assert plain.detect.bank is not None
    assert pipeline.detect.bank.snapshot() == plain.detect.bank.snapshot()
