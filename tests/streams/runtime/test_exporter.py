"""What Prometheus is shown: only what the catalogue has, few labels, none of them from what people wrote."""

from __future__ import annotations

import math

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.last_hour import Hour
from streams.metrics import BY_NAME, CATALOGUE, MOST_SERIES, OTHER, PREFIX
from streams.part import SourceCount
from streams.places import Places
from streams.runtime.exporter import MAX_SOURCES, Figures, Totals, exposition, health_figures, series_figures
from streams.runtime.store.reader import Health

PLACES = Places.load()


def read(figures: Figures) -> dict[str, dict[tuple[str, ...], float]]:
    """By metric, by label values, as a reader of the format that is not ours finds them."""
    text, _ = exposition(figures)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix(PREFIX), {})[tuple(sample.labels.values())] = sample.value
    return found


def hour(count: int) -> Hour:
    """Series `count` - 1 is the most unusual."""
    number = np.arange(count)[::-1].astype(np.int64)
    return Hour(number, number % 7, number + 1, number + 0.5, number / 10.0)


def test_series_over_the_cap_go_together_and_are_counted() -> None:
    found = read(series_figures(hour(MOST_SERIES + 3), PLACES, lambda number: f"k{number}"))
    assert len(found["series_people"]) == len(found["series_unusual"]) == MOST_SERIES + 1
    assert found["series_people"][PLACES.id(2002), "k0"] == 2003
    assert (PLACES.id(2), "k2") not in found["series_people"]
    assert found["series_people"][OTHER, OTHER] == 1 + 2 + 3
    assert found["series_expected"][OTHER, OTHER] == pytest.approx(0.5 + 1.5 + 2.5)
    assert found["series_unusual"][OTHER, OTHER] == pytest.approx(0.2)
    assert found["series_left_out"] == {(): 3}


def test_the_places_shown_have_a_name_and_a_point_on_the_map() -> None:
    houston = PLACES.index("city:4699066")
    one, both = np.array([houston, PLACES.everywhere]), np.ones(2)
    found = read(series_figures(Hour(one, one * 0, one * 0, both, both), PLACES, lambda number: "*"))["place_info"]
    assert {labels[:3] for labels in found} == {
        ("city:4699066", "Houston", "city"),
        ("everywhere", "Everywhere", "everywhere"),
    }
    lat, lon = next(labels[3:] for labels in found if labels[2] == "city")
    assert (round(float(lat)), round(float(lon))) == (30, -95)


def test_below_the_cap_nothing_is_left_out() -> None:
    found = read(series_figures(hour(4), PLACES, lambda number: f"k{number}"))
    assert found["series_left_out"] == {(): 0}
    assert found["series_people"][OTHER, OTHER] == 0


def test_sources_are_bounded_and_what_is_over_is_summed() -> None:
    totals = Totals()
    for number in range(MAX_SOURCES + 50):
        totals.add_source(f'we"ird\n{number}', SourceCount(records=2))
    found = read(totals.figures)["records_total"]
    assert len(found) == MAX_SOURCES + 1
    assert found["other",] == 100
    assert found['we"ird\n7',] == 2


def test_what_is_broken_is_named() -> None:
    found = read(health_figures(Health(store="The store cannot be written (locked): what comes in waits.")))
    assert found["broken"] == {("disk",): 0, ("journal",): 0, ("pack",): 0, ("pipeline",): 0, ("store",): 1}
    assert found["healthy"] == {(): 0}
    assert len(found["build_info"]) == 1


def test_figures_that_are_no_numbers_yet_are_left_out() -> None:
    found = read({("watermark_timestamp_seconds", ()): -math.inf, ("backlog_entries", ()): 3.0})
    assert found == {"backlog_entries": {(): 3.0}}


def test_the_catalogue_keeps_to_prometheus_names() -> None:
    assert len(BY_NAME) == len(CATALOGUE)
    for metric in CATALOGUE:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.help.endswith("."), metric.name
