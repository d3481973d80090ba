"""What a worker owns: kept over a rebalance, let go when it is another's, made anew when it is stale, ended with the worker when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from faust.types import TP

from streams.runtime.kafka.stages import RewindError, Stages
from streams.runtime.kafka.watchdog import EXIT_STUCK, Watchdog

A, B = TP("t", 0), TP("t", 1)


class Simple:
    """A stage that does what the test says."""

    at_once = 2

    def __init__(self, tp: TP) -> None:
        self.next_offset, self.records, self.redelivered = 10, 0, 0
        self.durable: int | None = None
        self.stale = self.excused = self.left = False
        self.raises: Exception | None = None
        self.blocks = False
        self.taken: list[list[Any]] = []

    async def begin(self) -> None: ...

    async def take(self, records: Sequence[Any]) -> None:
        self.taken.append(list(records))
        if self.raises is not None:
            raise self.raises
        if self.blocks:
            await asyncio.sleep(3600)

    async def tend(self) -> None: ...

    async def end(self) -> None: ...

    def leave(self) -> None:
        self.left = True


def test_stages_live_as_long_as_their_partitions_are_ours() -> None:
    async def lived() -> None:
        made: list[Simple] = []

        def make(tp: TP) -> Simple:
            made.append(Simple(tp))
            return made[-1]

        stages = Stages(make)
        assert await stages.positions({A, B}) == {A: 10, B: 10}
        made[0].next_offset = 25
        assert await stages.positions({A, B}) == {A: 25, B: 10}  # as they stand, not anew
        assert len(made) == 2
        await stages.positions({A})
        assert made[1].left
        assert set(stages.owned) == {A}
        await stages.take(B, [1], 0)  # the new owner reads it
        made[0].stale = True
        assert await stages.positions({A}) == {A: 10}
        assert made[0].left
        assert stages.durable() == {}
        made[-1].durable = 5
        assert stages.durable() == {A: 5}

    asyncio.run(lived())


def test_what_was_fetched_before_positions_were_set_anew_is_dropped() -> None:
    async def lived() -> None:
        stage = Simple(A)
        stages = Stages(lambda tp: stage)
        await stages.positions({A})
        epoch = 2
        stages.epoch = lambda: epoch
        await stages.take(A, [1], 2)
        await stages.take(A, [1], 1)
        assert stage.taken == [[1]]

    asyncio.run(lived())


def test_what_fails_ends_the_worker_and_what_is_missing_is_read_again() -> None:
    async def lived() -> None:
        stage = Simple(A)
        stages = Stages(lambda tp: stage)
        await stages.positions({A})
        rewound: list[int] = []

        async def rewind() -> None:
            rewound.append(1)

        stages.rewind = rewind
        stage.raises = RewindError("12 came, 10 was next")
        await stages.take(A, [1], 0)
        assert rewound
        assert not stages.failed.done()
        stage.raises = ValueError("no")
        await stages.take(A, [1], 0)
        assert isinstance(stages.failed.result(), ValueError)

    asyncio.run(lived())


def test_a_large_batch_is_taken_in_pieces_and_others_have_their_turn_between() -> None:
    async def lived() -> None:
        stage = Simple(A)
        stages = Stages(lambda tp: stage)
        await stages.positions({A})
        turns: list[int] = []

        async def other() -> None:
            while len(stage.taken) < 3:
                turns.append(len(stage.taken))
                await asyncio.sleep(0)

        await asyncio.gather(stages.take(A, [1, 2, 3, 4, 5], 0), other())
        assert stage.taken == [[1, 2], [3, 4], [5]]
        assert turns == [1, 2]

    asyncio.run(lived())


def test_a_stage_that_hangs_is_noticed_and_the_worker_ended() -> None:
    async def lived() -> list[int]:
        stage, ended = Simple(A), []
        stages = Stages(lambda tp: stage)
        await stages.positions({A})
        dog = Watchdog(stages, 1.0, ended.append)
        dog.start()
        stage.blocks = True
        hanging = asyncio.create_task(stages.take(A, [1], 0))
        for _ in range(50):
            dog.measured({A: 7})
            await asyncio.sleep(0.1)
            if ended:
                break
        dog.stop()
        hanging.cancel()
        return ended

    assert asyncio.run(lived())[0] == EXIT_STUCK
