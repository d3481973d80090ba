"""Event time goes on, never back, and one bad clock does not drag it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.watermark import Watermark


@given(st.lists(st.floats(0, 1e9), max_size=50))
def test_the_watermark_is_the_newest_event_minus_lateness_and_never_goes_back(times: list[float]) -> None:
    watermark = Watermark(60.0)
    seen: list[float] = []
    for time in times:
        before = watermark.value
        watermark.observe(time)
        seen.append(time)
        assert watermark.value == max(seen) - 60.0
        assert watermark.value >= before


def test_an_event_ahead_of_its_arrival_counts_at_its_arrival() -> None:
    watermark = Watermark(60.0)
    assert watermark.hold(1_000.0, 990.0) == 1_000.0
    assert watermark.hold(5_000.0, 1_000.0) == 1_000.0
    assert watermark.hold(1_000.0 + 86_401.0, 1_000.0) is None
    assert watermark.hold(10.0, 1_000.0) == 10.0


def test_a_tick_moves_the_watermark_to_its_time_minus_lateness() -> None:
    watermark = Watermark(60.0)
    watermark.observe(1_000.0)
    assert watermark.tick(2_000.0)
    assert watermark.value == 1_940.0
    assert not watermark.tick(1_500.0)
