"""A store filled by nine simulated days that end now: two disruptions that are over, one that goes on, a blind source, people's acts."""

from __future__ import annotations

import time
from itertools import groupby
from uuid import uuid4

import msgspec
import numpy as np
from sqlalchemy import Engine, select

from alerting.model import Blind, Control
from detectors.network import DAY, WEEK
from streams.channels import CHANNELS
from streams.complaint import Record, Tick
from streams.pipeline import ChannelOf, Pipeline, PipelineConfig
from streams.runtime.board_state import board_state
from streams.runtime.simulate import simulator
from streams.runtime.store import graph, tables
from streams.runtime.store.network import MOST_WEEKS, SINCE, UNTIL, refresh
from streams.runtime.store.writer import Work, Writer, write_meta
from streams.scenarios import CITIES
from streams.simulator import Disruption, Scenario

DAYS = 9
HOUR = 3600


def fill(engine: Engine, now: float | None = None) -> None:
    """Everything a running service would have written by `now` (Unix seconds)."""
    now = time.time() if now is None else now
    start = now // HOUR * HOUR - (DAYS * 24 - 1) * HOUR
    scenario = Scenario(
        pack="airline", places=CITIES, per_hour=30.0, learn_days=DAYS - 0.75, days=0.75, start=start,
        disruptions=(
            Disruption(what="belt", at_hours=0.5, hours=2.0, people=120, keywords=("baggage",), cities=("Chicago",)),
            Disruption(what="storm", at_hours=4.0, hours=3.0, people=160, keywords=("cancellation",), cities=("Dallas",)),
            Disruption(what="app", at_hours=15.0, hours=3.0, people=240, keywords=("booking",), cities=("Denver",)),
        ),
    )  # fmt: skip
    config = PipelineConfig(pack="airline")
    pipeline, channel = Pipeline(config), ChannelOf(config.sources)
    writer = Writer(engine, pipeline.places, pipeline.keywords, lambda source: CHANNELS[channel[source]])
    said = [one for one in simulator(scenario, 5).records() if one[0] < now]
    position = 0
    for hour, group in groupby(said, lambda one: one[0] // HOUR):
        records: list[Record | Tick] = [
            Record(position + number, value, arrival, "test") for number, (arrival, value) in enumerate(group)
        ]
        position += len(records)
        _write(pipeline, writer, [*records, Tick(position, min((hour + 1) * HOUR, now), False)], now)
        position += 1
        _act(pipeline, writer, (hour + 1) * HOUR)
    _weeks_before(engine, now)
    silent = Blind("call-notes", now - 1500, 40.0)
    writer.commit(Work(applied=position, arrival=now, blind=(silent,), usual_per_hour={"call-notes": 40.0}))


def _write(pipeline: Pipeline, writer: Writer, entries: list[Record | Tick], now: float) -> None:
    work = Work(applied=entries[-1].position, arrival=now)
    bodies = {one.position: one.value for one in entries if isinstance(one, Record)}
    work.take(pipeline.process(0, entries), now, bodies)
    work.meta |= board_state(pipeline.detect, pipeline.intakes[0].watermark.value, primed=True)
    writer.commit(work)


def _act(pipeline: Pipeline, writer: Writer, at: float) -> None:
    """People take on, judge and do something about what is told, once each."""
    controls = []
    for one in pipeline.alerts.open:
        if one.suspected_at is None or one.verdict is not None:
            continue
        plain = Control(id="", kind="ack", at=at, author="kim", incident=one.id)
        acts: list[dict[str, str]] = [
            {"kind": "ack"},
            {"kind": "intervention", "value": "second belt opened"},
            {"kind": "feedback", "value": "not_real" if "Dallas" in one.title else "real"},
        ]
        controls += [msgspec.structs.replace(plain, id=uuid4().hex, **act) for act in acts]
    for control in controls:
        pipeline.control(control)
    writer.commit(Work(controls=controls))


TOGETHER = (("Chicago", "baggage", "Dallas", "baggage"), ("Denver", "booking-and-app", "Chicago", "cancellation"))


def _weeks_before(engine: Engine, now: float) -> None:
    """Excesses of the weeks before, as they would have been kept day by day, in which some suffered together; then the network of today."""
    begin = int(now // DAY * DAY - MOST_WEEKS * WEEK)
    chance = np.random.default_rng(2)
    with engine.begin() as connection:
        for here, what, there, which in TOGETHER:
            place, keyword = tables.place_names, tables.keyword_names
            series = [
                (connection.execute(select(place.c.number).where(place.c.name == one, place.c.level == "city")).scalar_one(),
                 connection.execute(select(keyword.c.number).where(keyword.c.keyword == two)).scalar_one())
                for one, two in ((here, what), (there, which))
            ]  # fmt: skip
            for day in chance.choice(47, 20, replace=False).tolist():
                first = begin + day * DAY + int(chance.integers(6, 20)) * HOUR
                for number, (a, b) in enumerate(series):
                    at = first + number * 1800
                    row = {"place": a, "keyword": b, "first": at, "last": at + 600, "people": 12}
                    connection.execute(graph.excesses.insert().values(**row))
        write_meta(connection, {SINCE: begin, UNTIL: now // DAY * DAY - DAY})
    refresh(engine)
