"""The watchdog ends a worker that has something to take and takes nothing, and no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.runtime.kafka.watchdog import EXIT_STUCK, Watchdog

TPS = TP("complaints", 0), TP("parts", 0)


class Watched:
    """A watchdog over two partitions, and a clock that goes on second by second."""

    def __init__(self) -> None:
        owned = {tp: SimpleNamespace(next_offset=0, excused=False) for tp in TPS}
        self.stages: Any = SimpleNamespace(owned=owned, restoring=False)
        self.ended: list[int] = []
        self.dog = Watchdog(self.stages, 60.0, self.ended.append)
        self.now = self.dog.beat_at

    def live(
        self, seconds: int, *, lag: int | None = 0, working: tuple[TP, ...] = (), loop: bool = True, jump: float = 1.0
    ) -> None:
        for _ in range(seconds):
            self.now += jump
            for tp in working:
                self.stages.owned[tp].next_offset += 1
            if loop:
                self.dog.measured(None if lag is None else dict.fromkeys(TPS, lag))
                self.dog.beat_at = self.now
            self.dog.look(self.now)


def test_nothing_to_take_is_no_reason() -> None:
    watched = Watched()
    watched.live(600)
    assert not watched.ended


def test_slow_is_no_reason() -> None:
    watched = Watched()
    watched.live(600, lag=1000, working=TPS)
    assert not watched.ended


def test_records_waiting_and_none_taken_for_a_minute_is_one() -> None:
    watched = Watched()
    watched.live(58, lag=5)
    assert not watched.ended
    assert watched.dog.stuck_seconds > 50
    watched.live(5, lag=5)
    assert watched.ended[0] == EXIT_STUCK


def test_one_partition_that_stands_still_is_not_hidden_by_another_that_moves() -> None:
    watched = Watched()
    watched.live(65, lag=5, working=TPS[:1])
    assert watched.ended[0] == EXIT_STUCK


def test_what_waits_for_a_store_that_refuses_may_stand_still() -> None:
    watched = Watched()
    watched.stages.owned[TPS[1]].excused = True
    watched.live(300, lag=5, working=TPS[:1])
    assert not watched.ended


def test_a_restore_without_end_is_one() -> None:
    watched = Watched()
    watched.stages.owned.clear()
    watched.stages.restoring = True
    watched.live(58)
    assert not watched.ended
    watched.live(5)
    assert watched.ended[0] == EXIT_STUCK


def test_a_broker_that_does_not_answer_is_none() -> None:
    watched = Watched()
    watched.live(300, lag=None)
    assert not watched.ended


def test_a_blocked_loop_is_one() -> None:
    watched = Watched()
    watched.live(65, loop=False)
    assert watched.ended[0] == EXIT_STUCK


def test_a_process_that_was_stopped_gets_its_time_back() -> None:
    watched = Watched()
    watched.live(30, lag=5)
    watched.live(1, lag=5, jump=100.0)
    watched.live(50, lag=5)
    assert not watched.ended
