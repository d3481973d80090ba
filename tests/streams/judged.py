"""One person's verdicts on real texts, and how a pack does on them.

`judged_PACK.csv` has, for each text read, its row id, the top-level keywords that are right (by the rules in streams/packs/README.md) and
those that a second reader might allow, which count neither way. A round was judged before anybody looked at what the pack made of it; it
then corrected the pack, so only the last round tells how the pack does on texts it was not written with. Rounds of about 300 texts are
drawn at random. A round named with an `s` is a supplement for rarer keywords: texts that hold any of a wide list of words about them,
many of which the pack does not know, and in later rounds texts that the pack hears. The texts themselves are not shipped.
"""

from __future__ import annotations

import csv
import functools
import gzip
import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.taxonomy import Taxonomy
from streams.text import normalise

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "airline": ("airline_tweets_2015", "twcs_inbound_sample"),
    "power": ("power_tweets_2016_2020", "power_phrase_windows_2019", "crisislex_t6", "crisislex_t26"),
    "city311": (
        "nyc311_samples",
        "crisislex_t6",
        "crisislex_t26",
        "twcs_inbound_sample",
        "power_tweets_2016_2020",
        "power_phrase_windows_2019",
    ),
}
RARE = 8  # fewer cases say nothing about a keyword


class Tally(NamedTuple):
    """What a pack heard: rightly, wrongly, and what it missed."""

    right: int
    wrong: int
    missed: int

    @property
    def cases(self) -> int:
        return self.right + self.missed

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


def tops(taxonomy: Taxonomy, text: str) -> set[str]:
    """The top-level keywords heard in a text."""
    nodes = taxonomy.match(normalise(text))
    return {taxonomy.id(taxonomy.top(node)) for node in nodes} - {"*"}


def judge(taxonomy: Taxonomy, rounds: Collection[str] = ()) -> dict[str, Tally]:
    """A tally for each top-level keyword met, and for "*", all together, in the rounds given or all; skips without the data."""
    texts = _texts(taxonomy.pack.name)
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    with Path(__file__).with_name(f"judged_{taxonomy.pack.name}.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            if rounds and row["round"] not in rounds:
                continue
            heard, due = tops(taxonomy, texts[row["id"]]), set(row["keywords"].split())
            right.update(heard & due)
            wrong.update(heard - due - set(row["either"].split()))
            missed.update(due - heard)
    found = {key: Tally(right[key], wrong[key], missed[key]) for key in right | wrong | missed}
    return {**found, "*": Tally(right.total(), wrong.total(), missed.total())}


@functools.cache
def _texts(pack: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in FILES[pack]:
        path = DATA / f"{name}.jsonl.gz"
        if not path.exists():
            pytest.skip(f"{path.name} is not here: real complaints are not shipped")
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                row = json.loads(line)
                texts[row["id"]] = row["text"]
    return texts
