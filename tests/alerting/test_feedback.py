"""What verdicts say of rules, tiers and channels."""

from __future__ import annotations

from typing import Any

import msgspec

from alerting.feedback import Count, report
from tests.alerting.test_message import BAGGAGE


def judged(verdict: str | None, count: int, **what: Any) -> list[Any]:
    return [msgspec.structs.replace(BAGGAGE, id=f"{verdict}{n}", verdict=verdict, **what) for n in range(count)]


def test_verdicts_are_counted_by_rule_and_tier() -> None:
    app = judged("real", 1, keywords=("app/login",), confirmed_at=None)
    found = report([*judged("real", 6, keywords=("baggage/belt",)), *judged("not_real", 2), *judged(None, 3), *app])
    assert found.rules == (Count("baggage", 6, 2, 0, 3), Count("app", 1))
    assert found.tiers == (Count("confirmed", 6, 2, 0, 3), Count("suspected", 1))
    assert found.rules[0].line() == ("6 real, 2 not real, 0 known events, 3 unanswered: 75 % of those judged were real")
    assert found.rules[0].precision == 0.75
    assert found.advice == ()


def test_drills_signals_and_parts_of_others_are_not_counted() -> None:
    assert (
        report(
            [*judged("real", 1, drill=True), *judged("real", 1, suspected_at=None), *judged("real", 1, merged_into="x")]
        ).rules
        == ()
    )


def test_verdicts_are_counted_by_the_channels_that_were_told() -> None:
    one = judged("not_real", 1)
    assert report(one, {one[0].id: ["ops-slack", "pager"]}).channels == (Count("ops-slack", 0, 1), Count("pager", 0, 1))


def test_a_rule_that_is_mostly_wrong_is_told_with_what_to_look_at() -> None:
    (line,) = report([*judged("real", 1), *judged("not_real", 4)]).advice
    assert line.startswith("baggage: 4 of 5 judged incidents were not real.")
    assert "nothing is changed by itself" in line


def test_events_known_again_and_again_are_to_be_planned() -> None:
    (line,) = report(judged("known_event", 3)).advice
    assert "planned events" in line
