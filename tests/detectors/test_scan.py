"""The tightest scopes that explain an excess."""

from __future__ import annotations

import numpy as np

from detectors.scan import CITY, COUNTRY, EVERYWHERE, NOWHERE, REGION, SPOT, Series, Trees, scan

NAN = (np.nan, np.nan)
# 0 everywhere, 1 nowhere, 2 country, 3 and 4 regions, 5 to 7 cities of 3, 8 city of 4, 9 to 11 spots of 5
PLACES = np.array([-1, -1, 0, 2, 2, 3, 3, 3, 4, 5, 5, 5])
LEVELS = np.array([EVERYWHERE, NOWHERE, COUNTRY, REGION, REGION, CITY, CITY, CITY, CITY, SPOT, SPOT, SPOT])
AT = np.array([NAN, NAN, NAN, NAN, NAN, (40.0, -80.0), (40.0, -90.0), (40.0, -100.0), (40.0, -80.5), NAN, NAN, NAN])
KEYWORDS = np.array([-1, 0, 0, 1, 1, 2])  # 1 and 2 topics; 3 and 4 under 1, 5 under 2
TREES = Trees(PLACES, LEVELS, AT, KEYWORDS)
HOUR = 3600.0


def series(
    *rows: tuple[int, int, float, float],
    onset: dict[int, float] | None = None,
    hot: bool = True,
    warm: tuple[int, ...] = (),
) -> Series:
    """Rows (place, keyword, people, expected), all unusual but those at `warm` places; `onset` by place."""
    place, keyword, people, expected = (np.array(column) for column in zip(*rows, strict=True))
    begin = np.array([(onset or {}).get(int(p), 0.0) for p in place])
    nearly = np.isin(place, warm)
    return Series(place, keyword, people, expected, begin, np.exp(-(people - expected)), hot & ~nearly, nearly)


def places(found: Series) -> list[int]:
    return [one.place for one in scan(found, TREES, HOUR)]


def test_nothing_unusual_gives_nothing() -> None:
    assert places(series((5, 3, 9.0, 1.0), hot=False)) == []


def test_a_parent_explained_by_one_child_gives_the_child() -> None:
    found = scan(series((5, 3, 20.0, 0.1), (3, 3, 22.0, 2.0), (2, 3, 30.0, 9.0), (5, 1, 21.0, 1.0)), TREES, HOUR)
    assert [one.place for one in found] == [5]
    assert found[0].tight == [0]
    assert sorted(found[0].inside) == [0, 1, 2, 3]


def test_an_excess_spread_thin_over_a_region_is_the_regions() -> None:
    assert places(series((3, 3, 40.0, 4.0), (5, 3, 6.0, 0.5))) == [3]


def test_most_parts_of_a_region_each_elevated_are_the_region() -> None:
    rows = [(city, 3, 20.0, 0.2) for city in (5, 6, 7)]
    assert places(series(*rows, (3, 3, 61.0, 0.8))) == [3]


def test_two_disjoint_disruptions_are_two() -> None:
    rows = [(6, 3, 20.0, 0.2), (8, 5, 20.0, 0.2), (2, 0, 60.0, 20.0)]
    assert sorted(places(series(*rows))) == [6, 8]


def test_the_same_keyword_in_two_far_places_is_two() -> None:
    rows = [(6, 3, 20.0, 0.2), (8, 3, 20.0, 0.2), (2, 3, 45.0, 5.0)]
    assert sorted(places(series(*rows))) == [6, 8]


def test_neighbours_across_a_border_are_one_named_after_the_stronger() -> None:
    rows = [(5, 3, 20.0, 0.2), (8, 3, 30.0, 0.2), (2, 3, 55.0, 5.0)]
    assert places(series(*rows)) == [8]


def test_neighbours_that_rose_hours_apart_are_two() -> None:
    rows = [(5, 3, 20.0, 0.2), (8, 3, 30.0, 0.2)]
    assert sorted(places(series(*rows, onset={8: 3 * HOUR}))) == [5, 8]


def test_several_keywords_at_several_spots_of_one_city_are_one_scope() -> None:
    rows = [(spot, keyword, 8.0, 0.1) for spot in (9, 10, 11) for keyword in (3, 4)]
    found = scan(series(*rows, (5, 1, 48.0, 0.9), (5, 0, 48.0, 3.0)), TREES, HOUR)
    assert [one.place for one in found] == [5]
    assert len(found[0].tight) == 6


def test_everywhere_is_used_only_when_nothing_tighter_explains() -> None:
    assert places(series((0, 3, 40.0, 10.0))) == [0]
    assert places(series((0, 3, 40.0, 10.0), (6, 3, 25.0, 0.1))) == [6]


def test_a_nearly_unusual_place_is_the_tighter_scope_but_nothing_by_itself() -> None:
    assert places(series((2, 3, 12.0, 2.0), (6, 3, 11.0, 1.8), warm=(6,))) == [6]
    assert places(series((6, 3, 11.0, 1.8), warm=(6,))) == []


def test_people_without_a_place_stand_alone_or_join_what_rose_with_them() -> None:
    assert places(series((1, 3, 9.0, 0.1))) == [1]
    assert places(series((1, 3, 9.0, 0.1), (6, 3, 9.0, 0.05))) == [6]
    assert sorted(places(series((1, 5, 9.0, 0.1), (6, 3, 9.0, 0.05)))) == [1, 6]


def test_two_topics_at_one_wide_place_are_one_only_when_the_same_people_say_both() -> None:
    same = [(2, 3, 20.0, 1.0), (2, 5, 20.0, 1.0), (2, 0, 25.0, 4.0)]
    other = [(2, 3, 20.0, 1.0), (2, 5, 20.0, 1.0), (2, 0, 42.0, 4.0)]
    assert len(places(series(*same))) == 1
    assert len(places(series(*other))) == 2


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [(5, 3, 20.0, 0.1), (3, 3, 22.0, 2.0), (6, 5, 12.0, 0.1), (2, 0, 50.0, 9.0), (1, 5, 7.0, 0.1)]
    assert sorted(places(series(*rows))) == sorted(places(series(*rows[::-1])))


def test_a_few_who_name_no_place_do_not_make_a_towns_trouble_everybodys() -> None:
    rows = [
        (0, 1, 13.2, 5.4),
        (2, 1, 9.5, 4.6),
        (3, 1, 4.6, 0.6),
        (5, 1, 4.6, 0.6),
        (5, 3, 3.3, 0.4),
        (1, 1, 2.8, 0.8),
        (1, 4, 2.0, 0.1),
        (0, 4, 3.4, 0.4),
    ]
    assert places(series(*rows)) == [5]


def test_people_of_two_far_towns_beside_those_without_a_place_are_not_one_towns() -> None:
    rows = [(6, 3, 20.0, 0.2), (8, 3, 20.0, 0.2), (2, 3, 45.0, 5.0), (1, 3, 2.0, 0.1), (0, 3, 47.0, 5.1)]
    assert {6, 8} <= set(places(series(*rows)))
