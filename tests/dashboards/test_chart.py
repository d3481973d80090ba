"""Charts: bars over the band, and the same figures as a table."""

from __future__ import annotations

from dashboards.chart import Mark, chart, spark
from dashboards.dom import text_of, to_html, walk
from dashboards.series import bars, step_for
from streams.runtime.store.reader import Cell


def cell(start: int, voices: int, expected: float = 2.0) -> Cell:
    return Cell(start, 300, "airport:JFK", "delay", voices, voices + 1, expected, expected + 3, 0.5)


def test_windows_without_a_cell_are_bars_of_nobody_with_the_expectation_beside_them() -> None:
    made = bars([cell(300, 4), cell(1200, 9)], 0, 1800, 300)
    assert [b.people for b in made] == [0, 4, 0, 0, 9, 0]
    assert all(b.expected == 2.0 for b in made)


def test_wider_bars_add_people_and_stretch_the_expectation_over_silent_windows() -> None:
    (bar,) = bars([cell(0, 4), cell(900, 2)], 0, 1200, 1200)
    assert bar.people == 6
    assert bar.expected == 8.0


def test_far_from_any_stored_window_nothing_is_expected() -> None:
    made = bars([cell(0, 4)], 0, 8 * 3600, 300)
    assert made[-1].expected is None


def test_bars_are_never_narrower_than_the_window() -> None:
    assert step_for(6 * 3600, 60) == 300
    assert step_for(6 * 3600, 3600) == 3600
    assert step_for(56 * 86400, 60) == 86400


def test_bars_above_the_band_and_the_figures_are_told() -> None:
    made = bars([cell(0, 4), cell(300, 9)], 0, 600, 300)
    node = chart(made, [1, 2], [Mark(300, "onset <00:05>", "onset")], "UTC", "5 min")
    html = to_html(node)
    assert html.count('class="over"') == 1
    assert html.count('class="within"') == 1
    assert "onset &lt;00:05&gt;" in html
    table = next(n for n in walk(node) if n.tag == "table")
    assert "00:05 9 10 2.0" not in text_of(table)
    assert "00:05 9 10 2 0 to 5 2" in text_of(table).replace("–", "")


def test_no_bars_are_a_sentence() -> None:
    assert text_of(chart([], [], [], "UTC")) == "Nothing is stored for this time."


def test_a_spark_of_nothing_is_a_line() -> None:
    assert "<rect" not in to_html(spark([], 3600, 3600))
