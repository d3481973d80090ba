"""The airline pack hears what passengers complain about, and little else."""

from __future__ import annotations

import pytest

from streams.taxonomy import Taxonomy, load_pack
from tests.streams.judged import RARE, judge, tops


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy(load_pack("airline"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 hrs late and still sitting at the gate", {"delay"}),
        ("you cancled my flight!!", {"cancellation"}),
        ("where is my lugage", {"baggage"}),
        ("on hold for two hours then you hung up on me", {"call-centre"}),
        ("your website is down and the app keeps crashing", {"booking-and-app"}),
        ("no wifi and the tv is broken", {"aircraft"}),
        ("stuck in Denver with no hotel voucher and no refund", {"stranded", "refund"}),
        ("the gate agent was so fucking rude", {"staff"}),
        ("waiting for a gate, jetway broken", {"boarding-and-gate"}),
        ("diverted because of smoke in the cabin", {"safety"}),
        ("snow storm in Boston", {"weather"}),
        ("#MissedConnection #LostLuggage", {"delay", "baggage"}),
    ],
)
def test_complaints_are_heard(taxonomy: Taxonomy, text: str, expected: set[str]) -> None:
    assert expected <= tops(taxonomy, text)


@pytest.mark.parametrize(
    "text",
    [
        "thanks for getting us in early",
        "Thank you so much for finding my bag!",
        "kudos to the crew, no delays at all",
        "Great customer service, you guys rock",
        "do you fly to Hawaii?",
        "better late than never, love the new seats",
    ],
)
def test_praise_and_questions_are_not(taxonomy: Taxonomy, text: str) -> None:
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
