"""What ALERT would say of a minute while it remembers, and what the store says of it for as long as its cells are kept."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from alerting.gates import LEARNING
from alerting.model import Close
from streams.closed import Cells
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import Work, Writer
from streams.runtime.why_then import Answer, answer, asked
from tests.scenarios.world import AIRPORTS, MONDAY, PROBLEMS, Trouble, World

SERIES = [("spot:T4", "baggage/belt"), ("airport:JFK", "baggage"), ("region:NY", "baggage"), ("city:DAL", "app/login")]


class Kept(World):
    """A world whose closes are written to a store."""

    def __init__(self, path: Path, *troubles: Trouble, seed: int) -> None:
        super().__init__(*troubles, seed=seed)
        self.learning = False
        self.engine = open_store(f"sqlite:///{path / 'store.sqlite'}")
        self.writer = Writer(self.engine, AIRPORTS, PROBLEMS, lambda _: "posts")
        self.work = Work(meta={"window_seconds": self.window})

    def close(self, start: int) -> Close:
        close = super().close(start)
        self.last = msgspec.structs.replace(close, learning=self.learning)
        return self.last

    def run(self, minutes: float) -> Kept:
        while self.minute < minutes:
            self.work.incidents += self.step()
            one = self.last
            figures = one.voices, one.messages, one.expected, one.upper, one.p_value, np.zeros(len(one.place), bool)
            cut = self.alerts.cut
            self.work.cells.append(Cells(one.start, one.seconds, one.place, one.keyword, *figures, cut, one.learning))
            self.work.meta["last_close"] = float(one.start + one.seconds)
        self.writer.commit(self.work)
        return self

    def stored(self, place: str, keyword: str, at: float) -> Answer:
        question = asked(AIRPORTS, PROBLEMS, AIRPORTS.index[place], PROBLEMS.index[keyword], at)
        return answer(Reader(self.engine), question, self.alerts.policy, at + 86_400)


def test_the_store_says_of_a_minute_what_alert_says_while_it_remembers(tmp_path: Path) -> None:
    kept = Kept(tmp_path, Trouble("spot:T4", "baggage/belt", 60, 62, 1.0), Trouble("city:DAL", "app/login", 90, 180, 0.5),
                seed=2).run(240)  # fmt: skip
    weighed = opened = 0
    for place, keyword in SERIES:
        for minute in range(1, 240, 2):
            at = MONDAY + 60 * minute
            live = kept.alerts.why_not(AIRPORTS.index[place], PROBLEMS.index[keyword], at)
            stored = kept.stored(place, keyword, at)
            assert (stored.incident.id if stored.incident else None) == live.incident, (place, minute)
            opened += live.incident is not None
            if live.p_value is not None:
                weighed += 1
                assert stored.sentence == f"{live.answer}.", (place, minute)
                assert stored.gates == live.gates
                assert (stored.cut, stored.cut_people) == (live.cut, live.cut_people)
    assert weighed > 20
    assert opened > 30


def test_a_minute_of_learning_is_told_as_one(tmp_path: Path) -> None:
    kept = Kept(tmp_path, Trouble("spot:T4", "baggage/belt", 60, 62, 1.0), seed=2)
    kept.learning = True
    kept.run(100).learning = False
    kept.run(160)
    told = kept.stored("spot:T4", "baggage/belt", MONDAY + 61 * 60)
    assert told.sentence.endswith(f"; {LEARNING.text}.")
    assert LEARNING not in kept.stored("everywhere", "*", MONDAY + 150 * 60).gates
