"""One disruption in places next to each other is told once; two disruptions that only happen at once are told apart."""

from __future__ import annotations

import pytest

from alerting.model import Incident
from tests.scenarios.world import Places, Trouble, World

COAST = Places(
    [
        ("country:US", "United States", "country", "everywhere", (39.0, -98.0)),
        ("region:NY", "New York State", "region", "country:US", (43.0, -75.0)),
        ("city:NYC", "New York", "city", "region:NY", (40.71, -74.01)),
        ("city:YON", "Yonkers", "city", "region:NY", (40.93, -73.90)),
        ("city:BUF", "Buffalo", "city", "region:NY", (42.89, -78.88)),
        *((f"city:N{n}", f"New York town {n}", "city", "region:NY", (43.0 + n / 4, -75.5)) for n in range(6)),
        ("region:NJ", "New Jersey", "region", "country:US", (40.2, -74.7)),
        ("city:EWR", "Newark", "city", "region:NJ", (40.74, -74.17)),
        ("region:MO", "Missouri", "region", "country:US", (38.6, -92.6)),
        *((f"city:M{n}", f"Missouri town {n}", "city", "region:MO", (37.0 + n / 2, -91.0)) for n in range(8)),
        ("region:WA", "Washington", "region", "country:US", (47.4, -120.5)),
        *((f"city:W{n}", f"Washington town {n}", "city", "region:WA", (46.0 + n / 2, -120.0)) for n in range(6)),
        *((f"region:S{n}", f"State {n}", "region", "country:US", (33.0, -120.0 + 4 * n)) for n in range(12)),
        *((f"city:S{n}", f"City {n}", "city", f"region:S{n // 2}", (33.0, -120.0 + 2 * n)) for n in range(24)),
    ]
)
LATE, LOGIN = "delay/late", "app/login"


def told(*troubles: Trouble, seed: int, minutes: float = 420) -> list[Incident]:
    """The incidents that anyone is told of."""
    return World(*troubles, places=COAST, seed=seed).run(minutes).reached("suspected")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("here", "there"), [("city:NYC", "city:YON"), ("city:NYC", "city:EWR")])
def test_two_neighbouring_cities_are_one_incident_across_a_state_border_too(here: str, there: str, seed: int) -> None:
    (incident,) = told(Trouble(here, LATE, 120, 240, 0.5), Trouble(there, LATE, 130, 240, 0.4), seed=seed)
    assert {here, there} <= {part.place for part in incident.places} | {incident.scope.place}
    assert incident.people > 75, "the people of both"


@pytest.mark.parametrize("seed", range(2))
def test_a_neighbour_that_is_hit_while_it_goes_on_joins_it(seed: int) -> None:
    (incident,) = told(Trouble("city:NYC", LATE, 120, 300, 0.5), Trouble("city:EWR", LATE, 165, 300, 0.5), seed=seed)
    assert {"city:NYC", "city:EWR"} <= {part.place for part in incident.places} | {incident.scope.place}


@pytest.mark.parametrize("seed", range(2))
def test_the_same_problem_at_the_two_ends_of_a_state_is_two_incidents(seed: int) -> None:
    found = told(Trouble("city:NYC", LATE, 120, 240, 0.5), Trouble("city:BUF", LATE, 120, 240, 0.5), seed=seed)
    assert sorted(one.scope.place for one in found) == ["city:BUF", "city:NYC"]


@pytest.mark.parametrize("seed", range(2))
def test_different_problems_of_two_neighbouring_cities_are_two_incidents(seed: int) -> None:
    found = told(Trouble("city:NYC", LATE, 120, 240, 0.5), Trouble("city:EWR", LOGIN, 120, 240, 0.5), seed=seed)
    assert {(one.scope.place, one.keywords) for one in found} == {("city:NYC", (LATE,)), ("city:EWR", (LOGIN,))}


@pytest.mark.parametrize("seed", range(2))
def test_two_states_far_apart_with_many_towns_each_are_two_incidents_of_the_states(seed: int) -> None:
    towns = [f"city:M{n}" for n in range(8)] + [f"city:W{n}" for n in range(6)]
    found = told(*(Trouble(town, LATE, 120, 240, 0.2) for town in towns), seed=seed)
    assert sorted(one.scope.place for one in found) == ["region:MO", "region:WA"]


@pytest.mark.parametrize("seed", range(2))
def test_a_city_and_a_far_state_are_two_incidents_and_keep_to_their_people(seed: int) -> None:
    towns = [Trouble(f"city:W{n}", LATE, 130, 240, 0.2) for n in range(6)]
    found = told(Trouble("city:NYC", LATE, 120, 240, 0.6), *towns, seed=seed)
    assert sorted(one.scope.place for one in found) == ["city:NYC", "region:WA"]
    for one in found:
        elsewhere = {part.place[:6] for part in one.places} - {one.scope.place[:6]}
        assert elsewhere <= ({"city:W"} if one.scope.place == "region:WA" else set())
        assert 45 <= one.people <= 190
