"""Reads the free-text location of a profile: "NYC", "Boston, MA", "Portland, Maine", "Chicago by way of Cali", and a great deal of nonsense.

The text is cut into places that stand side by side ("|", "/", "and") and those into parts ("city, state"). Each part is
looked up as a whole, then without words like "greater" or "area", then for names within it. Parts beside one another
narrow each other down; what stays ambiguous goes to the place with three times the people, else to the tightest region
or country that holds all it may mean, else to nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streams.gazetteer.table import NOWHERE, spaced
from streams.place_index import CLEAR_CODES, TITLES, WORD_CODES, Meaning, NameIndex
from streams.text import normalise

MAX_CHARACTERS = 200
MAX_WORDS, MAX_PIECES = 5, 8
_BESIDE = re.compile(
    r"[|/;•·‣●▪\n\r\t→➡⇒✈️⇄↔⇔♥❤♡☀★☆✨~+&<>_=*]|\s[-–—:]+\s|\s-(?=[^\W\d])|--+|\.\.+|—"
    r"|\b(?:[Aa]nd|(?i:via|by way of)|to|TO|or|then|now|but|from|x|vs|y|et|und)\b"
)
_PARTS = re.compile(r"[,()\[\]{}\"“”:!?،、，]|\.\s*,")
_DASHES = re.compile(r"(?<=\w)[-–](?=\w)")
_ZIP = re.compile(r"[\s-]+\d[\d\s-]*$")
_US_ZIP = re.compile(r"\b\d{5}(?:-\d{4})?\s*(?:,?\s*USA?)?$")
_AREA_FIRST = re.compile(r"[^,]*/[^,]*(?:,[^,/]+){2,}$")  # "Harrisburg / Manchester, Houston, TX"
_BEFORE = re.compile(
    r"\((?:formerly|originally|born|raised|from|ex|via|prev)\b[^)]*\)|\b(?:formerly|originally)\b.*$", re.IGNORECASE
)
_COORDINATES = re.compile(r"(-?\d{1,2}\.\d+)\s*[,;/ ]\s*(-?\d{1,3}\.\d+)")
_DEGREES = re.compile(r"([NS])\s*(\d{1,2})°\s*(\d{1,2})?'?[^EW]{0,12}([EW])\s*(\d{1,3})°\s*(\d{1,2})?")
_DECIMAL = re.compile(r"(\d{1,2}\.\d+)°?\s*([NS])\W{0,3}\s*(\d{1,3}\.\d+)°?\s*([EW])\b")
_FLAG = re.compile("([\U0001f1e6-\U0001f1ff])([\U0001f1e6-\U0001f1ff])")
_AROUND = spaced("""
    greater metro metropolitan downtown uptown midtown near nearby in the from of at living live lives outside just around
    sunny beautiful rainy lovely cloudy cold snowy hot area areas region suburbs suburb burbs suburban baby yall hometown
    currently mostly sometimes usually always born raised proud native originally formerly based inner historic old am im
    located loc state province republic
""")
_DIRECTIONS = spaced("""
    north south east west northern southern eastern western central northeast northwest southeast southwest northeastern
    northwestern southeastern southwestern upstate downstate coastal rural n s e w ne nw se sw mid
""")
_COUNTY = spaced("county parish")
_IMAGINED = spaced("""
    your ur his her their heart mind dreams head soul pants wishing looking searching chasing dreaming missing finding leaving
""")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")  # "PlanoTexas"


@dataclass(slots=True)
class _Group:
    """Parts that stand for one place."""

    meanings: list[Meaning]
    parts: int = 1
    in_states: bool = False  # "Washington, USA" is the state: profiles write it so


class LocationReader:
    """`read(text)` is the place of a profile, `nowhere` where it says none. `at` finds the place of coordinates."""

    def __init__(self, index: NameIndex, at: Callable[[float, float], int]) -> None:
        self._index = index
        self._at = at

    def read(self, text: str) -> int:
        text = text[:MAX_CHARACTERS]
        if (measured := self._measured(text)) is not None:
            return measured
        index = self._index
        words = normalise(text)
        letters = [word for word in words if not word.isdigit()]
        if len(letters) > 2 and all(len(word) == 1 for word in letters):
            text = "".join(letters)  # O H I O
            words = [text]
        if meanings := [meaning for meaning in index.name(" ".join(words)) if meaning.alone]:
            return index.decide(meanings)
        text = self._spaced(_BEFORE.sub(" ", text.strip()) or text)
        is_address = _US_ZIP.search(text) is not None and "," in text
        pieces = (
            [text]
            if is_address or _AREA_FIRST.match(text)
            else [piece for piece in _BESIDE.split(text) if normalise(piece)]
        )
        found = [list(self._places(piece, is_address)) for piece in pieces]
        # among words that are no places two letters are rarely a state, unless they come first and in capitals
        if len(found) > 1 and not all(found):
            found = [
                places
                for number, places in enumerate(found)
                if not self._is_code(pieces[number]) or (number == 0 and pieces[0].isupper())
            ]
        said = [*(place for places in found for place in places), *((place, True) for place in self._flags(text))]
        return index.agree([place for place, sure in said if sure], [place for place, sure in said if not sure])

    def _spaced(self, text: str) -> str:
        """A single word written in humps as the places it holds, where every hump is one: "PlanoTexas"."""
        humps = _HUMPS.split(text.strip(" .#@")) if " " not in text else []
        if len(humps) == 2 and all(self._index.name(hump.casefold()) for hump in humps):
            return ", ".join(humps)
        return text

    def _is_code(self, piece: str) -> bool:
        code = piece.strip(" .#@").upper()
        return len(code) < 4 and not self._index.name(code.casefold()) and bool(self._index.code(code, False))

    def _measured(self, text: str) -> int | None:
        if match := _COORDINATES.search(text):
            lat, lon = float(match[1]), float(match[2])
        elif match := _DEGREES.search(text):
            lat = (int(match[2]) + int(match[3] or 0) / 60) * (1 if match[1] == "N" else -1)
            lon = (int(match[5]) + int(match[6] or 0) / 60) * (1 if match[4] == "E" else -1)
        elif match := _DECIMAL.search(text):
            lat = float(match[1]) * (1 if match[2] == "N" else -1)
            lon = float(match[3]) * (1 if match[4] == "E" else -1)
        else:
            return None
        on_earth = abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0, 0)
        return self._at(lat, lon) if on_earth else NOWHERE

    def _flags(self, text: str) -> Iterator[int]:
        for match in _FLAG.finditer(text):
            code = "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in match.groups())
            yield from self._index.codes.get(code, [])[-1:]

    def _places(self, piece: str, is_address: bool) -> Iterator[tuple[int, bool]]:
        """The places a piece names, as `weigh` gives them: parts that can lie in one another are one place.

        What stands before a city with its state is a part of it.
        """
        index = self._index
        groups: list[_Group] = []
        for mention in self._mentions(piece):
            if is_address:
                mention = index.in_united_states(mention)
            last = groups[-1] if groups else None
            if last and (fitting := index.narrow(last.meanings, mention)):
                last.in_states = last.parts == 1 and index.is_united_states(mention)
                last.meanings, last.parts = fitting, last.parts + 1
            elif last and last.parts == 1 and self._is_unknown(last.meanings, mention):
                groups[-1] = _Group(mention)
            else:
                groups.append(_Group(mention))
        if groups and (is_address or (len(groups) > 1 and groups[-1].parts > 1)):
            last = groups[-1]
            groups = [group for group in groups[:-1] if not is_address and not self._is_area(group, last)] + [last]
        for group in groups:
            if meanings := [meaning for meaning in group.meanings if meaning.alone]:
                yield index.weigh(meanings, group.in_states)

    def _is_unknown(self, meanings: list[Meaning], beside: list[Meaning]) -> bool:
        """Whether a name is that of an unknown town, with a known namesake elsewhere, whose state follows: "Wexford, Pennsylvania", "Cuba, NY"."""
        index = self._index
        if index.is_wide(meanings):
            return index.is_state(beside) and not index.is_state(meanings)
        return not meanings[0].nickname and index.is_wide(beside)

    def _is_area(self, group: _Group, city: _Group) -> bool:
        """Whether a name before "city, state" is rather a part of that city than a place of its own."""
        likely = max(group.meanings, key=lambda meaning: meaning.weight)
        return (
            group.parts == 1
            and not likely.nickname
            and not self._index.is_wide(group.meanings)
            and likely.weight < city.meanings[0].weight
        )

    def _mentions(self, piece: str) -> Iterator[list[Meaning]]:
        """What each part of a piece may mean; parts that mean nothing are left out."""
        behind = False
        for part in _PARTS.split(piece):
            written = _ZIP.sub("", part.strip(" .#@'’-–"))
            words = [word for word in normalise(written) if not word.isdigit()]
            if not words:
                continue
            if meanings := self._whole(words, written, behind):
                yield meanings
            else:
                yield from self._inside(words, written)
            behind = True

    def _whole(self, words: list[str], written: str, behind: bool) -> list[Meaning]:
        """What a whole part may mean: a name, a code of a state or country, or a name with words like "greater" around it."""
        index, name = self._index, " ".join(words)
        code = written.replace(".", "").replace(" ", "")
        meanings = index.name(name)
        if len(code) <= 3 and (
            behind or ((code.isupper() or name not in WORD_CODES) and not any(meaning.alone for meaning in meanings))
        ):
            meanings = index.code(code.upper(), behind) + meanings
        if meanings:
            return meanings
        first, last = 0, len(words)
        while first < last and words[first] in _AROUND:
            first += 1
        while first < last and words[last - 1] in _AROUND:
            last -= 1
        inner = words[first:last]
        if inner != words and (meanings := index.name(" ".join(inner))):
            return meanings
        while inner and (inner[0] in _DIRECTIONS or inner[0] in _AROUND):
            inner = inner[1:]
        meanings = index.name(" ".join(inner))
        return meanings if meanings and index.is_wide(meanings) else []

    def _inside(self, words: list[str], written: str) -> Iterator[list[Meaning]]:
        """Names inside a longer part, longest first from the left; a code counts only at the end, in capitals or behind a name."""
        if not _IMAGINED.isdisjoint(words) and "of" not in words:
            return
        pieces = _DASHES.split(written)
        if 1 < len(pieces) <= MAX_PIECES:
            for piece in pieces:
                yield from filter(None, [self._whole(normalise(piece), piece.strip(), False)])
            return
        index, at, count, named = self._index, 0, len(words), ""
        capitals = {"".join(normalise(word)) for word in written.split() if word.replace(".", "").isupper()}
        end = count - 1 if words[-1] in ("usa", "canada") and count > 1 else count
        if written.isupper() and all(len(word) == 2 and index.code(word.upper(), False) for word in words):
            yield from (index.code(word.upper(), False) for word in words)
            return
        while at < count:
            for length in range(min(MAX_WORDS, count - at), 0, -1):
                name = " ".join(words[at : at + length])
                meanings = index.name_inside(name, capitals=name in capitals)
                if length == 1 and self._may_be_code(
                    name, at == end - 1, name in capitals, named, shouted=written.isupper()
                ):
                    meanings = index.code(name.upper(), bool(named)) + meanings
                if at + length < count and words[at + length] in _COUNTY:
                    meanings = [meaning for meaning in meanings if index.is_wide([meaning])]
                if meanings:
                    yield meanings
                    named, at = ("sure" if any(meaning.alone for meaning in meanings) else "perhaps"), at + length
                    break
            else:
                at += 1

    def _may_be_code(self, word: str, last: bool, capitals: bool, named: str, shouted: bool) -> bool:
        """Whether a word among others can be the code of a state: at the end in capitals or behind a name; some codes in capitals anywhere."""
        if len(word) > 3:
            return False
        if last and capitals:
            return named != "" or word not in TITLES
        if last:
            return named == "sure" or word in CLEAR_CODES or (named == "perhaps" and word not in WORD_CODES)
        return capitals and not shouted and word in CLEAR_CODES
