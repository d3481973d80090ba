"""Complaint streams with known disruptions: what the demo shows, the tests trust and the benchmarks carry.

Rates follow the local hour and weekday of each place and scatter more than Poisson (gamma-mixed by place and hour). Beside real voices there
are chatter, sarcasm, reposts, bots, late and broken records. Everything is a function of the scenario and its seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.model import iso
from streams.grammar import Grammar

Floats = npt.NDArray[np.float64]
HOUR = 3600
RHYTHM = np.array([3, 2, 1.5, 1.2, 1.2, 2, 4, 7, 9, 9, 8.5, 8, 8, 8, 8, 8.5, 9, 10, 10.5, 10, 9, 8, 6.5, 4.5])
RHYTHM = RHYTHM / RHYTHM.mean()
WEEKDAY = np.array([1.05, 1.0, 1.0, 1.02, 1.1, 0.95, 0.88])


class SimulatedPlace(msgspec.Struct, frozen=True):
    """A place people write from; `weight` is its share of the traffic."""

    name: str  # as in a profile: "Boston, MA"
    city: str
    state: str
    lat: float
    lon: float
    zone: str
    weight: float = 1.0


class Disruption(msgspec.Struct, frozen=True, kw_only=True):
    """Extra complaints with a known cause; `people` is how many speak over its whole length."""

    what: str
    at_hours: float  # after the start of the scored time
    hours: float
    people: int
    keywords: tuple[str, ...]  # ids; an inner node stands for its leaves
    cities: tuple[str, ...]
    shape: Literal["step", "ramp", "flap"] = "step"
    label: bool = True  # False: noise that must stay quiet, such as a bot


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A stream to simulate: `learn_days` of ordinary days, then `days` with disruptions."""

    pack: str
    places: tuple[SimulatedPlace, ...]
    per_hour: float = 60.0  # complaints about a keyword, mean over the week
    learn_days: float = 28.0
    days: float = 1.0
    start: float = 1_767_571_200.0  # Monday 2026-01-05 00:00 UTC
    disruptions: tuple[Disruption, ...] = ()
    chatter: float = 0.3  # of all records
    reposts: float = 0.03
    late: float = 0.002
    bad: float = 0.0005
    bots: float = 0.2  # a day: one author, 200 posts within the hour
    located: float = 0.8  # of complaints: name a place in the profile


class Simulator:
    """Records of a scenario, by hour. `leaves` are (keyword id, phrases) of a pack."""

    def __init__(self, scenario: Scenario, leaves: list[tuple[str, tuple[str, ...]]], seed: int) -> None:
        self.scenario = scenario
        self.rng = np.random.default_rng(seed)
        self.leaves = [leaf for leaf, _ in leaves]
        self.grammar = Grammar([phrases for _, phrases in leaves], self.rng)
        self.popular = self.rng.gamma(1.0, 1.0, len(leaves))
        self.popular /= self.popular.sum()
        self.weights = np.array([place.weight for place in scenario.places])
        self.weights = self.weights / self.weights.sum()
        self.serial = 0
        self.recent: list[str] = []

    @property
    def scored_from(self) -> float:
        """Unix seconds at which the learning days end."""
        return self.scenario.start + self.scenario.learn_days * 24 * HOUR

    def records(self) -> Iterator[tuple[float, bytes]]:
        """(arrival in Unix seconds, JSON line) in order of arrival."""
        hours = int((self.scenario.learn_days + self.scenario.days) * 24)
        held: list[tuple[float, bytes]] = []
        for hour in range(hours):
            held.extend(self._hour(self.scenario.start + hour * HOUR))
            held.sort()
            until = self.scenario.start + (hour + 1) * HOUR
            ready = [one for one in held if one[0] < until]
            held = held[len(ready) :]
            yield from ready
        yield from held

    def labels(self) -> list[dict[str, object]]:
        """The disruptions, in the form of a labels file."""
        states = {place.city: place.state for place in self.scenario.places}
        return [
            {
                "start": iso(self.scored_from + one.at_hours * HOUR),
                "end": iso(self.scored_from + (one.at_hours + one.hours) * HOUR),
                "where": ", ".join(one.cities),
                "state": states[one.cities[0]] if len({states[city] for city in one.cities}) == 1 else None,
                "cities": list(one.cities) if len(one.cities) == 1 else None,
                "what": one.what,
                "kind": one.shape,
                "evidence": "simulated",
            }
            for one in self.scenario.disruptions
            if one.label
        ]

    def _hour(self, start: float) -> list[tuple[float, bytes]]:
        scenario, rng = self.scenario, self.rng
        found: list[tuple[float, bytes]] = []
        rates = scenario.per_hour * self.weights * np.array([_rhythm(place.zone, start) for place in scenario.places])
        counts = rng.poisson(rates * rng.gamma(4.0, 0.25, len(rates)))
        for place, count in zip(scenario.places, counts.tolist(), strict=True):
            times = start + rng.random(count) * HOUR
            leaves = rng.choice(len(self.popular), count, p=self.popular)
            found.extend(self._voice(float(time), int(leaf), place) for time, leaf in zip(times, leaves, strict=True))
        for time in start + rng.random(rng.poisson(counts.sum() * scenario.chatter / (1 - scenario.chatter))) * HOUR:
            place = scenario.places[int(rng.random() * len(scenario.places))]
            found.append(self._record(float(time), self.grammar.chatter(), self._author(), place))
        for disruption in scenario.disruptions:
            found.extend(self._disrupted(disruption, start))
        if rng.random() < scenario.bots / 24:
            found.extend(self._bot(start))
        return found

    def _disrupted(self, one: Disruption, start: float) -> Iterator[tuple[float, bytes]]:
        begin = self.scored_from + one.at_hours * HOUR
        if start + HOUR <= begin or start >= begin + one.hours * HOUR:
            return
        edges = np.clip((np.array([start, start + HOUR]) - begin) / (one.hours * HOUR), 0, 1)
        share = _cumulative(edges, one.shape)
        places = [place for place in self.scenario.places if place.city in one.cities]
        leaves = [number for number, leaf in enumerate(self.leaves) if leaf.startswith(one.keywords)]
        for _ in range(int(self.rng.poisson(one.people * (share[1] - share[0])))):
            at = begin + _inverse(float(self.rng.uniform(*share)), one.shape) * one.hours * HOUR
            yield self._voice(
                at, leaves[int(self.rng.random() * len(leaves))], places[int(self.rng.random() * len(places))]
            )

    def _voice(self, time: float, leaf: int, place: SimulatedPlace) -> tuple[float, bytes]:
        rng = self.rng
        if self.recent and rng.random() < self.scenario.reposts:
            text = self.recent[int(rng.random() * len(self.recent))]
        else:
            text = self.grammar.complaint(leaf, place.city if rng.random() < 0.2 else None)
            self.recent = [*self.recent[-199:], text]
        return self._record(time, text, self._author(), place)

    def _bot(self, start: float) -> Iterator[tuple[float, bytes]]:
        author, place = self._author(), self.scenario.places[0]
        leaf = int(self.rng.random() * len(self.popular))
        for time in start + self.rng.random(200) * HOUR:
            yield self._record(float(time), self.grammar.complaint(leaf, None), author, place)

    def _record(self, time: float, text: str, author: str, place: SimulatedPlace) -> tuple[float, bytes]:
        self.serial += 1
        draw = self.rng.random(3)
        arrival = time + 1.0 + (float(draw[0]) / self.scenario.late * 2 * HOUR if draw[0] < self.scenario.late else 0.0)
        if draw[1] < self.scenario.bad:
            return arrival, b'{"id": "sim-%d", "text": ' % self.serial
        source = "twitter:simulated" if draw[2] < 0.7 else "ticket:simulated"
        complaint = {
            "id": f"sim-{self.serial}",
            "created_at": iso(round(time, 3)),
            "text": text,
            "author": author,
            "location": place.name if draw[2] < self.scenario.located else None,
            "source": source,
            "received_at": iso(round(arrival, 3)),
        }
        return arrival, msgspec.json.encode(complaint)

    def _author(self) -> str:
        return f"{int(self.rng.pareto(0.6) * 5e3) % 2_000_000_000:x}"


def _rhythm(zone: str, start: float) -> float:
    local = datetime.fromtimestamp(start, UTC).astimezone(ZoneInfo(zone))
    return float(RHYTHM[local.hour] * WEEKDAY[local.weekday()])


def _cumulative(share: Floats, shape: str) -> Floats:
    """Share of the people heard by a share of the time; a flap is on in every other tenth."""
    if shape == "ramp":
        return share**2
    if shape == "flap":
        tenth = np.floor(share * 10)
        return (np.ceil(tenth / 2) + np.where(tenth % 2 == 0, share * 10 - tenth, 0.0)) / 5
    return share


def _inverse(share: float, shape: str) -> float:
    if shape == "ramp":
        return float(share**0.5)
    if shape == "flap":
        on = min(4, int(share * 5))
        return (2 * on + share * 5 - on) / 10
    return share
