"""Made-up days for the page: calm, storm, blind, learning, red. Counts, places and words are invented."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.special import pdtrc

from alerting.model import Blind, Control, Gate, Incident, Part, Scope
from alerting.policy import Policy
from dashboards.acts import Acts
from dashboards.catalogue import Catalogue
from dashboards.live import Live
from dashboards.settings import PageSettings
from dashboards.site import Site
from streams.closed import Cells
from streams.part import SourceCount
from streams.promotion import PromotionError
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Health, Reader
from streams.runtime.store.writer import Work, Writer

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

    def problem(self, keyword: int) -> int:
        return -1

    def first_question(self, keyword: int) -> str | None:
        return "Which belts stand still?" if self.id(keyword) == "baggage" else None


LEAVES = [*SIZES, "spot:jfk-t4"]
TOP = list(RATES)
WINDOW = 300
CUT = 1e-5
USUAL_PER_HOUR = {"tweets": 610.0, "tickets": 240.0, "reviews": 55.0, "call notes": 40.0}
CHANNEL = {"tweets": "posts", "tickets": "tickets", "reviews": "web", "call notes": "calls"}


@dataclass
class Day:
    """One day and the same hours a week earlier. `surges` are (place, keyword, onset, people an hour) at leaf places."""

    incidents: list[list[Incident]] = field(default_factory=list)
    surges: list[tuple[str, str, float, float]] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    blind: tuple[Blind, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    def store(self, path: Path) -> Reader:
        """Writes the day into a store at `path` as the service would, and opens it for reading."""
        engine = open_store(f"sqlite:///{path}")
        before, today = NOW - 7 * DAY, NOW - 27 * HOUR
        work = Work(
            incidents=[revision for revisions in self.incidents for revision in revisions],
            cells=[*_cells(before - 27 * HOUR, before + HOUR, []), *_cells(today, NOW, self.surges, "learning_until" in self.meta)],
            sources={name: _source(name, self.blind) for name in USUAL_PER_HOUR},
            usual_per_hour=USUAL_PER_HOUR,
            blind=self.blind,
            controls=self.controls,
            arrival=NOW - 2,
            meta={"last_close": NOW - 20, "watermark": NOW - 60, "budget_per_week": 3.0, "budget_spent": 0.0,
                  "window_seconds": WINDOW, **self.meta},
        )  # fmt: skip
        Writer(engine, Places(), Keywords(), lambda name: CHANNEL[name], cell_days=90).commit(work)
        return Reader(engine, self.health)


def _source(name: str, blind: tuple[Blind, ...]) -> SourceCount:
    silent = {b.source: b.since for b in blind}
    return SourceCount(records=90_000, newest=silent.get(name, NOW - 3))


def _cells(since: float, until: float, surges: Any, learning: bool = False) -> list[Cells]:
    return [_window(start, surges, learning) for start in range(int(since) // WINDOW * WINDOW, int(until), WINDOW)]


def _window(start: int, surges: Any, learning: bool) -> Cells:
    """People of one window at the leaf places, added up both trees."""
    chance = np.random.default_rng(start)
    counts = np.zeros((len(PLACES), len(KEYWORDS)))
    expected = np.zeros_like(counts)
    rhythm = 0.25 + 0.75 * (1 + math.sin((start % DAY) / DAY * 2 * math.pi - 1.9)) / 1.6
    for leaf in LEAVES:
        places = _up([(p[0], p[3]) for p in PLACES], leaf)
        for top in TOP:
            usual = SIZES.get(leaf, 0.3) * RATES[top] * rhythm * WINDOW / HOUR
            extra = sum(
                rate * min(1.0, 0.4 + (start - onset) / 2400) * WINDOW / HOUR
                for where, what, onset, rate in surges
                if (where, what) == (leaf, top) and start >= onset - WINDOW
            )
            words = _up([(k[0], k[2]) for k in KEYWORDS], "baggage/slow-belt" if top == "baggage" else top)
            counts[np.ix_(places, words)] += chance.poisson(usual + extra)
            expected[np.ix_(places, words)] += usual
    place, keyword = np.nonzero(counts)
    mean, voices = expected[place, keyword], counts[place, keyword].astype(np.int64)
    p = np.maximum(pdtrc(voices - 1, mean), 1e-15)
    upper = mean + 2.4 * np.sqrt(mean) + 0.8
    messages, held = (voices * 1.3).astype(np.int64), np.zeros(len(voices), bool)
    return Cells(start, WINDOW, place, keyword, voices, messages, mean, upper, p, held, CUT, learning)


def _up(tree: list[tuple[str, str | None]], id: str | None) -> list[int]:
    parents, found = dict(tree), []
    while id is not None:
        found.append(list(parents).index(id))
        id = parents[id]
    return found


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
        "messages": round(people * 1.4), "expected": expected, "factor": people / expected, "p_value": max(1e-15, float(pdtrc(people - 1, expected))),
        "title": f"{named} at {tree.name(index)}", "trend": "rising", "channels": {"posts": people}, "reason": state,
    }  # fmt: skip
    return Incident(**{**base, **times, **more})


def part(place: str, people: int) -> Part:
    tree = Places()
    index = [p[0] for p in PLACES].index(place)
    return Part(place, tree.name(index), tree.level(index), tuple(tree.path(index)), people)


WHY = (
    Gate("people", True, "41 people, 5 needed"),
    Gate("chance", True, "1 in 40 million by chance, the cut for 3 pages a week is 1 in 90,000"),
    Gate("channels", True, "posts and tickets agree; two channels confirm sooner"),
    Gate("voices", True, "no author wrote more than 3 % of it, no text was copied more than twice"),
    Gate("duration", True, "unusual in 8 windows running, 3 needed"),
)


def revisions(last: Incident) -> list[Incident]:
    """How it came to be: opened, suspected, confirmed, grew."""
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
    yesterday = incident(
        "0dd00001", "resolved", "airport:JFK", "*", 7, 0.2, 1320, resolved_at=NOW - 1200 * 60, trend="falling",
        marks=("unnamed",), title="kiosk frozen at JFK", terms=(("kiosk frozen", 6), ("gate shut", 4), ("café", 3)),
        channels={}, why=(Gate("words", True, "6 people wrote “kiosk frozen” in the last hour, usually 0.2"),),
    )  # fmt: skip
    return Day(incidents=[revisions(ended), revisions(yesterday)])


def storm() -> Day:
    jfk = incident(
        "a1b2c3d4", "confirmed", "spot:jfk-t4", "baggage", 41, 1.3, 40, channels={"posts": 29, "tickets": 12}, why=WHY,
        terms=(("belt 3", 14), ("carousel", 11), ("no announcement", 6), ("standing", 5)), messages=58,
        examples=(
            "[user] stuck 50 min at belt 3, nobody here to tell us anything",
            "Carousel stopped twice already. T4 is chaos, families sitting on the floor",
            "our bags went round once, then the belt died. no announcement for half an hour [link]",
        ),
    )  # fmt: skip
    north = incident(
        "b2c3d4e5", "confirmed", "country:US", "cancellation", 212, 13.0, 93, trend="steady",
        channels={"posts": 131, "tickets": 58, "web": 23}, acked_by="anna", why=WHY,
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
        incident("0ld00001", "resolved", "spot:jfk-t4", "baggage", 63, 3.0, 4 * 7 * 1440, resolved_at=NOW - 28 * DAY + 7000,
                 verdict="real", trend="falling"),
        incident("0ld00002", "resolved", "airport:SEA", "delay", 19, 2.0, 300, resolved_at=NOW - 200 * 60, trend="falling"),
    ]  # fmt: skip
    surges = [
        ("spot:jfk-t4", "baggage", NOW - 2400, 60.0), ("airport:DFW", "app", NOW - 720, 40.0),
        *((p, "cancellation", NOW - 5580, r) for p, r in
          [("airport:ORD", 60.0), ("airport:BOS", 40.0), ("airport:EWR", 35.0), ("airport:LGA", 28.0), ("airport:JFK", 9.0)]),
        ("airport:MIA", "security", NOW - 540, 22.0), ("airport:SEA", "seat", NOW - 2400, 7.0),
    ]  # fmt: skip
    said = "Hall called: belt 3 has no power."
    acted = Control(
        id="n2", kind="intervention", at=NOW - 600, author="anna", incident="a1b2c3d4", value="Moved bags to belt 5."
    )
    note = Control(id="n1", kind="note", at=NOW - 900, author="anna", incident="a1b2c3d4", value=said)
    new = [{"word": "belt 3", "people": 14, "expected": 0.1, "since": NOW - 2200},
           {"word": "kiosk frozen", "people": 6, "expected": 0.2, "since": NOW - 900, "place": "airport:JFK"}]  # fmt: skip
    everything = [revisions(i) for i in (jfk, north, boston, dfw, *signals, *before)]
    return Day(
        incidents=everything, surges=surges, controls=[note, acted], meta={"budget_spent": 1.0, "new_words": new}
    )


def blind() -> Day:
    ids = [p[0] for p in PLACES]
    places = (ids.index("airport:DFW"), ids.index("region:US-TX"))
    return Day(blind=(Blind("call notes", NOW - 1560, 40.0, places),))


def learning() -> Day:
    return Day(meta={"learning_until": NOW + 9 * DAY})


def red() -> Day:
    return Day(meta={"last_close": NOW - 1900}, health=Health(disk_full=True))


DAYS = {"calm": calm, "storm": storm, "blind": blind, "learning": learning, "red": red}


class Log:
    """A log that keeps what is appended, or refuses it."""

    def __init__(self) -> None:
        self.controls: list[Control] = []
        self.full = False
        self.refused: str | None = None

    async def append(self, control: Control) -> None:
        if self.refused is not None:
            raise PromotionError(self.refused)
        if self.full:
            raise OSError(28, "No space left on device")
        self.controls.append(control)


def site(reader: Reader, log: Log, settings: PageSettings | None = None) -> Site:
    """Everything pages and API stand on, at NOW."""
    used = settings or PageSettings(timezone="America/New_York")
    acts = Acts(log.append, lambda: NOW, replay=lambda keyword: f"overheard replay … {keyword}")
    live = Live(reader, acts, lambda: NOW, used.timezone, used.refresh_seconds)
    return Site(reader, live, acts, Catalogue(Places(), Keywords()), used, Policy(window_seconds=WINDOW))
