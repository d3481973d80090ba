"""Made-up days for the page: calm, storm, blind, learning, red. Counts, places and words are invented."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerting.model import Control, Gate, Incident, Part, Scope

NOW = 1_771_850_580.0  # Monday 2026-02-23 12:43 UTC, 07:43 in New York
HOUR, DAY = 3600.0, 86400.0
PLACES = [
    ("everywhere", "everywhere", "everywhere", None, None),
    ("nowhere", "no place", "nowhere", None, None),
    ("country:US", "United States", "country", "everywhere", (39.8, -98.6)),
    ("region:US-NY", "New York", "region", "country:US", (42.9, -75.5)),
    ("region:US-NJ", "New Jersey", "region", "country:US", (40.1, -74.7)),
    ("region:US-MA", "Massachusetts", "region", "country:US", (42.3, -71.8)),
    ("region:US-TX", "Texas", "region", "country:US", (31.5, -99.3)),
    ("region:US-IL", "Illinois", "region", "country:US", (40.0, -89.2)),
    ("region:US-CA", "California", "region", "country:US", (37.2, -119.3)),
    ("region:US-GA", "Georgia", "region", "country:US", (32.6, -83.4)),
    ("region:US-CO", "Colorado", "region", "country:US", (39.0, -105.5)),
    ("region:US-WA", "Washington", "region", "country:US", (47.4, -120.5)),
    ("region:US-FL", "Florida", "region", "country:US", (28.6, -82.4)),
    ("airport:JFK", "JFK", "airport", "region:US-NY", (40.64, -73.78)),
    ("spot:jfk-t4", "JFK Terminal 4", "spot", "airport:JFK", (40.645, -73.782)),
    ("airport:LGA", "LaGuardia", "airport", "region:US-NY", (40.78, -73.87)),
    ("airport:EWR", "Newark", "airport", "region:US-NJ", (40.69, -74.17)),
    ("airport:BOS", "Boston Logan", "airport", "region:US-MA", (42.36, -71.01)),
    ("airport:DFW", "Dallas/Fort Worth", "airport", "region:US-TX", (32.9, -97.04)),
    ("airport:ORD", "Chicago O'Hare", "airport", "region:US-IL", (41.98, -87.9)),
    ("airport:LAX", "Los Angeles", "airport", "region:US-CA", (33.94, -118.4)),
    ("airport:ATL", "Atlanta", "airport", "region:US-GA", (33.64, -84.43)),
    ("airport:DEN", "Denver", "airport", "region:US-CO", (39.86, -104.67)),
    ("airport:SEA", "Seattle", "airport", "region:US-WA", (47.45, -122.3)),
    ("airport:MIA", "Miami", "airport", "region:US-FL", (25.8, -80.28)),
]
KEYWORDS = [
    ("*", "any problem", None),
    ("cancellation", "cancellations", "*"),
    ("delay", "delays", "*"),
    ("baggage", "baggage", "*"),
    ("baggage/lost-bag", "lost bags", "baggage"),
    ("baggage/slow-belt", "slow belts", "baggage"),
    ("app", "app login", "*"),
    ("staff", "staff", "*"),
    ("security", "security queue", "*"),
    ("seat", "seats", "*"),
]
RATES = {"cancellation": 0.5, "delay": 2.6, "baggage": 1.1, "app": 0.35, "staff": 1.3, "security": 0.7, "seat": 0.5}
SIZES = {
    "airport:JFK": 1.5, "airport:LGA": 1.0, "airport:EWR": 1.1, "airport:BOS": 0.9, "airport:DFW": 1.7, "airport:ORD": 1.9,
    "airport:LAX": 1.6, "airport:ATL": 1.8, "airport:DEN": 1.2, "airport:SEA": 0.7, "airport:MIA": 0.8,
}  # fmt: skip


class Places:
    """The few places above, as `alerting.model.PlaceTree`."""

    def __init__(self) -> None:
        self._ids = [p[0] for p in PLACES]
        self.parent = np.array([self._ids.index(p[3]) if p[3] else -1 for p in PLACES], dtype=np.int64)
        self.everywhere, self.nowhere = 0, 1

    def id(self, place: int) -> str:
        return PLACES[place][0]

    def name(self, place: int) -> str:
        return PLACES[place][1]

    def level(self, place: int) -> str:
        return PLACES[place][2]

    def path(self, place: int) -> list[str]:
        path = []
        while place >= 0:
            path.append(self.name(place))
            place = int(self.parent[place])
        return path

    def coordinates(self, place: int) -> tuple[float, float] | None:
        return PLACES[place][4]

    def zone(self, place: int) -> str:
        return "America/New_York"


class Keywords:
    """The few problems above, as `alerting.model.KeywordTree`."""

    def __init__(self) -> None:
        self._ids = [k[0] for k in KEYWORDS]
        self.parent = np.array([self._ids.index(k[2]) if k[2] else -1 for k in KEYWORDS], dtype=np.int64)

    def id(self, keyword: int) -> str:
        return KEYWORDS[keyword][0]

    def name(self, keyword: int) -> str:
        return KEYWORDS[keyword][1]

    def team(self, keyword: int) -> str | None:
        return "ramp control" if self.id(keyword) == "baggage" else None

    def runbook_url(self, keyword: int) -> str | None:
        return "https://runbooks.example/baggage" if self.id(keyword) == "baggage" else None

    def first_question(self, keyword: int) -> str | None:
        return "Which belts stand still?" if self.id(keyword) == "baggage" else None


@dataclass(frozen=True)
class Cell:
    start: int
    seconds: int
    place: str
    keyword: str
    voices: int
    messages: int
    expected: float
    upper: float
    p_value: float


@dataclass(frozen=True)
class Source:
    source: str
    channel: str
    last_event: float | None
    last_arrival: float | None
    records: int
    dead_letters: int
    usual_per_hour: float
    blind_since: float | None = None
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    last_close: float | None = NOW - 20
    watermark: float | None = NOW - 60
    learning_until: float | None = None
    budget_per_week: float = 3.0
    budget_spent: float = 1.0
    people_last_hour: int = 1204
    usual_last_hour: float = 1190.0
    disk_full: bool = False
    red: str | None = None


def tail(count: int, mean: float) -> float:
    """Chance of `count` or more for a Poisson mean."""
    term, below = math.exp(-mean), 0.0
    for k in range(count):
        below += term
        term *= mean / (k + 1)
    return max(1e-15, 1 - below)


def cell(start: float, seconds: float, place: str, keyword: str, voices: int, expected: float) -> Cell:
    upper = expected + 2.6 * math.sqrt(expected) + 1
    p = tail(voices, expected)
    return Cell(int(start), int(seconds), place, keyword, voices, round(voices * 1.3), expected, upper, p)


@dataclass
class Day:
    """A reader over invented numbers; `surges` are (place, keyword, onset, end, people an hour)."""

    incidents_: list[list[Incident]] = field(default_factory=list)
    surges: list[tuple[str, str, float, float, float]] = field(default_factory=list)
    sources_: list[Source] = field(default_factory=list)
    status_: Status = field(default_factory=Status)
    controls_: list[Control] = field(default_factory=list)
    broken: bool = False

    def _rate(self, place: str, keyword: str) -> float:
        near = [p for p in SIZES if p == place or place in self._above(p)] if place not in SIZES else [place]
        size = 0.3 if place == "spot:jfk-t4" else sum(SIZES[p] for p in near)
        if keyword == "*":
            return size * sum(RATES.values())
        return size * RATES.get(keyword.split("/")[0], 0.2) * (0.5 if "/" in keyword else 1.0)

    def _above(self, place: str) -> list[str]:
        parents = {p[0]: p[3] for p in PLACES}
        found, above = [], parents[place]
        while above:
            found.append(above)
            above = parents[above]
        return found

    def _extra(self, place: str, keyword: str, at: float) -> float:
        return sum(
            rate * min(1.0, 0.35 + (at - onset) / 2400)
            for where, what, onset, end, rate in self.surges
            if onset <= at < end and (place == where or place in self._above(where)) and keyword in (what, "*")
        )

    def series(self, place_id: str, keyword_id: str, since: float, until: float) -> list[Cell]:
        width = 300 if until - since <= 2 * DAY else 3600
        chance = random.Random(f"{place_id}{keyword_id}{int(since // DAY)}")
        found = []
        for start in range(int(since // width) * width, int(until), width):
            rhythm = 0.25 + 0.75 * (1 + math.sin((start % DAY) / DAY * 2 * math.pi - 1.2)) / 1.6
            expected = self._rate(place_id, keyword_id) * rhythm * width / HOUR
            mean = expected + self._extra(place_id, keyword_id, start) * width / HOUR
            count, level = 0, chance.random()
            while level > 1 - tail(count + 1, mean) and count < 500:
                count += 1
            found.append(cell(start, width, place_id, keyword_id, count, expected))
        return found

    def matrix(self, since: float, until: float, *, level: str | None = None) -> list[Cell]:
        chance, found = random.Random(7), []
        for place in PLACES:
            if level not in (None, place[2]) or place[0] == "nowhere":
                continue
            for keyword, _, _ in KEYWORDS:
                expected = self._rate(place[0], keyword)
                extra = (
                    sum(self._extra(place[0], keyword, since + (until - since) * (i + 0.5) / 12) for i in range(12))
                    / 12
                )
                voices = max(0, round(expected + chance.gauss(0, 0.75) * math.sqrt(expected) + extra))
                if voices:
                    found.append(cell(since, until - since, place[0], keyword, voices, expected))
        return found

    def incidents(self, *, states: Any = None, since: float | None = None, until: float | None = None, place: str | None = None,
                  keyword: str | None = None, at: float | None = None, limit: int = 500) -> list[Incident]:  # fmt: skip
        if self.broken:
            raise OSError("disk I/O error")
        newest = [r[-1] for r in self.incidents_]
        return [
            i
            for i in newest
            if (states is None or i.state in states)
            and (since is None or i.updated_at >= since)
            and (until is None or i.onset < until)
            and (place is None or place == i.scope.place or place in (p.place for p in i.places))
            and (keyword is None or keyword in i.keywords)
            and (at is None or i.opened_at <= at < (i.resolved_at or math.inf))
        ][:limit]

    def incident(self, id: str) -> list[Incident]:
        return next((r for r in self.incidents_ if r[0].id == id), [])

    def sources(self, now: float) -> list[Source]:
        return self.sources_

    def controls(self, incident: str | None = None, since: float | None = None) -> list[Control]:
        return [c for c in self.controls_ if incident in (None, c.incident) and (since is None or c.at >= since)]

    def status(self, now: float) -> Status:
        if self.broken:
            raise OSError("disk I/O error")
        return self.status_

    def dead_letters(self, since: float) -> list[tuple[str, str, int]]:
        return []


def sources(blind: bool = False) -> list[Source]:
    names = [
        ("tweets", "tweets", 610.0),
        ("tickets", "tickets", 240.0),
        ("reviews", "reviews", 55.0),
        ("call notes", "calls", 40.0),
    ]
    last = {"call notes": NOW - 1560 if blind else NOW - 95}
    return [
        Source(name, channel, last.get(name, NOW - 3), NOW - 2, 90_000, 12, rate,
               NOW - 1560 if blind and name == "call notes" else None,
               ("region:US-TX", "airport:DFW") if blind and name == "call notes" else ())
        for name, channel, rate in names
    ]  # fmt: skip


def incident(
    id: str, state: Any, place: str, keyword: str, people: int, expected: float, minutes: float, **more: Any
) -> Incident:
    """An incident whose onset lies so many minutes before NOW."""
    tree = Places()
    index = [p[0] for p in PLACES].index(place)
    at = tree.coordinates(index)
    onset = NOW - minutes * 60
    times: dict[str, Any] = {"onset": onset, "opened_at": onset + 120, "updated_at": NOW - 20}
    if state != "signal":
        times["suspected_at"] = onset + 300
    if state in ("confirmed", "resolved"):
        times["confirmed_at"] = onset + 780
    scope = Scope(place, tree.name(index), tree.level(index), tuple(tree.path(index)), *(at or (None, None)))
    named = {k[0]: k[1] for k in KEYWORDS}[keyword]
    base: dict[str, Any] = {
        "id": id, "revision": 1, "state": state, "scope": scope, "keywords": (keyword,), "people": people,
        "messages": round(people * 1.4), "expected": expected, "factor": people / expected, "p_value": tail(people, expected) ,
        "title": f"{named} at {tree.name(index)}", "trend": "rising", "channels": {"tweets": people}, "reason": state,
    }  # fmt: skip
    return Incident(**{**base, **times, **more})


def part(place: str, people: int) -> Part:
    tree = Places()
    index = [p[0] for p in PLACES].index(place)
    return Part(place, tree.name(index), tree.level(index), tuple(tree.path(index)), people)


WHY = (
    Gate("people", True, "41 people, 5 needed"),
    Gate("chance", True, "1 in 40 million by chance, the cut for 3 pages a week is 1 in 90,000"),
    Gate("channels", True, "tweets and tickets agree; two channels confirm sooner"),
    Gate("voices", True, "no author wrote more than 3 % of it, no text was copied more than twice"),
    Gate("duration", True, "unusual in 8 windows running, 3 needed"),
)


def revisions(last: Incident) -> list[Incident]:
    """How it came to be: opened, suspected, confirmed, grew."""
    import msgspec

    steps = [("opened", "signal", 0.1, 120), ("suspected", "suspected", 0.2, 300), ("confirmed", "confirmed", 0.5, 780)]
    steps = steps[: {"signal": 1, "suspected": 2}.get(last.state, 3)]
    made = []
    for n, (reason, state, share, after) in enumerate(steps, 1):
        made.append(
            msgspec.structs.replace(
                last, revision=n, reason=reason, state=state, people=max(3, round(last.people * share)),
                updated_at=last.onset + after, resolved_at=None,
            )
        )  # fmt: skip
    end = "resolved" if last.state == "resolved" else "grew"
    return [*made, msgspec.structs.replace(last, revision=len(made) + 1, reason=end)]


def calm() -> Day:
    ended = incident(
        "c0ffee01", "resolved", "airport:SEA", "delay", 19, 2.0, 300, resolved_at=NOW - 200 * 60, trend="falling"
    )
    return Day(incidents_=[revisions(ended)], sources_=sources(), status_=Status(budget_spent=0.0))


def storm() -> Day:
    jfk = incident(
        "a1b2c3d4", "confirmed", "spot:jfk-t4", "baggage", 41, 2.9, 40, channels={"tweets": 29, "tickets": 12}, why=WHY,
        terms=(("belt 3", 14), ("carousel", 11), ("no announcement", 6), ("standing", 5)), messages=58,
        examples=(
            "[user] stuck 50 min at belt 3, nobody here to tell us anything",
            "Carousel stopped twice already. T4 is chaos, families sitting on the floor",
            "our bags went round once, then the belt died. no announcement for half an hour [link]",
        ),
    )  # fmt: skip
    north = incident(
        "b2c3d4e5", "confirmed", "country:US", "cancellation", 212, 13.0, 93, trend="steady",
        channels={"tweets": 131, "tickets": 58, "reviews": 23}, acked_by="anna", why=WHY,
        places=(part("airport:ORD", 71), part("airport:BOS", 48), part("airport:EWR", 41), part("airport:LGA", 33),
                part("airport:JFK", 12), part("airport:DEN", 7)),
    )  # fmt: skip
    boston = incident("b2c3d4e6", "suspected", "airport:BOS", "cancellation", 48, 3.0, 80, trend="steady")
    dfw = incident("d4e5f6a7", "suspected", "airport:DFW", "app", 9, 0.7, 12)
    signals = [
        incident("e5f6a7b8", "signal", "airport:MIA", "security", 6, 1.1, 9),
        incident("e5f6a7b9", "signal", "airport:ATL", "staff", 9, 2.9, 18),
        incident("e5f6a7c1", "signal", "airport:LAX", "delay", 40, 6.0, 25, marks=("batch_entry",)),
    ]
    before = [
        incident("0ld00001", "resolved", "spot:jfk-t4", "baggage", 63, 3.0, 4 * 7 * 1440, resolved_at=NOW - 4 * 7 * DAY + 7000,
                 verdict="real", trend="falling"),
        incident("0ld00002", "resolved", "airport:SEA", "delay", 19, 2.0, 300, resolved_at=NOW - 200 * 60, trend="falling"),
    ]  # fmt: skip
    surges = [
        ("spot:jfk-t4", "baggage", NOW - 2400, math.inf, 60.0), ("airport:DFW", "app", NOW - 720, math.inf, 40.0),
        *((p, "cancellation", NOW - 5580, math.inf, r) for p, r in
          [("airport:ORD", 60.0), ("airport:BOS", 40.0), ("airport:EWR", 35.0), ("airport:LGA", 28.0), ("airport:JFK", 9.0)]),
        ("airport:MIA", "security", NOW - 540, math.inf, 22.0), ("airport:DEN", "seat", NOW - 1800, math.inf, 5.0),
    ]  # fmt: skip
    note = Control(
        id="n1",
        kind="note",
        at=NOW - 900,
        author="anna",
        incident="a1b2c3d4",
        value="Hall called: belt 3 has no power.",
    )
    return Day(
        incidents_=[revisions(i) for i in (jfk, north, boston, dfw, *signals, *before)],
        surges=surges,
        sources_=sources(),
        status_=Status(people_last_hour=1791),
        controls_=[note],
    )


def blind() -> Day:
    return Day(sources_=sources(blind=True), status_=Status(budget_spent=0.0, people_last_hour=1150))


def learning() -> Day:
    return Day(sources_=sources(), status_=Status(learning_until=NOW + 9 * DAY, usual_last_hour=0.0, budget_spent=0.0))


def red() -> Day:
    return Day(sources_=sources(), status_=Status(disk_full=True, last_close=NOW - 1200))


DAYS = {"calm": calm, "storm": storm, "blind": blind, "learning": learning, "red": red}
