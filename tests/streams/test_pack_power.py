"""The power pack hears outages that people have, not those they fear, joke about or sell generators for."""

from __future__ import annotations

import pytest

from streams.taxonomy import Taxonomy, load_pack
from streams.text import normalise
from tests.streams.judged import RARE, judge, tops


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy(load_pack("power"))


def leaves(taxonomy: Taxonomy, text: str) -> set[str]:
    return {taxonomy.id(node) for node in taxonomy.match(normalise(text))}


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("No power on our side of town since lunch", "outage/no-power"),
        ("aint got no lights in here smh", "outage/no-power"),
        ("welp the power just went out", "outage/went-out"),
        ("@SDGE lost power in Kearny Mesa?", "outage/went-out"),
        ("power's out again in Ypsi", "outage/is-out"),
        ("#PowerOutage in Pasadena", "outage/reported"),
        ("3,000 customers without power after a crash", "outage/customers"),
        ("half the house has no lights, lost a phase?", "outage/partial"),
        ("lights keep flickering over here", "outage/flicker"),
        ("did anyone else lose power in Midtown?", "outage/question"),
        ("office closed due to a power outage", "outage/closed"),
        ("6 hours without power and counting", "outage/restoration/how-long"),
        ("still no power in Hoboken", "outage/restoration/still-out"),
        ("power outage, when will power be restored?", "outage/restoration/no-estimate"),
        ("power has been out an hour and your outage map is down", "outage/contact/map"),
        ("tree fell and now there is no power", "outage/storm/tree"),
        ("power is out and my grandfather is on oxygen", "outage/effects/medical"),
        ("no power so everything in the fridge is going bad", "outage/effects/food"),
        ("traffic lights are out on Elm and 5th", "lights/traffic-lights"),
        ("transformer blew behind the school, huge flash, no power", "equipment/transformer"),
        ("live wires down across the road", "equipment/line-down"),
        ("load shedding stage 4 again, thanks Eskom", "shutoff/load-shedding"),
        ("PG&E is shutting off power to the whole county tonight", "shutoff/safety"),
        ("got a disconnection notice from the electric company", "billing/disconnected"),
    ],
)
def test_complaints_are_heard(taxonomy: Taxonomy, text: str, leaf: str) -> None:
    assert leaf in leaves(taxonomy, text)


@pytest.mark.parametrize(
    "text",
    [
        "Steph is shooting the lights out tonight",
        "lights out in the third round, what a knockout",
        "that man has no power over me",
        "people in power never listen",
        "power cleans and power snatches before work",
        "be prepared for a power outage with our standby generator, order now",
        "strong winds could cause power outages on Sunday",
        "hope we don't lose power",
        "in case of a power outage keep the fridge closed",
        "remember when the power went out at prom ten years ago",
        "power off your phone and on again",
        "the senator lost power in congress",
        "the sluggers had a power outage, not one home run all week",
        "blackout curtains are the best thing I bought",
    ],
)
def test_metaphors_adverts_fears_and_memories_are_not(taxonomy: Taxonomy, text: str) -> None:
    assert tops(taxonomy, text) == set()


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("PG&E power is out in Daly City", "pge"),
        ("PG&amp;E power is out in Daly City", "pge"),
        ("@DTE_Energy power is out in Ann Arbor", "dte"),
        ("@CityPowerJhb power outage in Melville", "city-power"),
        ("#Eskom no power in Soweto", "eskom"),
    ],
)
def test_the_utility_is_known_by_name_and_handle(taxonomy: Taxonomy, text: str, subject: str) -> None:
    closure = taxonomy.closure(taxonomy.match(normalise(text)), "twitter")
    assert {subject, f"{subject}/outage"} <= {taxonomy.id(node) for node in closure}


def test_the_pack_is_as_large_as_promised(taxonomy: Taxonomy) -> None:
    assert len(taxonomy.leaves) >= 25
    assert sum(len(keyword.phrases) for keyword in taxonomy.pack.keywords) >= 300
    for keyword in taxonomy.pack.keywords:
        if "/" not in keyword.id:
            assert keyword.team
            assert keyword.first_question


@pytest.mark.data
def test_on_texts_it_was_written_with(taxonomy: Taxonomy) -> None:
    """What it did on these before they corrected it stands in streams/packs/README.md; this holds what they taught."""
    for keyword, tally in judge(taxonomy).items():
        if tally.cases >= RARE:
            assert tally.precision >= 0.87, keyword
            assert tally.recall >= 0.85, keyword
