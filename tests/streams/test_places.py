"""The place tree: what lies in what, which spots a configuration may add, and that the shipped table is whole."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from streams.places import BadSpot, Places
from streams.text import normalise

CITY = "city:4699066"  # Houston
TERMINAL = {
    "id": "iah-c",
    "name": "Terminal C",
    "parent": "airport:IAH",
    "lat": 29.987,
    "lon": -95.344,
    "radius_km": 0.4,
    "phrases": ["terminal c"],
}


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


def path(places: Places, id_: str) -> list[str]:
    return places.path(places.index(id_))


def test_an_airport_lies_in_its_city_region_and_country(places: Places) -> None:
    assert path(places, "airport:LGA")[1:] == ["New York City", "New York State", "United States", "Everywhere"]
    assert path(places, "airport:EWR")[1:3] == ["Newark", "Essex County"]
    assert (
        path(places, "airport:SJU")[1:] == ["San Juan", "San Juan area", "Puerto Rico", "Everywhere"]
        or path(places, "airport:SJU")[-2] == "Puerto Rico"
    )


def test_boroughs_lie_in_their_city(places: Places) -> None:
    assert path(places, "city:5110302")[:2] == ["Brooklyn", "New York City"]


def test_a_county_stands_between_its_cities_and_the_state(places: Places) -> None:
    assert path(places, CITY) == ["Houston", "Harris County", "Texas", "United States", "Everywhere"]
    assert path(places, "airport:IAH")[1:3] == ["Houston", "Harris County"]
    assert path(places, "city:4315588")[1] == "East Baton Rouge Parish"
    assert places.level(places.index("county:US-TX/harris")) == "county"


def test_what_lies_in_no_county_lies_in_its_state(places: Places) -> None:
    assert path(places, "city:5128581")[1] == "New York State"
    assert path(places, "city:4347778")[:2] == ["Baltimore", "Maryland"]


def test_a_county_has_the_people_and_the_middle_of_its_cities_and_the_time_of_the_biggest(places: Places) -> None:
    for id_ in ("county:US-TX/harris", "county:US-CA/san-bernardino", "county:US-FL/escambia"):
        county = places.index(id_)
        cities = np.flatnonzero(places.parent == county)
        people = places.population[cities]
        assert places.population[county] == people.sum()
        lat, lon = (float(np.average(column[cities], weights=people)) for column in (places.lat, places.lon))
        assert places.coordinates(county) == pytest.approx((lat, lon), abs=1e-3)
        assert places.zone(county) == places.zone(int(cities[people.argmax()]))


def test_big_cities_of_the_united_states_lie_in_a_county_or_are_independent(places: Places) -> None:
    country = places.index("country:US")
    big = [
        one
        for one in np.flatnonzero(places.population >= 100_000).tolist()
        if places.level(one) == "city" and places.within(one, country)
    ]
    outside = [one for one in big if not any(places.level(above) == "county" for above in places.above(one))]
    states = {
        places.name(one): next(places.id(up) for up in places.above(one) if places.level(up) == "region")
        for one in outside
    }
    independent = {"region:US-VA", "region:US-DC"}
    assert {name for name, state in states.items() if state not in independent} == {
        *("New York City", "Brooklyn", "Queens", "Manhattan", "The Bronx", "Staten Island"),
        *("Baltimore", "St. Louis", "Anchorage"),
    }
    assert len(big) - len(outside) >= 300


def test_parents_stand_before_their_children_and_every_chain_ends_at_everywhere(places: Places) -> None:
    others = np.arange(2, len(places))
    assert (places.parent[others] < others).all()
    assert (places.parent[others] != places.nowhere).all()
    assert ((places.lineage == places.everywhere).sum(axis=1) == 1).all()
    assert places.parent[[places.everywhere, places.nowhere]].tolist() == [-1, -1]


def test_nowhere_counts_everywhere_and_nowhere_else(places: Places) -> None:
    assert [one for one in places.lineage[places.nowhere].tolist() if one >= 0] == [places.nowhere, places.everywhere]


def test_the_way_up_goes_from_narrow_to_wide(places: Places) -> None:
    order = ["spot", "airport", "city", "county", "region", "country", "everywhere"]
    rng = np.random.default_rng(5)
    for place in rng.choice(np.arange(2, len(places)), 500, replace=False).tolist():
        ranks = [order.index(places.level(one)) for one in places.above(place)]
        assert ranks == sorted(ranks), places.id(place)


def test_every_zone_is_known(places: Places) -> None:
    assert all(ZoneInfo(zone) for zone in places.table.zones)
    assert places.zone(places.index(CITY)) == "America/Chicago"
    assert places.zone(places.index("region:US-TX")) == "America/Chicago"
    assert places.zone(places.index("country:US")) == "America/New_York"


def test_big_countries_have_regions_with_names(places: Places) -> None:
    wanted = {
        "region:CA-ON": "Ontario",
        "region:AU-NSW": "New South Wales",
        "region:GB-SCT": "Scotland",
        "region:DE-02": "Bavaria",
        "region:IN-19": "Karnataka",
    }
    assert {id_: places.name(places.index(id_)) for id_ in wanted} == wanted
    assert sum(id_.startswith("region:US-") for id_ in map(places.id, range(len(places)))) == 51


def test_names_of_the_table_are_in_the_form_that_is_looked_up(places: Places) -> None:
    names = [*places.table.keys, *(name for name, _ in places.table.text)]
    assert [name for name in names if " ".join(normalise(name)) != name] == []
    assert len(places.text_names()) <= 15_000


def test_names_looked_for_in_texts_are_no_words_or_people(places: Places) -> None:
    named = dict(places.text_names())
    assert not {
        "nice",
        "reading",
        "mobile",
        "orange",
        "of",
        "most",
        "jordan",
        "victoria",
        "sandy",
        "charlotte",
        "austin",
        "us",
        "me",
        "hell",
    } & set(named)
    assert places.id(named["houston"]) == CITY
    assert places.name(named["charlotte nc"]) == "Charlotte"
    assert places.id(named["ohare"]) == "airport:ORD"
    assert "eugene or" not in named
    assert places.id(named["harris county"]) == "county:US-TX/harris"
    assert places.id(named["orange county fl"]) == "county:US-FL/orange"


def test_counties_of_one_name_are_no_city_in_texts(places: Places) -> None:
    named = dict(places.text_names())
    assert places.id(named["houston county"]) == "country:US"
    assert places.id(named["houston county ga"]) == "county:US-GA/houston"


def test_a_spot_lies_where_it_says_and_is_found_by_its_phrases() -> None:
    places = Places.load([TERMINAL, {"id": "gate-c9", "name": "Gate C9", "parent": "spot:iah-c"}])
    gate = places.index("spot:gate-c9")
    assert places.path(gate)[:2] == ["Gate C9", "Terminal C"]
    assert places.level(gate) == "spot"
    assert places.coordinates(gate) == places.coordinates(places.index("spot:iah-c"))
    assert places.zone(gate) == "America/Chicago"
    assert dict(places.text_names())["terminal c"] == places.index("spot:iah-c")
    assert places.lineage.shape[1] == 8


@pytest.mark.parametrize(
    ("spot", "said"),
    [
        ({**TERMINAL, "parent": "city:1"}, "'parent'"),
        ({**TERMINAL, "parent": "nowhere"}, "'parent'"),
        ({**TERMINAL, "lat": 91.0}, "'lat'"),
        ({**TERMINAL, "lat": None}, "'lat'"),
        ({**TERMINAL, "radius_km": 0}, "'radius_km'"),
        ({**TERMINAL, "name": ""}, "'name'"),
        ({**TERMINAL, "colour": "red"}, "'colour'"),
    ],
)
def test_a_bad_spot_is_refused_naming_its_key(spot: dict[str, object], said: str) -> None:
    with pytest.raises(BadSpot, match=said):
        Places.load([spot])


def test_two_spots_cannot_share_an_id() -> None:
    with pytest.raises(BadSpot, match="taken"):
        Places.load([TERMINAL, TERMINAL])


def test_the_digest_tells_tables_apart(places: Places) -> None:
    assert Places.load().digest == places.digest
    assert Places.load([TERMINAL]).digest != places.digest
    assert Places.load([{**TERMINAL, "radius_km": 0.5}]).digest != Places.load([TERMINAL]).digest
