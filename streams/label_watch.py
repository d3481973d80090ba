"""While a replay runs: for each label the most unusual series at its place, and why ALERT opened nothing there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alerting.model import iso
from streams.closed import Cells
from streams.evaluation import EARLY_SECONDS, Miss
from streams.label_names import comma_separated
from streams.labels import Label
from streams.pipeline import Pipeline

WORTH_ASKING_P = 0.05


class LabelWatch:
    """Looks at every closed window; `misses` tells what it saw."""

    def __init__(self, labels: Sequence[Label], pipeline: Pipeline) -> None:
        self.labels = labels
        self.pipeline = pipeline
        named = _by_name(pipeline) if labels else {}
        self._places = [_places_of(label, pipeline, named) for label in labels]
        self._order = sorted(range(len(labels)), key=lambda number: labels[number].begins)
        self._active: list[int] = []
        self._best = [WORTH_ASKING_P] * len(labels)
        self._misses: dict[int, Miss] = {}

    def see(self, cells: Cells) -> None:
        """A window has closed."""
        at = cells.start + cells.seconds
        while self._order and self.labels[self._order[0]].begins - EARLY_SECONDS <= at:
            self._active.append(self._order.pop(0))
        if not self._active or not len(cells.place):
            return
        self._active = [number for number in self._active if self.labels[number].ends >= cells.start]
        for number in self._active:
            there = np.flatnonzero(self._places[number][cells.place])
            if not len(there):
                continue
            best = there[np.argmin(cells.p_value[there])]
            if cells.p_value[best] < self._best[number]:
                self._best[number] = float(cells.p_value[best])
                self._misses[number] = self._ask(int(cells.place[best]), int(cells.keyword[best]), float(cells.start))

    def _ask(self, place: int, keyword: int, at: float) -> Miss:
        why = self.pipeline.alerts.why_not(place, keyword, at)
        gate = next((gate.gate for gate in why.gates if not gate.passed), "cut")
        name = "any problem" if keyword == 0 else self.pipeline.keywords.name(keyword)
        return Miss(gate, f"{iso(at)}, {name} at {self.pipeline.places.name(place)}: {why.answer}")

    def misses(self) -> dict[int, Miss]:
        """By label number: the gate that stopped its most unusual series, as a sentence."""
        return self._misses


def _by_name(pipeline: Pipeline) -> dict[str, list[int]]:
    named: dict[str, list[int]] = {}
    for place in range(len(pipeline.places.parent)):
        for name in comma_separated(pipeline.places.name(place)):
            named.setdefault(name, []).append(place)
    return named


def _places_of(label: Label, pipeline: Pipeline, named: dict[str, list[int]]) -> npt.NDArray[np.bool_]:
    """bool[places]: the label's places and all that lies in them."""
    places = pipeline.places
    if label.precision == "no_place":
        return np.ones(len(places.parent), bool)
    wanted = [place for name in label.wanted for place in named.get(name, ())]
    return np.asarray(np.isin(places.lineage, wanted).any(axis=1))
