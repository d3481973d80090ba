"""Clock steps and suspends are told apart from time that just passed."""

from __future__ import annotations

from streams.runtime.clocks import Reading, gap_between, gap_since, read_clocks


def test_time_that_just_passes_is_no_gap() -> None:
    assert gap_between(read_clocks(), read_clocks()) is None
    assert gap_between(Reading(0.0, 0.0, 0.0), Reading(600.0, 600.0, 600.0)) is None


def test_a_step_forward_or_back_is_told_with_its_length() -> None:
    for step in (3600.0, -120.0):
        gap = gap_between(Reading(1000.0, 5.0, 5.0), Reading(1001.0 + step, 6.0, 6.0))
        assert gap is not None
        assert (gap.kind, gap.start, gap.seconds) == ("step", 1000.0, step)


def test_a_suspend_is_no_step() -> None:
    gap = gap_between(Reading(1000.0, 5.0, 5.0), Reading(1901.0, 6.0, 906.0))
    assert gap is not None
    assert (gap.kind, gap.seconds) == ("suspend", 900.0)


def test_the_time_a_service_was_down_is_a_gap_when_it_was_long() -> None:
    assert gap_since(None, 5.0) is None
    assert gap_since(100.0, 120.0) is None
    gap = gap_since(100.0, 700.0)
    assert gap is not None
    assert (gap.kind, gap.start, gap.seconds) == ("down", 100.0, 600.0)
