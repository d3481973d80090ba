"""What people call the places: which names go into the index of the gazetteer, and which may be looked for in any text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from streams.gazetteer.table import BARE, HINT, RARE, Row, spaced
from streams.text import normalise

ALTERNATES_FROM = 200_000  # people: below, only alternate names that are a part of the main name
TEXT_FROM_ENGLISH = 60_000  # people: smaller towns are found in a text only with their state
TEXT_FROM = 400_000
DOMINANT = 3  # times as many people: then the smaller place is not meant
UNSURE_REGION = 10  # names of regions that only airports give are sometimes a neighbour's
ENGLISH = ("country:US", "country:CA", "country:GB", "country:AU", "country:NZ", "country:IE", "country:ZA")
SAME_WORD = {"saint": "st", "fort": "ft", "mount": "mt", "sainte": "ste"}
# codes that are also words of a text
WORD_CODES = spaced("in or me hi ok oh id la ma pa de al co on ca mo as so no")
COUNTRY_CODES_IN_TEXT = frozenset(("usa", "uk", "uae"))


def plain(name: str) -> str:
    """The normalised form of a name: its words with single spaces."""
    return " ".join(normalise(name))


@cache
def words(part: str) -> frozenset[str]:
    """Names of words.txt, part `text` or `location`."""
    found: set[str] = set()
    here = ""
    for line in (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif not line.startswith("#") and here == part:
            found.update(word.replace("-", " ") for word in line.split())
    return frozenset(found)


class Index:
    """Collects names with the places they mean; a place's weight under a name is the number of people it may mean there."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.means: dict[str, dict[int, int]] = defaultdict(dict)
        self.codes: dict[str, list[int]] = defaultdict(list)
        self.text: dict[str, int] = {}
        self.wanted: set[str] = set()  # text names given by hand: no check for words
        self.airports: dict[str, tuple[int, int]] = {}
        self.counties: set[str] = set()

    def put(self, name: str, place: int, weight: int) -> str:
        key = plain(name)
        if len(key) > 1 and not key.isdigit():
            for form in {key, " ".join(SAME_WORD.get(word, word) for word in key.split())}:
                self.means[form][place] = max(weight, self.means[form].get(place, 0))
        return key

    def country(self, place: int, code: str, iso3: str, names: list[str]) -> None:
        people = self.rows[place].population
        for name in names:
            key = self.put(name, place, people)
            if len(key) > 3 or key in COUNTRY_CODES_IN_TEXT:
                self._offer(key, place)
        self.codes[code].append(place)
        self.codes[iso3].append(place)

    def region(self, place: int, others: list[str], named: bool) -> None:
        row = self.rows[place]
        key = self.put(row.name, place, row.population if named else row.population // UNSURE_REGION)
        if named and len(key) > 3 and (row.id[7:9] in "US CA GB AU IN" or len(key) > 6):
            self._offer(key, place)
        for name in others:
            self.put(name, place, row.population)
        country, code = row.id[7:].split("-", 1)
        if country in ("US", "CA", "AU"):
            self.codes[code].insert(0, place)

    def county(self, place: int) -> None:
        row = self.rows[place]
        for name in (row.name, row.name.replace("St.", "Saint")):
            key = self.put(name, place, row.population)
            self.counties.add(key)
            self._offer_with_region(key, place)
            self.text.setdefault(key, place)

    def city(self, place: int, alternates: list[str]) -> None:
        row = self.rows[place]
        key = self.put(row.name, place, row.population)
        self._put_alternates(place, row, key, alternates, row.population // 4)
        english = self._country(place) in ENGLISH
        if row.population >= (TEXT_FROM_ENGLISH if english else TEXT_FROM) and len(key) > 3:
            self._offer(key, place)
        if self._country(place) in ("country:US", "country:CA"):
            self._offer_with_region(key, place)

    def part(self, place: int, part: Row, alternates: list[str]) -> None:
        """A part's names become names of its city; the word alone is kept only where it says a place."""
        key = plain(part.name)
        if key not in words("location"):
            self.put(part.name, place, part.population)

    def nickname(self, place: int, in_text: bool, names: list[str]) -> None:
        people = max(2 * self.rows[place].population, 1_000_000)
        for name in names:
            if self.rows[place].level == "county":  # the one people mean by it, whatever its namesakes
                people = max([people, *(DOMINANT * weight + 1 for weight in self.means[plain(name)].values())])
            key = self.put(name, place, people)
            if in_text:
                self.wanted.add(key)
                self.text[key] = place

    def airport(self, place: int, code: str) -> None:
        self.airports[code] = (place, RARE)
        name = plain(self.rows[place].name)
        if "airport" in name:
            self.put(name, place, 1_000_000)

    def busy_airport(self, place: int, code: str, bare: bool, names: list[str]) -> None:
        self.airports[code] = (place, BARE if bare else HINT)
        parent = self.rows[place].parent
        self.put(code, parent, max(1_000_000, self.rows[parent].population))  # in a profile it is the city one lives in
        for name in names:
            if name:
                key = self.put(name, place, 1_000_000)
                if len(key) > 3 or key == "lax":
                    self.wanted.add(key)
                    self.text[key] = place

    def _put_alternates(self, place: int, row: Row, key: str, alternates: list[str], weight: int) -> None:
        for name in alternates:
            if len(name) < 4 or not name[:1].isupper() or not re.search("[a-z]", name):
                continue
            other = plain(name)
            if other in self.counties:
                continue
            inside = len(other) > 3 and (f" {other} " in f" {key} " or f" {key} " in f" {other} ")
            if inside or (row.population >= ALTERNATES_FROM and len(other) > 4):
                self.put(name, place, weight * 2 if inside else weight)

    def _offer(self, key: str, place: int) -> None:
        """Take a name for texts unless it is a word or somebody's name; of two places the first (bigger) one keeps it."""
        if key not in words("text") and key not in words("location"):
            self.text.setdefault(key, place)

    def _offer_with_region(self, key: str, place: int) -> None:
        region = self.rows[place].parent
        if self.rows[region].level == "county":
            region = self.rows[region].parent
        if not self.rows[region].id.startswith("region:") or (key in self.text and self.text[key] == place):
            return
        code = self.rows[region].id[-2:].casefold()
        self.text.setdefault(f"{key} {plain(self.rows[region].name).removesuffix(' state')}", place)
        if code not in WORD_CODES:
            self.text.setdefault(f"{key} {code}", place)

    def _country(self, place: int) -> str:
        while self.rows[place].level not in ("country", "everywhere"):
            place = self.rows[place].parent
        return self.rows[place].id

    def _is_clear(self, key: str, place: int) -> bool:
        """Whether a name means this place and no other of like weight that lies elsewhere."""
        means = self.means.get(key, {})
        rivals = [other for other, weight in means.items() if weight * DOMINANT >= means.get(place, 0)]
        return all(place in self._above(other) or other in self._above(place) for other in rivals)

    def _above(self, place: int) -> set[int]:
        found = {place}
        while (place := self.rows[place].parent) > 0:
            found.add(place)
        return found

    def _common(self, places: Iterable[int]) -> int:
        """The tightest place that holds all of them; 0, everywhere, where none does."""
        return max(set.intersection(*map(self._above, places)), default=0)

    def _in_texts(self) -> Iterator[tuple[str, int]]:
        """Names to look for; that of several counties is what holds them, lest "Houston County" be read as the city."""
        for key, place in self.text.items():
            if key in self.wanted or self._is_clear(key, place):
                yield key, place
            elif key in self.counties and (common := self._common(self.means[key])):
                yield key, common

    def packed(self) -> dict[str, Any]:
        """The fields of `Table` that hold names. A text name that means several places of like weight is left out, unless they are counties."""
        keys = sorted(self.means)
        entries = [sorted(self.means[key].items(), key=lambda entry: (-entry[1], entry[0])) for key in keys]
        start = np.cumsum([0, *map(len, entries)])
        return {
            "keys": keys,
            "start": start.astype("<i4").tobytes(),
            "target": np.array([place for entry in entries for place, _ in entry], "<i4").tobytes(),
            "weight": np.array([weight for entry in entries for _, weight in entry], "<i4").tobytes(),
            "codes": dict(sorted(self.codes.items())),
            "text": sorted(self._in_texts()),
            "airports": dict(sorted(self.airports.items())),
            "unsure": sorted(words("location")),
        }
