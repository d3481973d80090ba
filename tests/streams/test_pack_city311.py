"""The city311 pack hears official request types and what people write about their street."""

from __future__ import annotations

import pytest

from streams.taxonomy import Taxonomy, load_pack
from tests.streams.judged import RARE, judge, tops


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy(load_pack("city311"))


@pytest.mark.parametrize(
    ("text", "top"),
    [
        ("Flooding", "flooding"),
        ("Pothole", "streets"),
        ("Water in basement", "flooding"),
        ("Water on street", "flooding"),
        ("Sewer: Manhole Overflow", "sewer"),
        ("Street Light Condition: Street Light Out", "lights"),
        ("HEAT/HOT WATER: ENTIRE BUILDING", "housing"),
        ("Noise - Residential: Loud Music/Party", "noise"),
        ("Rodent: Rat Sighting", "pests"),
        ("Blocked Driveway: No Access", "parking"),
        ("Illegal Dumping: Removal Request", "waste"),
        ("Damaged Tree: Branch or Limb Has Fallen Down", "trees"),
    ],
)
def test_request_types_are_heard(taxonomy: Taxonomy, text: str, top: str) -> None:
    assert top in tops(taxonomy, text)


@pytest.mark.parametrize(
    ("text", "top"),
    [
        ("our street is flooded again, cars floating", "flooding"),
        ("three feet of water in my basement", "flooding"),
        ("sewage coming up in the shower", "sewer"),
        ("water main break on 5th, geyser in the street", "water"),
        ("tap water is brown", "water"),
        ("just hit a huge pothole on I-45", "streets"),
        ("traffic light out at Main and 3rd, nobody stops", "lights"),
        ("whole block dark, street lights are out", "lights"),
        ("neighbors blasting music at 3am", "noise"),
        ("you didn't pick up our trash for two weeks", "waste"),
        ("a huge tree fell across the road", "trees"),
        ("our street hasn't been plowed in three days", "snow"),
        ("landlord won't turn on the heat", "housing"),
        ("rats in the courtyard again", "pests"),
        ("somebody parked in the bike lane", "parking"),
        ("F train delayed again, stuck in the tunnel", "transit"),
        ("smells like gas on Elm street", "air"),
    ],
)
def test_complaints_are_heard(taxonomy: Taxonomy, text: str, top: str) -> None:
    assert top in tops(taxonomy, text)


@pytest.mark.parametrize(
    "text",
    [
        "my timeline is flooded with wedding pictures",
        "donate to the flood relief fund tonight",
        "praying for everyone in the flood",
        "flash flood watch until noon, flooding possible",
        "that movie was garbage",
        "I smell a rat",
        "noise cancelling headphones on sale",
        "sandwich from Subway for lunch",
        "it might snow tomorrow",
    ],
)
def test_figures_of_speech_aid_and_forecasts_are_not(taxonomy: Taxonomy, text: str) -> None:
    assert tops(taxonomy, text) == set()


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
