"""Which texts may hold an airport's code."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from streams.place_codes import with_codes


@given(st.lists(st.text(st.sampled_from("ABZaz[@ \n\ud800éİ漢"), max_size=8), max_size=6))
def test_texts_with_three_capitals_in_a_row_are_kept_and_others_emptied(texts: list[str]) -> None:
    assert with_codes(texts) == [text if re.search("[A-Z]{3}", text) else "" for text in texts]
