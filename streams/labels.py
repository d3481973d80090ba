"""Labels: disruptions that a source independent of the complaints states, with what it says of time and place."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import msgspec

from streams.label_names import heads, listed, plain

HOUR = 3600.0
OPEN_END_SECONDS = 36 * HOUR

Kind = Literal["city", "region", "no_place"]
KINDS: tuple[Kind, ...] = ("city", "region", "no_place")


class Label(msgspec.Struct, frozen=True, dict=True):
    """A disruption that an independent source states. Times are ISO 8601."""

    start: str
    where: str = ""
    what: str = ""
    end: str | None = None
    kind: str = ""
    state: str | None = None
    cities: tuple[str, ...] | None = None

    @cached_property
    def begins(self) -> float:
        """Unix seconds."""
        return _unix(self.start)

    @cached_property
    def ends(self) -> float:
        """Unix seconds; the last moment at which an incident may still answer."""
        stated = self.begins + OPEN_END_SECONDS if self.end is None else _unix(self.end)
        return max(stated, self.begins + OPEN_END_SECONDS)

    @cached_property
    def precision(self) -> Kind:
        """How exactly the label says where."""
        return "city" if self.cities else "region" if listed(f"{self.where};{self.state or ''}") else "no_place"

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Names of the label's places."""
        return heads(self.cities) if self.cities else listed(f"{self.where};{self.state or ''}")

    @cached_property
    def above(self) -> frozenset[str]:
        """Names of what contains the label's places: its state, and what `where` names before a colon."""
        return listed(self.state) | ({plain(self.where.split(":")[0])} if ":" in self.where else frozenset())

    @property
    def said_end(self) -> float | None:
        """The stated end in Unix seconds."""
        return None if self.end is None else _unix(self.end)


def read_labels(data: bytes) -> list[Label]:
    """Labels of a JSON list. Raises ValueError naming the field that is wrong."""
    labels = msgspec.json.decode(data, type=list[Label])
    for number, label in enumerate(labels):
        for name in ("start", "end"):
            try:
                _unix(getattr(label, name) or label.start)
            except ValueError:
                raise ValueError(f"label {number}, `{name}`: {getattr(label, name)!r} is not ISO 8601") from None
    return labels


def _unix(text: str) -> float:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
