"""What names and codes mean: candidates with weights, narrowed by one another and decided without guessing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from streams.gazetteer.table import BARE, EVERYWHERE, LEVELS, NOWHERE, RARE, spaced
from streams.places import Places
from streams.text import normalise

DOMINANT = 3  # times as many people: then the smaller place is not meant
NEAR_DEGREES = 0.5
KNOWN = 100_000  # people: smaller places with names of several words are not taken from among other words
FAMOUS = 100_000_000  # people: larger countries are meant in any company
BIG_COUNTRY = 10_000_000  # people: its ISO code of three letters may stand alone
WORD_CODES = spaced("in or me hi ok oh id la ma pa de al co on ca mo as so no us ad is it my no at be by to pr")
# mean a state anywhere, in capitals
CLEAR_CODES = spaced("az tx fl nj ny nc vt ky tn wv wy nv nm nh mn wi mt ct ga ks ca ri dc")
TITLES = spaced("md pr id in or me hi")  # behind a name of a person or firm they mean something else
REGION, COUNTRY, CITY = LEVELS.index("region"), LEVELS.index("country"), LEVELS.index("city")


def plain(name: str) -> str:
    """The words of a name with single spaces, as names are looked up."""
    return " ".join(normalise(name))


class Meaning(NamedTuple):
    """One place that a name may mean."""

    place: int
    weight: int  # people it may mean
    alone: bool = True  # whether the name says a place with no other beside it
    nickname: bool = False
    code: bool = False


class NameIndex:
    """The names of all places; spots by their names and phrases."""

    def __init__(self, places: Places) -> None:
        table = places.table
        self.places = places
        self.codes = table.codes
        self._airports = table.airports
        self._number = {key: number for number, key in enumerate(table.keys)}
        self._start = np.frombuffer(table.start, "<i4")
        self._target = np.frombuffer(table.target, "<i4")
        self._weight = np.frombuffer(table.weight, "<i4")
        self._unsure = frozenset(table.unsure)
        self._safe = {name for name, _ in places.text_names()}
        self._spots: dict[str, int] = {}
        for place, spot in places.spots.items():
            for phrase in (spot.name, *spot.phrases):
                self._spots[plain(phrase)] = place
        self._united_states = places.index("country:US")

    def name(self, key: str) -> list[Meaning]:
        """What a name may mean as a whole part of a location, most people first."""
        if key in self._spots:
            return [Meaning(self._spots[key], 1_000_000_000)]
        number = self._number.get(key)
        if number is None:
            return []
        alone = key not in self._unsure
        found = slice(self._start[number], self._start[number + 1])
        return [
            Meaning(
                place,
                weight,
                alone,
                weight > int(self.places.population[place]) and key != plain(self.places.name(place)),
            )
            for place, weight in zip(self._target[found].tolist(), self._weight[found].tolist(), strict=True)
        ]

    def name_inside(self, key: str, capitals: bool) -> list[Meaning]:
        """What a name may mean among other words: single words that are no sure names count only beside their state or country."""
        meanings = self.name(key)
        if capitals and self._airports.get(key.upper(), (0, RARE))[1] == BARE:
            return meanings
        if not meanings or key in self._safe or meanings[0].weight >= (KNOWN if " " in key else FAMOUS):
            return meanings
        wide = (REGION, COUNTRY) if key in self._unsure else ()  # "island" is Iceland in no company
        return [one._replace(alone=False) for one in meanings if self.places.level_code[one.place] not in wide]

    def code(self, code: str, behind: bool) -> list[Meaning]:
        """What a code of a region or country may mean; behind another name, some count only together with it."""
        made = []
        for place in self.codes.get(code, ()):
            country = self.places.level_code[place] == COUNTRY
            abroad = not country and not self.places.id(place).startswith(("region:US", "region:CA"))
            people = int(self.places.population[place])
            sure = not (abroad or (country and (len(code) < 3 or people < BIG_COUNTRY)))
            if behind or sure:
                made.append(Meaning(place, people, sure, code=True))
        return made

    def is_wide(self, meanings: Sequence[Meaning]) -> bool:
        """Whether a region or country is meant, most likely."""
        place = self.decide([meaning for meaning in meanings if meaning.alone])
        return bool(place != NOWHERE and self.places.level_code[place] in (REGION, COUNTRY))

    def is_united_states(self, meanings: Sequence[Meaning]) -> bool:
        return any(meaning.place == self._united_states for meaning in meanings)

    def is_state(self, meanings: Sequence[Meaning]) -> bool:
        """Whether a region of North America is meant, most likely."""
        return self.places.id(self.decide([meaning for meaning in meanings if meaning.alone])).startswith(
            ("region:US", "region:CA")
        )

    def in_united_states(self, meanings: Sequence[Meaning]) -> list[Meaning]:
        """Those meanings that lie there, all where none does."""
        return [one for one in meanings if self.places.within(one.place, self._united_states)] or list(meanings)

    def narrow(self, group: Sequence[Meaning], beside: Sequence[Meaning]) -> list[Meaning]:
        """The meanings that fit one another, the tighter of each two; regions' codes before countries' (CA is California where it can be)."""
        states = [meaning for meaning in beside if self.places.level_code[meaning.place] == REGION]
        for others in (states, beside):
            fitting: dict[int, Meaning] = {}
            for one in group:
                for other in others:
                    tight = one if self.places.within(one.place, other.place) else other
                    if tight is one or self.places.within(other.place, one.place):
                        held = fitting.get(tight.place)
                        if held is None or held.weight < tight.weight:
                            fitting[tight.place] = tight._replace(alone=True)
            if fitting:
                return list(fitting.values())
        return []

    def decide(self, meanings: Sequence[Meaning], states_only: bool = False) -> int:
        """The place meant; where several are as likely, the tightest region or country that holds them, else nowhere."""
        return self.weigh(meanings, states_only)[0]

    def weigh(self, meanings: Sequence[Meaning], states_only: bool = False) -> tuple[int, bool]:
        """What `decide` says, and whether that is the place named (and not one that holds all it may be)."""
        places = self.places
        if states_only and (states := [one for one in meanings if places.level_code[one.place] == REGION]):
            meanings = states
        meanings = self._likely_codes(meanings)
        if not meanings:
            return NOWHERE, False
        order = sorted(meanings, key=lambda meaning: (-meaning.weight, meaning.place))
        rivals = [one.place for one in order if one.weight * DOMINANT >= order[0].weight]
        if len(rivals) == 1:
            return rivals[0], True
        chain = sorted(rivals, key=lambda place: places.level_code[place])
        if all(places.within(tight, wide) for wide, tight in pairwise(chain)):
            return (chain[0] if places.level_code[chain[0]] == COUNTRY else chain[-1]), True
        if all(self._near(rivals[0], place) for place in rivals[1:]):
            return rivals[0], True
        return self._region_of(rivals), False

    def _likely_codes(self, meanings: Sequence[Meaning]) -> Sequence[Meaning]:
        """Codes mean states and provinces of North America first, regions elsewhere next, countries last."""
        ids = [self.places.id(one.place) if one.code else "" for one in meanings]
        for first in (("region:US", "region:CA"), ("region:",)):
            if any(id_.startswith(first) for id_ in ids):
                return [one for one, id_ in zip(meanings, ids, strict=True) if not id_ or id_.startswith(first)]
        return meanings

    def agree(self, found: Iterable[int], vague: Iterable[int] = ()) -> int:
        """One place for several named side by side: the tightest where they lie in one another, else what holds them all, if that says anything.

        `vague`: places that hold others named, which are not known better.
        """
        places = list(dict.fromkeys(place for place in found if place != NOWHERE))
        tight = [one for one in places if not any(one != other and self.places.within(other, one) for other in places)]
        tight += [place for place in vague if place != NOWHERE and place not in tight]
        if not tight:
            return NOWHERE
        return tight[0] if len(tight) == 1 else self._region_of(tight)

    def _region_of(self, found: Sequence[int]) -> int:
        common = self.places.common(found)
        return NOWHERE if common == EVERYWHERE else common

    def _near(self, one: int, other: int) -> bool:
        places = self.places
        if places.level_code[one] != CITY or places.level_code[other] != CITY:
            return False
        return bool(
            abs(places.lat[one] - places.lat[other]) < NEAR_DEGREES
            and abs(places.lon[one] - places.lon[other]) < NEAR_DEGREES
        )
