"""Complaints with local rush hours, as parts for DETECT: what whole weeks of many places look like, a function of the seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from alerting.model import Incident
from streams.part import Part, Rows
from streams.pipeline import Pipeline, PipelineConfig

DAY = 86_400
BY_HOUR = np.array(
    [0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 1.2, 2.2, 2.4, 1.5, 1.1, 1, 1.1, 1, 1, 1.2, 1.8, 2.4, 2.2, 1.5, 1.1, 0.9, 0.6, 0.3]
)  # local, relative
BY_WEEKDAY = np.array([1.1, 1.1, 1.1, 1.1, 1.1, 0.7, 0.6])
Extra = Callable[[int], Sequence[tuple[int, int, int]]]  # window start -> (place, keyword, people) on top


class World:
    """Towns (the largest, those in `inside` if given) times leaf keywords, rates log-normal, `per_day` complaints in all."""

    def __init__(
        self,
        *,
        towns: int = 200,
        keywords: int = 50,
        per_day: float = 20_000.0,
        window_seconds: int = 900,
        start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
        inside: str | None = None,
        seed: int = 1,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.pipeline = Pipeline(PipelineConfig(pack="airline", window_seconds=window_seconds))
        places, parent = self.pipeline.places, np.asarray(self.pipeline.keywords.parent)
        wide = None if inside is None else places.index(inside)
        found = [
            p for p in range(len(places)) if places.level(p) == "city" and (wide is None or places.within(p, wide))
        ]
        self.towns = np.array(sorted(found, key=lambda town: -int(places.population[town]))[:towns])
        leaves = np.setdiff1d(np.arange(1, len(parent)), parent)
        self.leaves = self.rng.choice(leaves, keywords, replace=False)
        self.rate = np.exp(self.rng.normal(0, 1.5, (towns, keywords)))
        self.rate *= per_day / DAY * window_seconds / self.rate.sum()
        self._above = [self._line(parent, leaf) for leaf in range(len(parent))]
        self._zones = [ZoneInfo(places.zone(int(town))) for town in self.towns]
        self.window, self.at, self._seq = window_seconds, int(start.timestamp()), 0
        self.incidents: dict[str, Incident] = {}  # as first suspected
        self.revisions: list[Incident] = []  # all that was told, in order

    @staticmethod
    def _line(parent: np.ndarray, node: int) -> list[int]:
        line = [node]
        while (node := int(parent[node])) >= 0:
            line.append(node)
        return line

    def run(self, days: float, extra: Extra = lambda _start: ()) -> list[Incident]:
        """Let so many days pass; the incidents suspected in them, in that order."""
        before = set(self.incidents)
        for _ in range(round(days * DAY / self.window)):
            self._step(extra(self.at))
        return [one for id, one in self.incidents.items() if id not in before]

    def _step(self, extra: Sequence[tuple[int, int, int]]) -> None:
        start = self.at
        counts = self.rng.poisson(self.rate * self._rhythm(start)[:, None])
        town, leaf = np.nonzero(counts)
        told = list(
            zip(self.towns[town].tolist(), self.leaves[leaf].tolist(), counts[town, leaf].tolist(), strict=True)
        )
        cells: dict[tuple[int, int], int] = {}
        for place, keyword, people in (*told, *extra):
            for above in self._above[keyword]:
                cells[place, above] = cells.get((place, above), 0) + people
        ordered = np.array([(*cell, cells[cell]) for cell in sorted(cells)], np.int64).reshape(-1, 3).T
        zero = np.zeros(ordered.shape[1], np.int64)
        rows = Rows(zero + start, ordered[0], ordered[1], zero, zero, ordered[2], ordered[2])
        self.at, self._seq = start + self.window, self._seq + 1
        part = Part(0, self._seq - 1, float(self.at), self.pipeline.digest, rows, Rows.empty(), {}, {}, {})
        for closed in self.pipeline.detect.process(part)[0]:
            self.revisions += closed.incidents
            for incident in closed.incidents:
                if incident.suspected_at is not None:
                    self.incidents.setdefault(incident.id, incident)

    def _rhythm(self, start: int) -> np.ndarray:
        """What is usual in this window over the mean of the week, by town."""
        middle = datetime.fromtimestamp(start + self.window / 2, UTC)
        local = [middle.astimezone(zone) for zone in self._zones]
        hour = np.array([at.hour + at.minute / 60 for at in local])
        weekday = BY_WEEKDAY[[at.weekday() for at in local]]
        return np.interp(hour, np.arange(25), np.append(BY_HOUR, BY_HOUR[0])) / BY_HOUR.mean() * weekday
