"""The colours can be read and told apart, in light and in dark."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dashboards.theme import DARK, LIGHT, style_sheet

READ_ON = [
    ("ink", "panel"), ("ink", "paper"), ("soft", "panel"), ("soft", "paper"), ("link", "panel"), ("link", "paper"),
    ("confirmed", "panel"), ("on-tier", "confirmed"), ("suspected", "panel"), ("suspected", "suspected-tint"),
    ("signal", "panel"), ("signal", "signal-tint"), ("ok", "panel"), ("ink", "g0"), ("ink", "g1"), ("on-g2", "g2"),
    ("on-g3", "g3"), ("ink", "confirmed-tint"), ("ink", "ok-tint"), ("paper", "ink"),
]  # fmt: skip


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_keeps_its_contrast(palette: dict[str, str]) -> None:
    weak = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in READ_ON}
    assert {pair: round(c, 2) for pair, c in weak.items() if c < 4.5} == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_shades_of_the_matrix_differ_in_lightness_not_in_hue_alone(palette: dict[str, str]) -> None:
    shades = [palette[f"g{i}"] for i in range(4)]
    assert all(contrast(a, b) > 1.1 for a, b in pairwise(shades))
    order = [luminance(s) for s in shades]
    assert order == sorted(order) or order == sorted(order, reverse=True)


def test_light_and_dark_name_the_same_colours_and_all_that_are_used_exist() -> None:
    assert LIGHT.keys() == DARK.keys()
    used = {part.split(")")[0] for part in style_sheet().split("var(--")[1:]}
    assert used <= LIGHT.keys()
    assert "url(http" not in style_sheet()
    assert "@import" not in style_sheet()
