"""Blind sources: a silence too long to be chance under the source's own hour-of-week rate, judged in event time.

The chance of no record where mu are expected is that of a negative binomial with the source's own over-dispersion phi (variance = phi x mean):
phi ** (-mu / (phi - 1)), exp(-mu) as phi goes to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

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
    hour: int  # the newest hour learnt, Unix hours
    waiting: dict[int, int] = {}  # records by hour, not learnt yet: partitions may be hours apart
    heard: float = float("-inf")  # end of the last learnt hour with records
    newest: float = float("-inf")
    counts: list[float] = []
    hours: list[float] = []
    by_day: list[float] = []  # records an hour by hour of the day, -1 where not seen yet
    scatter: float = 0.0  # discounted sum of (count - expected)^2 / expected
    scattered: float = 0.0
    mean: float = 0.0  # records an hour, over all hours
    places: dict[int, float] = {}  # complaints by place, older ones for less
    silent_from: tuple[float, float] | None = None  # a time, and the `blind_from` worked out for it

    def take(self, by_hour: Mapping[int, int], newest: float) -> None:
        """Add records by Unix hour; hours that are learnt already are late and change nothing but the newest event."""
        for hour, records in by_hour.items():
            if hour > self.hour:
                self.waiting[hour] = self.waiting.get(hour, 0) + records
        self.newest = max(self.newest, newest)

    def advance(self, now: float) -> None:
        """Learn the hours that are over at event time `now`, and the silent ones before them."""
        for hour in sorted(hour for hour in self.waiting if (hour + 1) * 3600.0 <= now):
            self._finish(hour)

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
        """Learn an hour with records and the silent ones before it, unless the source was blind for long."""
        blind = self.known() and self.blind_from(self.heard) < hour * 3600.0
        if not blind or hour - self.hour <= LEARNT_SILENCE_HOURS + 1:
            for quiet in range(self.hour + 1, hour):
                self._learn(quiet, 0.0)
        self._learn(hour, self.waiting.pop(hour))
        self.hour, self.heard = hour, (hour + 1) * 3600.0

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

    def last_before(self, now: float) -> float:
        """When it was heard last, as known at event time `now`; to the hour where it was heard again since."""
        if self.newest <= now:
            return self.newest
        begun = [hour for hour in self.waiting if hour * 3600.0 <= now]
        return min(now, (max(begun) + 1) * 3600.0) if begun else min(now, self.heard)

    def is_blind(self, now: float) -> bool:
        """Whether silence up to event time `now` is not chance."""
        since = self.last_before(now)
        return self.known() and now - since >= MIN_SILENCE_SECONDS and self.blind_from(since) <= now

    def blind_from(self, since: float) -> float:
        """The time from which silence since `since` is no longer chance; infinity when the source is too rare to tell."""
        if self.silent_from is None or self.silent_from[0] != since:
            self.silent_from = (since, self._blind_from(since))
        return self.silent_from[1]

    def _blind_from(self, since: float) -> float:
        if since == float("-inf") or self.mean <= 0:
            return float("inf")
        phi = max(1.0, self.scatter / self.scattered if self.scattered > 1 else 1.0)
        per_record = math.log(phi) / (phi - 1) if phi > 1.0001 else 1.0
        needed = -math.log(P_BLIND) / per_record
        at = since
        for _ in range(2 * HOURS_A_WEEK):
            hour = int(at // 3600)
            rate = self.rate(hour)
            step = (hour + 1) * 3600.0 - at
            if rate * step / 3600.0 >= needed:
                return max(at + needed / rate * 3600.0, since + MIN_SILENCE_SECONDS)
            needed -= rate * step / 3600.0
            at += step
        return float("inf")


class Sources:
    """The rates of all sources of a deployment."""

    def __init__(self) -> None:
        self.rates: dict[str, SourceRate] = {}

    def take(self, counts: Mapping[str, SourceCount]) -> None:
        """Take what a part brought."""
        for name, count in sorted(counts.items()):
            if not count.seen_by_hour or name.endswith(DRILL):
                continue
            rate = self.rates.get(name)
            if rate is None:
                hour = min(count.seen_by_hour)
                rate = self.rates[name] = _unheard(hour)
            rate.take(count.seen_by_hour, count.newest)
            rate.take_places(count.by_place)

    def advance(self, now: float) -> None:
        """Learn the hours that are over at event time `now`."""
        for rate in self.rates.values():
            rate.advance(now)

    def blind(self, now: float) -> tuple[Blind, ...]:
        """The sources blind at event time `now`."""
        return tuple(
            Blind(name, rate.last_before(now), rate.rate(int(now // 3600)), rate.usual_places())
            for name, rate in sorted(self.rates.items())
            if rate.is_blind(now)
        )

    def stretches(self, first: float, until: float, least: float) -> list[tuple[float, float, bool]]:
        """[first, until) cut where what is heard comes below `least` of the usual records or back; with whether it is heard."""
        told: list[tuple[float, float, bool]] = []
        for begin, end in self._spans(first, until):
            heard = self.exposure(end) >= least
            if told and told[-1][2] == heard:
                begin = told.pop()[0]
            told.append((begin, end, heard))
        return told

    def _spans(self, first: float, until: float) -> list[tuple[float, float]]:
        """[first, until) cut where a source may turn blind or see again: at hours, and where silence stops being chance."""
        hours = range(int(first // 3600) + 1, int(-(-until // 3600)))
        turns = [rate.blind_from(rate.last_before(first)) for rate in self.rates.values() if rate.known()]
        cuts = sorted({first, until, *(hour * 3600.0 for hour in hours), *(at for at in turns if first < at < until)})
        return list(pairwise(cuts))

    def exposure(self, now: float) -> float:
        """The share of the usual records that the sources not blind at `now` bring."""
        hour = int(now // 3600)
        total = sum(rate.rate(hour) for rate in self.rates.values())
        lost = sum(source.usual_per_hour for source in self.blind(now))
        return 1.0 if total <= 0 else max(0.0, 1.0 - lost / total)


def _unheard(hour: int) -> SourceRate:
    """A source whose first record came in this Unix hour."""
    weekly, daily = [0.0] * HOURS_A_WEEK, [-1.0] * HOURS_A_DAY
    return SourceRate(hour, hour - 1, counts=weekly, hours=weekly.copy(), by_day=daily)
