"""15 June 2020: T-Mobile failed, and people wrote that they could not reach friends from Verizon. Verizon had not failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson
import pytest

from alerting.model import Incident
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig

PACK = """
[pack]
name = "carriers"
title = "Carriers"
window_seconds = 300
[[subjects]]
id = "t-mobile"
name = "T-Mobile"
phrases = ["t mobile"]
[[subjects]]
id = "verizon"
name = "Verizon"
phrases = ["verizon"]
[[keywords]]
id = "service"
name = "service"
[[keywords]]
id = "service/no-calls"
name = "no calls"
phrases = ["cannot call"]
[[keywords]]
id = "bill"
name = "bill"
phrases = ["wrong bill"]
"""
MONDAY, DAY, HOUR = 1_591_574_400, 86_400, 3600  # 2020-06-08, a week before
BURST = MONDAY + 7 * DAY + 16 * HOUR
T_MOBILE, VERIZON, NEITHER = "t mobile: cannot call", "verizon: cannot call", "cannot call, anyone else"
BOTH = "cannot call friends on {} from my {}"
USUAL = {T_MOBILE: 12.0, VERIZON: 12.0, NEITHER: 6.0, "t mobile: wrong bill": 6.0, "verizon: wrong bill": 6.0}  # a day


def told(tmp_path: Path, burst: Mapping[str, float], where: str = "Atlanta, GA", seed: int = 1) -> list[Incident]:
    """Incidents of which anyone is told in a week as usual and a day with a burst of three hours, of so many people an hour."""
    pack = tmp_path / "carriers.toml"
    pack.write_text(PACK, encoding="utf-8")
    rng = np.random.default_rng(seed)
    said: list[tuple[float, str]] = []
    for text, per_day in USUAL.items():
        said += [(float(MONDAY + at), text) for at in rng.uniform(0, 8 * DAY, rng.poisson(8 * per_day))]
    for text, per_hour in burst.items():
        said += [(float(BURST + at), text) for at in rng.uniform(0, 3 * HOUR, rng.poisson(3 * per_hour))]
    records: list[Record | Tick] = []
    for number, (at, text) in enumerate(sorted(said)):
        own_words = " ".join(
            f"w{word}" for word in rng.integers(0, 10_000, 12)
        )  # or they would be copies of one another
        complaint = {"id": str(number), "created_at": at, "text": f"{text} {own_words}", "source": "posts"}
        complaint |= {"author": f"a{number}", "location": where}
        records.append(Record(number, orjson.dumps(complaint), at))
    pipeline = Pipeline(PipelineConfig(pack=str(pack)))
    records.append(Tick(len(records), MONDAY + 8.0 * DAY, final=True))
    newest = {one.id: one for one in pipeline.process(0, records).incidents}
    return [one for one in newest.values() if one.suspected_at is not None and one.onset > BURST - HOUR]


def subjects(found: list[Incident]) -> set[str]:
    return {keyword.split("/")[0] for one in found for keyword in one.keywords} & {"t-mobile", "verizon"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("failing", "alone", "named"), [("t-mobile", T_MOBILE, "verizon"), ("verizon", VERIZON, "t-mobile")]
)
def test_complaints_that_name_the_failing_carrier_beside_another_open_nothing_on_the_other(
    tmp_path: Path, failing: str, alone: str, named: str, seed: int
) -> None:
    both = BOTH.format(failing.replace("-", " "), named.replace("-", " "))
    found = told(tmp_path, {alone: 25, both: 20}, seed=seed)
    assert len(found) == 1
    assert subjects(found) == {failing}


@pytest.mark.parametrize("seed", range(3))
def test_when_both_carriers_fail_both_are_named(tmp_path: Path, seed: int) -> None:
    both = BOTH.format("t mobile", "verizon")
    assert subjects(told(tmp_path, {T_MOBILE: 30, VERIZON: 20, both: 10}, seed=seed)) == {"t-mobile", "verizon"}


@pytest.mark.parametrize("seed", range(3))
def test_a_carrier_that_fails_alone_is_found_as_it_was(tmp_path: Path, seed: int) -> None:
    found = told(tmp_path, {VERIZON: 20}, seed=seed)
    assert subjects(found) == {"verizon"}
