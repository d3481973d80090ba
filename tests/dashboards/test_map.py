"""The map is drawn here from the shipped outlines."""

from __future__ import annotations

import math

import pytest

from dashboards.dom import text_of, to_html
from dashboards.map import HEIGHT, LOWER_48, WIDTH, WORLD, Dot, box_of, radius, view_of, world_map

CITIES = [(40.64, -73.78), (47.45, -122.3), (25.8, -80.28), (32.9, -97.0)]


@pytest.mark.parametrize("box", [LOWER_48, WORLD, (-96.5, 28.5, -94.0, 31.0)], ids=["states", "world", "city"])
def test_every_point_of_the_view_lies_in_the_picture(box: tuple[float, float, float, float]) -> None:
    view = view_of(box)
    for i in range(11):
        for j in range(11):
            x, y = view.at(box[1] + (box[3] - box[1]) * i / 10, box[0] + (box[2] - box[0]) * j / 10)
            assert -8 <= x <= WIDTH + 8
            assert -8 <= y <= HEIGHT + 8


def test_north_is_up_and_east_is_right() -> None:
    at = view_of(LOWER_48).at
    assert at(47.0, -100.0)[1] < at(30.0, -100.0)[1]
    assert at(40.0, -75.0)[0] > at(40.0, -120.0)[0]


def test_the_view_follows_the_places() -> None:
    assert box_of(CITIES) == LOWER_48
    assert box_of([*CITIES, (51.5, -0.1)]) == WORLD
    houston = box_of([(29.76, -95.37), (29.8, -95.2)])
    assert houston[2] - houston[0] < 12
    assert box_of([]) == WORLD


def test_the_area_of_a_circle_grows_with_the_people() -> None:
    grown = (radius(400) - radius(0)) / (radius(100) - radius(0))
    assert math.isclose(grown, 2.0)


def test_circles_are_links_that_say_what_they_show_and_names_do_not_overlap() -> None:
    dots = [
        Dot("airport:JFK", "JFK <b>", 40.64, -73.78, 40.0, "JFK: 41 people", "confirmed"),
        Dot("airport:LGA", "LaGuardia", 40.78, -73.87, 30.0, "LaGuardia: 30 people", "confirmed"),
        Dot("airport:DFW", "Dallas", 32.9, -97.04, 0.0, "Dallas: nobody, blind", None, True),
    ]
    node = world_map(dots, blind_areas=["Texas"], struck_areas=["New York"])
    html = to_html(node)
    assert 'href="/place/airport:JFK"' in html
    assert 'aria-label="JFK: 41 people"' in html
    assert '<path class="blind"' in html
    assert "<title>Texas: blind</title>" in html
    assert "JFK &lt;b&gt;" in html
    assert "JFK" in text_of(node)
    tops = {label.attrs["style"] for label in node.children if "maplabel" in str(label.attrs.get("class"))}
    assert len(tops) == 2
