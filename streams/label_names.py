"""Place names of disruption labels and of incidents in comparable form: whole names, without words that only narrow or widen them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_SIDES = r"(?:north|south)(?:east|west)(?:ern)?|(?:north|south|east|west)ern"
_NARROWING = re.compile(rf"\b(?:the|greater|central|counties|county|metro|area|{_SIDES}|worst in|[nsew])\b")
_PUNCTUATION = re.compile(r"[^\w\s]+")
_LIST = re.compile(r"[,;:()/]|\band\b")
SAYS_NOTHING = frozenset({"us", "usa", "united states", "united states of america", "unknown", ""})
ALL_OR_NONE = frozenset({"everywhere", "world", "nowhere"})


def plain(text: str) -> str:
    """One name without accents, punctuation, and words such as "Greater" or "County"."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return " ".join(_NARROWING.sub(" ", _PUNCTUATION.sub(" ", letters)).split())


def head(name: str) -> str:
    """The name itself, without what follows a comma: "Boston, Massachusetts" is "boston"."""
    return plain(name.split(",")[0])


def heads(names: Iterable[str]) -> frozenset[str]:
    """Heads of several names; countries we never tell apart are left out."""
    return frozenset(head(name) for name in names) - SAYS_NOTHING


def listed(text: str | None) -> frozenset[str]:
    """The names in a label's free text: "Texas: Harris County, Dallas County" gives three."""
    return frozenset(plain(part) for part in _LIST.split(text or "")) - SAYS_NOTHING


def comma_separated(name: str) -> frozenset[str]:
    """Each part of "Boston, Massachusetts" as a name, and the whole as one."""
    return (frozenset(plain(part) for part in name.split(",")) - SAYS_NOTHING) | {plain(name)}
