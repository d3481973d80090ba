"""Scenarios by name: what `simulate` writes, the demo shows and the tests replay."""

from __future__ import annotations

from streams.simulator import Disruption, Scenario, SimulatedPlace

EAST, CENTRAL, MOUNTAIN, WEST = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

CITIES = (
    SimulatedPlace("New York, NY", "New York City", "New York", 40.71, -74.01, EAST, 6.0),
    SimulatedPlace("Los Angeles, CA", "Los Angeles", "California", 34.05, -118.24, WEST, 5.0),
    SimulatedPlace("Chicago, IL", "Chicago", "Illinois", 41.85, -87.65, CENTRAL, 4.5),
    SimulatedPlace("Dallas, TX", "Dallas", "Texas", 32.78, -96.81, CENTRAL, 3.5),
    SimulatedPlace("Houston, TX", "Houston", "Texas", 29.76, -95.36, CENTRAL, 3.5),
    SimulatedPlace("Atlanta, GA", "Atlanta", "Georgia", 33.75, -84.39, EAST, 3.5),
    SimulatedPlace("Denver, CO", "Denver", "Colorado", 39.74, -104.98, MOUNTAIN, 3.0),
    SimulatedPlace("San Francisco, CA", "San Francisco", "California", 37.77, -122.42, WEST, 3.0),
    SimulatedPlace("Boston, MA", "Boston", "Massachusetts", 42.36, -71.06, EAST, 2.5),
    SimulatedPlace("Philadelphia, PA", "Philadelphia", "Pennsylvania", 39.95, -75.16, EAST, 2.5),
    SimulatedPlace("Seattle, WA", "Seattle", "Washington", 47.61, -122.33, WEST, 2.0),
    SimulatedPlace("Miami, FL", "Miami", "Florida", 25.77, -80.19, EAST, 2.0),
    SimulatedPlace("Phoenix, AZ", "Phoenix", "Arizona", 33.45, -112.07, "America/Phoenix", 2.0),
    SimulatedPlace("Detroit, MI", "Detroit", "Michigan", 42.33, -83.05, "America/Detroit", 1.5),
    SimulatedPlace("Kansas City, MO", "Kansas City", "Missouri", 39.10, -94.58, CENTRAL, 1.0),
    SimulatedPlace("Kansas City, KS", "Kansas City", "Kansas", 39.11, -94.63, CENTRAL, 0.6),
    SimulatedPlace("Salt Lake City, UT", "Salt Lake City", "Utah", 40.76, -111.89, MOUNTAIN, 0.8),
    SimulatedPlace("Omaha, NE", "Omaha", "Nebraska", 41.26, -95.94, CENTRAL, 0.5),
)

AIRLINE_DAY = Scenario(
    pack="airline",
    places=CITIES,
    per_hour=60.0,
    start=1_767_589_200.0,  # Monday 05:00 UTC, midnight in New York: the day begins quietly
    disruptions=(
        Disruption(what="baggage belt failure", at_hours=0.35, hours=3.0, people=90, keywords=("baggage",), cities=("Chicago",)),
        Disruption(
            what="de-icing stops departures", at_hours=3.0, hours=5.0, people=160, keywords=("delay", "cancellation"),
            cities=("Denver",), shape="ramp",
        ),
        Disruption(
            what="check-in and app login down everywhere", at_hours=7.0, hours=2.0, people=260, keywords=("booking",),
            cities=tuple(place.city for place in CITIES),
        ),
        Disruption(what="security line closed and reopened", at_hours=11.0, hours=4.0, people=60, keywords=("boarding",),
                   cities=("Atlanta",), shape="flap"),
        Disruption(what="storm over two states", at_hours=15.0, hours=5.0, people=180, keywords=("cancellation",),
                   cities=("Dallas", "Kansas City")),
        Disruption(what="small outage of a quiet place", at_hours=19.0, hours=2.0, people=14, keywords=("baggage",),
                   cities=("Omaha",)),
    ),
)  # fmt: skip

POWER_STORM = Scenario(
    pack="power",
    places=CITIES,
    per_hour=40.0,
    days=2.0,
    disruptions=(
        Disruption(what="substation fire", at_hours=2.0, hours=4.0, people=120, keywords=("outage",), cities=("Detroit",)),
        Disruption(what="ice storm crosses a state line", at_hours=12.0, hours=10.0, people=260, keywords=("outage",),
                   cities=("Kansas City", "Omaha"), shape="ramp"),
        Disruption(what="feeder trips and comes back", at_hours=30.0, hours=5.0, people=70, keywords=("outage",),
                   cities=("Miami",), shape="flap"),
    ),
)  # fmt: skip

CITY_FLOOD = Scenario(
    pack="city311",
    places=CITIES,
    per_hour=30.0,
    days=3.0,
    disruptions=(
        Disruption(what="cloudburst", at_hours=6.0, hours=9.0, people=220, keywords=("flooding",), cities=("Houston",), shape="ramp"),
        Disruption(what="water main break", at_hours=30.0, hours=6.0, people=60, keywords=("water",), cities=("Philadelphia",)),
    ),
)  # fmt: skip

SCENARIOS = {"airline-day": AIRLINE_DAY, "power-storm": POWER_STORM, "city-flood": CITY_FLOOD}
