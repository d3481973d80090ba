"""What ALERT works with: one close of a window as DETECT saw it, incidents with their revisions, and people's controls.

Times are Unix seconds UTC inside; `Incident.to_json` writes them as ISO 8601 with a Z, the form of `incidents.jsonl`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os.path import commonpath
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

State = Literal["signal", "suspected", "confirmed", "resolved"]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MAX_CHANNELS = 8


class PlaceTree(Protocol):
    """Read access to the place tree; places are dense integers, everywhere and nowhere among them."""

    parent: Ints  # int[n]; -1 at everywhere and at nowhere
    everywhere: int
    nowhere: int

    def id(self, place: int) -> str: ...
    def name(self, place: int) -> str: ...
    def level(self, place: int) -> str: ...  # spot | city | airport | county | region | country | everywhere | nowhere
    def path(self, place: int) -> list[str]: ...  # names from itself up to everywhere
    def coordinates(self, place: int) -> tuple[float, float] | None: ...
    def zone(self, place: int) -> str: ...  # IANA name


class KeywordTree(Protocol):
    """Read access to the keyword tree; keyword 0 is `*`, the root."""

    parent: Ints  # int[n]; -1 at the root

    def id(self, keyword: int) -> str: ...  # slug path: "baggage/lost-bag"
    def name(self, keyword: int) -> str: ...  # for people: "lost bag"
    def problem(self, keyword: int) -> int: ...  # of one that crosses a subject with a problem; -1 of any other
    def team(self, keyword: int) -> str | None: ...
    def runbook_url(self, keyword: int) -> str | None: ...
    def first_question(self, keyword: int) -> str | None: ...


class Evidence(msgspec.Struct, frozen=True):
    """What stands behind one (place, keyword) in one window; nothing here names or identifies a person."""

    terms: tuple[tuple[str, int], ...] = ()  # the strongest terms with their counts
    examples: tuple[str, ...] = ()  # redacted, at most 200 characters
    copies: int = 0  # messages carrying the commonest text
    seconds: tuple[int, ...] = ()  # event seconds of records without an author


class Blind(msgspec.Struct, frozen=True):
    """A source whose silence is not chance: since when (Unix seconds), and how many complaints an hour it usually brings."""

    source: str
    since: float
    usual_per_hour: float
    places: tuple[int, ...] = ()  # leaf places it usually reports from


class MadeEvidence(Mapping[tuple[int, int], Evidence]):
    """Evidence by (place, keyword) that is made when asked for; its examples cost most."""

    @abstractmethod
    def brief(self, key: tuple[int, int]) -> Evidence:
        """The evidence of a cell, examples left out. Raises KeyError."""


class Rising(msgspec.Struct, frozen=True):
    """Terms nobody listens for that rise together at a place, strongest first: (term, people of the last hour, how many are usual)."""

    place: int
    terms: tuple[tuple[str, int, float], ...]
    since: float  # Unix seconds
    p_value: float


class Close(msgspec.Struct, frozen=True):
    """One closed window [start, start + seconds): every series that moved in it or stands in an open incident.

    Arrays have one entry a series, sorted by (place, keyword); places are rolled up, so a parent's row holds its children's voices.
    `decided` is the event time of the decision (window end + lateness).
    """

    start: int
    seconds: int
    decided: float
    place: Ints
    keyword: Ints
    voices: Ints
    messages: Ints
    channels: Ints  # int[m, 8]: voices by channel
    expected: Floats  # voices expected in this window had nothing happened
    upper: Floats
    p_value: Floats  # of the detector: smallest over its window sums, calibrated
    evidence: Mapping[tuple[int, int], Evidence] = {}  # by (place, keyword); made when asked for
    blind: tuple[Blind, ...] = ()
    drill: bool = False
    learning: bool = False  # the baseline is too young for more than signals
    young: frozenset[int] = frozenset()  # keywords of which that is true
    rising: tuple[Rising, ...] = ()
    relearnt: frozenset[tuple[int, int]] = frozenset()  # held, and given a new level: they were steady for days


class Scope(msgspec.Struct, frozen=True):
    """The tightest place that explains an incident."""

    place: str
    name: str
    level: str
    path: tuple[str, ...]
    lat: float | None = None
    lon: float | None = None
    within: tuple[str, ...] = ()  # ids from itself up to everywhere

    @property
    def region(self) -> str:
        """Id of the region it lies in or is, else of the country; its own where it is wider than that."""
        kinds = ("region:", "country:")
        return next((id for kind in kinds for id in self.within if id.startswith(kind)), self.place)


class Part(msgspec.Struct, frozen=True):
    """A place that contributes to an incident."""

    place: str
    name: str
    level: str
    path: tuple[str, ...]
    people: int = 0


class Gate(msgspec.Struct, frozen=True):
    """One gate of the decision, with its figures, as a sentence a person reads: gate "people", text "12 people, 3 needed"."""

    gate: str
    passed: bool
    text: str


class Similar(msgspec.Struct, frozen=True):
    """An earlier incident of the same place and problem, and how it ended."""

    id: str
    title: str
    onset: float
    resolved_at: float
    peak: int
    verdict: str | None = None


class LatePeople(msgspec.Struct, frozen=True):
    """People of an incident who were heard of after their windows had closed."""

    people: int
    since: float  # Unix seconds: start of the earliest of these windows
    until: float  # end of the latest


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an incident."""

    id: str
    revision: int
    state: State
    onset: float
    opened_at: float
    suspected_at: float | None = None
    confirmed_at: float | None = None
    resolved_at: float | None = None
    updated_at: float
    drill: bool = False
    marks: tuple[str, ...] = ()
    scope: Scope
    places: tuple[Part, ...] = ()
    keywords: tuple[str, ...]  # keyword ids
    title: str  # "baggage at JFK Terminal 4"
    people: int
    messages: int
    expected: float
    factor: float
    p_value: float
    trend: Literal["rising", "steady", "falling"] = "steady"
    peak: int = 0  # most people in any hour
    channels: dict[str, int] = {}  # people by channel name
    terms: tuple[tuple[str, int], ...] = ()
    examples: tuple[str, ...] = ()
    why: tuple[Gate, ...] = ()
    reason: str = ""  # why this revision was written: opened, suspected, confirmed, grew, widened, resolved, merged, reopened, late, ack …
    merged_into: str | None = None  # the incident this one turned out to be part of
    acked_by: str | None = None
    assigned_to: str | None = None
    verdict: str | None = None  # real | not_real | known_event
    promoted_to: str | None = None  # the keyword an unnamed incident was made into
    silenced_until: float | None = None
    team: str | None = None  # of the keyword, as are the next two
    runbook_url: str | None = None
    first_question: str | None = None
    unanswered: int = 0  # suspected within the last seven days and called real by nobody, this one counted
    budget_per_week: float = 0.0
    similar: tuple[Similar, ...] = ()  # newest first
    late: LatePeople | None = None  # what this revision corrects, where its reason is late

    def to_json(self) -> dict[str, Any]:
        """The public form: ISO times, plain lists."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        for key in (
            "onset",
            "opened_at",
            "suspected_at",
            "confirmed_at",
            "resolved_at",
            "updated_at",
            "silenced_until",
        ):
            data[key] = None if data[key] is None else iso(data[key])
        for one in data["similar"]:
            one["onset"], one["resolved_at"] = iso(one["onset"]), iso(one["resolved_at"])
        if (late := data["late"]) is not None:
            late["since"], late["until"] = iso(late["since"]), iso(late["until"])
        return data


ControlKind = Literal[
    "ack",
    "assign",
    "snooze",
    "silence",
    "feedback",
    "note",
    "intervention",
    "promote",
    "planned_event",
    "undo",
    "pack",
    "partitions",
]


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A person's act, a record of the log; it takes effect at the first close after `at`."""

    id: str
    kind: ControlKind
    at: float
    author: str
    reason: str = ""
    incident: str | None = None
    places: tuple[str, ...] = ()  # matchers of a silence or planned event: place ids (what lies in them too)
    keywords: tuple[str, ...] = ()  # of a promotion: the one new keyword
    until: float | None = None
    start: float | None = None
    value: str | None = (
        None  # feedback verdict, assignee, text of a note, id undone, phrases of a promotion (one a line)
    )
    label: str = ""  # what people call the keyword of a promotion
    factor: float | None = None  # planned event: expected voices are multiplied by this
    via: str = ""  # how it came in: page, api, cli, config; "" where it is not known


def shared_keyword(keywords: Sequence[str]) -> str:
    """The tightest keyword that holds all of `keywords` (slug paths); `*` when only the root does."""
    return commonpath(keywords) or "*"


def iso(seconds: float) -> str:
    """Unix seconds as ISO 8601 UTC ending in Z, to the millisecond where there is one."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="seconds" if at.microsecond < 500 else "milliseconds").replace("+00:00", "Z")
