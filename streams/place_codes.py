"""IATA airport codes in texts: three capitals that mean an airport only where the text says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from streams.gazetteer.table import BARE, HINT, spaced

_CODE = re.compile(r"(?<![A-Za-z0-9'@&$])[A-Z]{3}(?![A-Za-z0-9'&])")
_CAPITALS = re.compile("[A-Z]{3}")
_FLYING = re.compile(
    r"✈|\b(?:airports?|flights?|flying|flew|fly|gates?|terminals?|runway|tarmac|layover|connection|connecting|landed|landing|boarding|boarded|"
    r"departures?|arrivals?|departing|arriving|delayed|delays?|cancel+ed|airlines?|baggage|luggage|pilot|tsa|check-?in|concourse|jetbridge|lounge)\b",
    re.IGNORECASE,
)
_HERE = re.compile(r"(?:\b(?:at|in|inside|@)|@|stuck (?:at|in)|#)\s*$", re.IGNORECASE)
_ROUTE = re.compile(r"(?:\b(?:from|to|at|in|into|out of|via|through|leaving|for)|#|[-–→>✈/])\s*$", re.IGNORECASE)
_ROUTE_AFTER = re.compile(r"\s*(?:[-–→>✈]|to\b|airport\b|-)", re.IGNORECASE)
_WORDS = spaced("CAN DAY HAN IND LAS LIT LOS MAD MAN ONT PER PIT ROC SAN SAT SIN")
_COMMON = spaced("""
    ALL AND ANY ARE BAG BIG BUS BUT CEO DAD DID EAT END FAR FLY FOR FUN GET GOD GOT HAD HAS HER HIM HIS HOW ITS JOB KID MOM
    NEW NOT NOW OFF OLD OMG ONE OUR OUT OWN POS PUT RUN SAL SAY SEE SHE THE TOO TRY TSA TWO USA WAS WAY WHO WHY WIN WTF YES
    YET YOU
""")
MAX_CHARACTERS = 1_000


def with_codes(texts: Sequence[str]) -> list[str]:
    """The texts that have three capital letters in a row, without which there is no code; empty ones for the others."""
    capital = np.frombuffer("\n".join(texts).encode("utf-8", "replace"), np.uint8) - np.uint8(65) < 26
    starts = np.flatnonzero(capital[:-2] & capital[1:-1] & capital[2:])
    found = [""] * len(texts)
    if len(starts):
        lengths = np.array([len(text.encode("utf-8", "replace")) + 1 for text in texts])
        for number in np.unique(np.searchsorted(lengths.cumsum(), starts, "right")).tolist():
            found[number] = texts[number]
    return found


class AirportCodes:
    """Finds airports by code. `airports`: place and how much its code says (`BARE`, `HINT`, `RARE`) by code."""

    def __init__(self, airports: Mapping[str, tuple[int, int]]) -> None:
        self._airports = airports

    def find(self, text: str) -> list[int]:
        """Places of the airports named, in the order of the text; only those the author says to be at, where there are any."""
        if not _CAPITALS.search(text):
            return []
        return self._find(text[:MAX_CHARACTERS])

    def _find(self, text: str) -> list[int]:
        found = [(match, self._airports[match[0]]) for match in _CODE.finditer(text) if match[0] in self._airports]
        if not found:
            return []
        shouted = sum(map(str.isupper, text)) * 2 > sum(map(str.isalpha, text)) and len(text) > 20
        flying = None if shouted else _FLYING.search(text) is not None
        places: list[int] = []
        here: list[int] = []
        for match, (place, says) in found:
            before, after = text[: match.start()], text[match.end() :]
            route = _ROUTE.search(before) is not None or _ROUTE_AFTER.match(after) is not None
            if says == BARE:
                good = not shouted or route
            elif says == HINT:
                good = bool(flying) and (route or match[0] not in _WORDS)
            else:
                good = (
                    bool(flying) and match[0] not in _COMMON and _between_codes(before, after, match[0], self._airports)
                )
            if good and place not in places:
                places.append(place)
                if _HERE.search(before):
                    here.append(place)
        return here or places


_PAIR_BEFORE = re.compile(r"([A-Z]{3})\s*(?:[-–→>✈/]|to)\s*$")
_PAIR_AFTER = re.compile(r"\s*(?:[-–→>✈/]|to)\s*([A-Z]{3})(?![A-Za-z0-9])")


def _between_codes(before: str, after: str, code: str, airports: Mapping[str, tuple[int, int]]) -> bool:
    """Whether a seldom code stands on a route with a busy one (JFK-ACK), or before the word airport."""
    for pair in (_PAIR_BEFORE.search(before), _PAIR_AFTER.match(after)):
        if pair and pair[1] != code and airports.get(pair[1], (0, 0))[1] in (BARE, HINT):
            return True
    return re.match(r"\s+airport\b", after, re.IGNORECASE) is not None
