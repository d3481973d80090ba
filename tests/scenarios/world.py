"""A small world for scenarios: two real trees, known rates, disruptions; closes with exact Poisson p-values come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy import special

from alerting.alerts import Alerts
from alerting.message import Action
from alerting.model import MAX_CHANNELS, Blind, Close, Control, Evidence, Incident
from alerting.policy import Policy
from alerting.routing import Route, plan

MONDAY = 1_704_067_200  # 2024-01-01 00:00 UTC
CHAT, PAGER = Route(channels=("chat",)), Route(channels=("pager",), tier="confirmed")
CHANNELS = ("posts", "calls", "tickets", "reports", "app", "email", "web", "other")
SUM_SECONDS = (60, 300, 900, 3600, 7200)


class Places:
    """`PlaceTree` from lines "id name level lat lon", indented under their parent."""

    def __init__(self, lines: Iterable[tuple[str, str, str, str | None, tuple[float, float] | None]]) -> None:
        self.rows = [
            ("everywhere", "everywhere", "everywhere", None, None),
            ("nowhere", "nowhere", "nowhere", None, None),
            *lines,
        ]
        self.index = {row[0]: number for number, row in enumerate(self.rows)}
        self.parent = np.array([-1 if row[3] is None else self.index[row[3]] for row in self.rows], np.int64)
        self.everywhere, self.nowhere = 0, 1

    def id(self, place: int) -> str:
        return self.rows[place][0]

    def name(self, place: int) -> str:
        return self.rows[place][1]

    def level(self, place: int) -> str:
        return self.rows[place][2]

    def path(self, place: int) -> list[str]:
        return [self.name(place), *(self.path(int(self.parent[place])) if self.parent[place] >= 0 else [])]

    def coordinates(self, place: int) -> tuple[float, float] | None:
        return self.rows[place][4]

    def zone(self, place: int) -> str:
        return "UTC"


class Keywords:
    """`KeywordTree` from slug paths."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = ["*", *paths]
        self.index = {path: number for number, path in enumerate(self.paths)}
        above = ["" if "/" not in path else path.rsplit("/", 1)[0] for path in self.paths]
        self.parent = np.array([-1, *(self.index.get(path, 0) for path in above[1:])], np.int64)

    def id(self, keyword: int) -> str:
        return self.paths[keyword]

    def name(self, keyword: int) -> str:
        return self.paths[keyword].rsplit("/", 1)[-1].replace("-", " ")

    def team(self, keyword: int) -> str | None:
        return None

    def runbook_url(self, keyword: int) -> str | None:
        return None

    def problem(self, keyword: int) -> int:
        return -1

    def first_question(self, keyword: int) -> str | None:
        return None


AIRPORTS = Places(
    [
        ("country:US", "United States", "country", "everywhere", (39.0, -98.0)),
        ("region:NY", "New York State", "region", "country:US", (43.0, -75.0)),
        ("city:NYC", "New York", "city", "region:NY", (40.7, -74.0)),
        ("airport:JFK", "JFK", "airport", "city:NYC", (40.6, -73.8)),
        *((f"spot:T{n}", f"JFK Terminal {n}", "spot", "airport:JFK", (40.64, -73.78)) for n in range(1, 7)),
        ("region:TX", "Texas", "region", "country:US", (31.0, -99.0)),
        ("city:DAL", "Dallas", "city", "region:TX", (32.8, -96.8)),
        ("airport:DFW", "DFW", "airport", "city:DAL", (32.9, -97.0)),
        ("city:ELP", "El Paso", "city", "region:TX", (31.8, -106.4)),
        *((f"city:TX{n}", f"Texas town {n}", "city", "region:TX", (28.0 + n, -100.0)) for n in range(6)),
        *(
            (f"region:R{n}", f"State {n}", "region", "country:US", (33.0 + 2 * (n % 8), -120.0 + 6 * (n // 2)))
            for n in range(16)
        ),
    ]
)
PROBLEMS = Keywords(
    [
        "baggage",
        *(f"baggage/{leaf}" for leaf in ("belt", "lost-bag", "waiting", "damaged", "carousel", "no-staff")),
        "app",
        "app/login",
        "app/crash",
        "delay",
        "delay/cancelled",
        "delay/late",
    ]
)


class Trouble(NamedTuple):
    """Extra people a minute at a place with a keyword, from minute to minute; `channel`, and messages a person."""

    place: str
    keyword: str
    begin: float
    end: float
    per_minute: float
    channel: int = 0
    messages: int = 1


class World:
    """`rate`: usual people an hour per leaf place and leaf keyword. Runs ALERT over closes of `window_seconds`."""

    def __init__(
        self,
        *troubles: Trouble,
        places: Places = AIRPORTS,
        keywords: Keywords = PROBLEMS,
        window_seconds: int = 60,
        budget_per_week: float = 3.0,
        rate: float = 0.02,
        seed: int = 1,
    ) -> None:
        self.places, self.keywords, self.window = places, keywords, window_seconds
        self.troubles, self.rng = troubles, np.random.default_rng(seed)
        self.alerts = Alerts(
            Policy(window_seconds=window_seconds, budget_per_week=budget_per_week), places, keywords, CHANNELS
        )
        self.above = [self._lines(tree.parent) for tree in (places, keywords)]
        leaf_places = ~np.isin(np.arange(len(places.parent)), places.parent) | (np.arange(len(places.parent)) == 1)
        leaf_places[0] = False
        leaf_words = ~np.isin(np.arange(len(keywords.parent)), keywords.parent)
        self.usual = np.outer(leaf_places, leaf_words) * rate * window_seconds / 3600
        self.expected = self._roll_up(self.usual)
        self.sums = sorted({max(1, seconds // window_seconds) for seconds in SUM_SECONDS})
        self.history: list[np.ndarray] = []
        self.blind: Callable[[float], tuple[Blind, ...]] = lambda _minute: ()
        self.evidence: Callable[[float], dict[tuple[int, int], Evidence]] = lambda _minute: {}
        self.controls: list[Control] = []
        self.revisions: list[Incident] = []
        self.minute = 0.0

    @staticmethod
    def _lines(parent: np.ndarray) -> np.ndarray:
        """bool[n, n]: row a, column b: b is a or lies above it."""
        above = np.eye(len(parent), dtype=bool)
        for node in range(len(parent)):
            at = int(parent[node])
            while at >= 0:
                above[node, at] = True
                at = int(parent[at])
        return above

    def _roll_up(self, leaves: np.ndarray) -> np.ndarray:
        places, words = self.above
        return places.T.astype(float) @ leaves @ words.astype(float)

    def run(self, minutes: float) -> World:
        """Close windows until this minute since Monday midnight."""
        while self.minute < minutes:
            self.step()
        return self

    def step(self) -> list[Incident]:
        start = MONDAY + round(self.minute * 60)
        close = self.close(start)
        due = [control for control in self.controls if control.at < close.decided]
        self.controls = [control for control in self.controls if control.at >= close.decided]
        self.minute += self.window / 60
        new = self.alerts.step(close, due)
        self.revisions += new
        return new

    def close(self, start: int) -> Close:
        leaves = np.zeros((MAX_CHANNELS, *self.usual.shape))
        leaves[0] = self.rng.poisson(self.usual)
        messages = leaves[0].copy()
        for trouble in self.troubles:
            lasted = min(trouble.end, self.minute + self.window / 60) - max(trouble.begin, self.minute)
            if lasted > 0:
                at = self.places.index[trouble.place], self.keywords.index[trouble.keyword]
                extra = self.rng.poisson(trouble.per_minute * lasted)
                leaves[(trouble.channel, *at)] += extra
                messages[at] += extra * trouble.messages
        channels = np.stack([self._roll_up(one) for one in leaves], axis=2)
        voices, messages = channels.sum(axis=2), self._roll_up(messages)
        self.history = [*self.history, voices][-self.sums[-1] :]
        p = np.ones(voices.shape)
        totals = np.cumsum(self.history[::-1], axis=0)
        for length in self.sums:
            if length <= len(totals):
                p = np.minimum(p, poisson_tail(totals[length - 1], self.expected * length) * 2.5)
        p = np.minimum(p, 1.0)
        held = np.zeros(voices.shape, bool)
        for pair in self.alerts.held:
            held[pair] = True
        place, keyword = np.nonzero((voices > 0) | (p <= 0.05) | held)
        at = (place, keyword)
        return Close(
            start=start,
            seconds=self.window,
            decided=start + self.window + 60.0,
            place=place.astype(np.int64),
            keyword=keyword.astype(np.int64),
            voices=voices[at].astype(np.int64),
            messages=messages[at].astype(np.int64),
            channels=channels[at].astype(np.int64),
            expected=self.expected[at],
            upper=self.expected[at] + 1.96 * np.sqrt(self.expected[at]),
            p_value=p[at],
            evidence=self.evidence(self.minute),
            blind=self.blind(self.minute),
        )

    # -- what came out ---------------------------------------------------------------------------------------------

    def latest(self, *states: str) -> list[Incident]:
        """The newest revision of each incident, of these states if given, in the order they opened."""
        newest = {one.id: one for one in self.revisions}
        return [one for one in newest.values() if not states or one.state in states]

    def reached(self, tier: str) -> list[Incident]:
        """The newest revision of each incident that was ever suspected or confirmed."""
        return [one for one in self.latest() if getattr(one, f"{tier}_at") is not None]

    def reasons(self, incident: str) -> list[str]:
        return [one.reason for one in self.revisions if one.id == incident]

    def since_monday(self, minute: float) -> float:
        return MONDAY + 60 * minute


def poisson_tail(count: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return np.where(count <= 0, 1.0, special.gammainc(np.maximum(count, 1e-9), np.maximum(mean, 1e-12)))


class Delivery(NamedTuple):
    """What one channel was told, at which minute since Monday midnight, and why that revision was written."""

    minute: float
    channel: str
    action: str
    reason: str
    incident: str


def deliveries(world: World, *routes: Route) -> list[Delivery]:
    """All that the revisions so far give the channels: what is suspected to a chat, what is confirmed to a pager too."""
    told: dict[str, dict[str, Action]] = {}
    made = []
    for one in world.revisions:
        known = told.setdefault(one.id, {})
        for channel, action in plan(one, routes or (CHAT, PAGER), known, one.updated_at):
            known[channel] = action
            made.append(Delivery((one.updated_at - MONDAY) / 60, channel, action, one.reason, one.id))
    return made
