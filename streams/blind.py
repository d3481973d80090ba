"""Blind sources: a silence too long to be chance under the source's own hour-of-week rate, judged in event time.

The chance of no record where mu are expected is that of a negative binomial with the source's own over-dispersion phi (variance = phi x mean):
phi ** (-mu / (phi - 1)), exp(-mu) as phi goes to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from alerting.model import Blind
from streams.part import DRILL, SourceCount

HOURS_A_WEEK = 168
HOURS_A_DAY = 24
MIN_SILENCE_SECONDS = 600.0
MIN_HISTORY_HOURS = 24
P_BLIND = 1e-4
PRIOR_HOURS = (
    2.0  # the hour of the day counts as much as two observed hours of the week, the overall rate as two of the day
)
LEARNT_SILENCE_HOURS = (
    24  # a shorter silence may be a night or a closed office, a longer one says nothing about the source
)
HALF_LIFE_HOURS = 6 * HOURS_A_WEEK
MOST_PLACES = 256  # remembered of a source
TOLD_PLACES = 24
LEAST_SHARE = 0.01
KEPT_AN_HOUR = 0.5 ** (1 / HALF_LIFE_HOURS)


class SourceRate(msgspec.Struct):
    """One source's records by hour of the week (UTC), and how they scatter."""

    first_hour: int
    hour: int  # the hour being filled, Unix hours
    filling: float = 0.0
    newest: float = float("-inf")
    counts: list[float] = []
    hours: list[float] = []
    by_day: list[float] = []  # records an hour by hour of the day, -1 where not seen yet
    scatter: float = 0.0  # discounted sum of (count - expected)^2 / expected
    scattered: float = 0.0
    mean: float = 0.0  # records an hour, over all hours
    places: dict[int, float] = {}  # complaints by place, older ones for less
    silent_from: tuple[float, float] | None = None  # newest, and the `blind_from` worked out for it

    def take(self, by_hour: Mapping[int, int], newest: float) -> None:
        """Add records by Unix hour; hours before the one being filled are late and change nothing but the newest event."""
        for hour, records in sorted(by_hour.items()):
            if hour > self.hour:
                self._finish(hour)
            if hour == self.hour:
                self.filling += records
        self.newest = max(self.newest, newest)

    def take_places(self, by_place: Mapping[int, int]) -> None:
        """Add complaints by place; of very many places those heard of most are kept."""
        for place, complaints in by_place.items():
            self.places[place] = self.places.get(place, 0.0) + complaints
        if len(self.places) > 2 * MOST_PLACES:
            ranked = sorted(self.places.items(), key=lambda item: (-item[1], item[0]))
            self.places = dict(ranked[:MOST_PLACES])

    def usual_places(self) -> tuple[int, ...]:
        """The places that bring a good share of its complaints, most first."""
        least = LEAST_SHARE * sum(self.places.values())
        ranked = sorted(self.places.items(), key=lambda item: (-item[1], item[0]))
        return tuple(place for place, complaints in ranked[:TOLD_PLACES] if complaints >= least)

    def _finish(self, hour: int) -> None:
        """Learn the hour that was filled and the silent ones after it, unless the source was blind for long."""
        blind = self.known() and self.blind_from() < hour * 3600.0
        self._learn(self.hour, self.filling)
        if not blind or hour - self.hour <= LEARNT_SILENCE_HOURS:
            for quiet in range(self.hour + 1, hour):
                self._learn(quiet, 0.0)
        self.hour, self.filling = hour, 0.0

    def _learn(self, hour: int, records: float) -> None:
        slot = hour % HOURS_A_WEEK
        expected = self.rate(hour)
        if self.known() and expected > 0:
            self.scatter = self.scatter * 0.995 + (records - expected) ** 2 / expected
            self.scattered = self.scattered * 0.995 + 1.0
        self.places = {place: complaints * KEPT_AN_HOUR for place, complaints in self.places.items()}
        keep = 0.5 ** (HOURS_A_WEEK / HALF_LIFE_HOURS)
        self.counts[slot] = self.counts[slot] * keep + records
        self.hours[slot] = self.hours[slot] * keep + 1.0
        hour_of_day = slot % HOURS_A_DAY
        total = sum(self.hours)
        self.mean = sum(self.counts) / total
        seen = sum(self.hours[hour_of_day::HOURS_A_DAY]) + PRIOR_HOURS
        self.by_day[hour_of_day] = (sum(self.counts[hour_of_day::HOURS_A_DAY]) + PRIOR_HOURS * self.mean) / seen

    def known(self) -> bool:
        """Whether a day at least has been seen."""
        return self.hour - self.first_hour >= MIN_HISTORY_HOURS

    def rate(self, hour: int) -> float:
        """Records expected in this Unix hour."""
        slot = hour % HOURS_A_WEEK
        usual = self.by_day[slot % HOURS_A_DAY]
        if usual < 0:
            usual = self.mean
        return (self.counts[slot] + PRIOR_HOURS * usual) / (self.hours[slot] + PRIOR_HOURS)

    def blind_from(self) -> float:
        """The time from which silence since the newest event is no longer chance; infinity when the source is too rare to tell."""
        if self.silent_from is None or self.silent_from[0] != self.newest:
            self.silent_from = (self.newest, self._blind_from())
        return self.silent_from[1]

    def _blind_from(self) -> float:
        if self.newest == float("-inf") or self.mean <= 0:
            return float("inf")
        phi = max(1.0, self.scatter / self.scattered if self.scattered > 1 else 1.0)
        per_record = math.log(phi) / (phi - 1) if phi > 1.0001 else 1.0
        needed = -math.log(P_BLIND) / per_record
        at = self.newest
        for _ in range(2 * HOURS_A_WEEK):
            hour = int(at // 3600)
            rate = self.rate(hour)
            step = (hour + 1) * 3600.0 - at
            if rate * step / 3600.0 >= needed:
                return max(at + needed / rate * 3600.0, self.newest + MIN_SILENCE_SECONDS)
            needed -= rate * step / 3600.0
            at += step
        return float("inf")


class Sources:
    """The rates of all sources of a deployment."""

    def __init__(self) -> None:
        self.rates: dict[str, SourceRate] = {}

    def take(self, counts: Mapping[str, SourceCount]) -> None:
        """Learn what a part brought."""
        for name, count in sorted(counts.items()):
            if not count.seen_by_hour or name.endswith(DRILL):
                continue
            rate = self.rates.get(name)
            if rate is None:
                hour = min(count.seen_by_hour)
                rate = self.rates[name] = _unheard(hour)
            rate.take(count.seen_by_hour, count.newest)
            rate.take_places(count.by_place)

    def blind(self, now: float) -> tuple[Blind, ...]:
        """The sources blind at event time `now`."""
        return tuple(
            Blind(name, rate.newest, rate.rate(int(now // 3600)), rate.usual_places())
            for name, rate in sorted(self.rates.items())
            if rate.known() and now - rate.newest >= MIN_SILENCE_SECONDS and rate.blind_from() <= now
        )

    def blind_from(self) -> float:
        """The time from which, without a new record, every source is blind; infinity when there is none."""
        times = [rate.blind_from() if rate.known() else float("inf") for rate in self.rates.values()]
        return max(times, default=float("inf"))

    def exposure(self, now: float) -> float:
        """The share of the usual records that the sources not blind at `now` bring."""
        hour = int(now // 3600)
        total = sum(rate.rate(hour) for rate in self.rates.values())
        lost = sum(source.usual_per_hour for source in self.blind(now))
        return 1.0 if total <= 0 else max(0.0, 1.0 - lost / total)


def _unheard(hour: int) -> SourceRate:
    """A source whose first record came in this Unix hour."""
    weekly, daily = [0.0] * HOURS_A_WEEK, [-1.0] * HOURS_A_DAY
    return SourceRate(hour, hour, counts=weekly, hours=weekly.copy(), by_day=daily)
