"""Columns of numbers as CSV text, against what Python's own formatting says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.cell_text import RealText, lines, of_whole

ODD = [
    0.0,
    -1.5,
    1.0,
    9.9995,
    0.99995,
    999.95,
    1e-300,
    5e-324,
    1e22,
    1.7e308,
    12345.5,
    1234.5,
    0.00012345,
    0.125,
    np.inf,
    np.nan,
]


def told(values: list[float], digits: int) -> list[str]:
    return [text.decode() for text in RealText(digits)(np.array(values)).tolist()]


def test_odd_numbers_are_told_as_python_tells_them() -> None:
    for digits in (3, 4):
        assert told(ODD, digits) == [format(value, f".{digits}g") for value in ODD]


@given(st.lists(st.floats(min_value=0, allow_nan=False), min_size=1, max_size=50), st.sampled_from([3, 4]))
def test_any_number_is_told_as_python_tells_it(values: list[float], digits: int) -> None:
    assert told(values, digits) == [format(value, f".{digits}g") for value in values]


def test_very_many_numbers_of_every_size_and_many_halves_are_told_as_python_tells_them() -> None:
    rng = np.random.default_rng(1)
    values = 10 ** rng.uniform(-12, 6, 100_000)
    halves = (rng.integers(1000, 100_000, 100_000) + 0.5) * 10.0 ** rng.integers(-8, 3, 100_000)
    both = np.concatenate((values, halves)).tolist()
    assert told(both, 4) == [format(value, ".4g") for value in both]


def test_what_was_told_before_is_told_the_same() -> None:
    four = RealText(4)
    assert four(np.array([0.5, 2.0])).tolist() == four(np.array([0.5, 2.0])).tolist() == [b"0.5", b"2"]


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20))
def test_whole_numbers_however_far_apart(values: list[int]) -> None:
    assert [text.decode() for text in of_whole(np.array(values)).tolist()] == list(map(str, values))


def test_lines_hold_the_columns_in_order() -> None:
    columns = of_whole(np.array([1, 200])), of_whole(np.array([0, 1]), ["ü", "a b"].__getitem__)
    assert lines(columns).decode() == "1,ü\n200,a b\n"
