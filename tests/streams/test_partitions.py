"""What partitions hand over is given out step by step, no matter which of them runs ahead."""

from __future__ import annotations

from streams.part import Part, Rows, SourceCount
from streams.partitions import Partitions

NEVER = float("-inf")


def part(partition: int, seq: int, watermark: float) -> Part:
    counts = {"x": SourceCount("x", records=1, newest=watermark, seen_by_hour={int(watermark // 3600): 1})}
    return Part(partition, seq, watermark, "c", Rows.empty(), Rows.empty(), {}, counts, {})


def handed_out(order: list[Part]) -> list[tuple[float, int]]:
    partitions, found = Partitions((0, 1)), []
    for one in order:
        partitions.take(one, NEVER)
        found += [(step, partitions.sources(step).get("x", SourceCount()).records) for step in partitions.due()]
    return found


def test_a_partition_that_ran_ahead_gives_out_no_more_than_one_that_did_not() -> None:
    ahead = [part(0, n, 36_000.0 * (n + 1)) for n in range(3)]
    behind = [part(1, n, 3_600.0 * (n + 1)) for n in range(30)]
    together = sorted([*ahead, *behind], key=lambda one: (one.watermark, one.partition))
    assert handed_out([*ahead, *behind]) == handed_out(together) == handed_out([*behind, *ahead])
    assert sum(records for _, records in handed_out([*ahead, *behind])) == 33
