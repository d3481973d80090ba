"""Anomaly models of the river library, one a series, as a bank.

A river model says how strange a value is, not how unlikely: its score becomes a p-value by rank in the record of the
scores it gave before. So p is never below one over the length of the record, and models that overrate every quiet hour
do so no more often than they did before.
"""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints, Scores
from detectors.peers.columns import Columns
from detectors.state import Arrays, pack

RECORD = 2016  # scores kept of each series, 8 bytes each
LEAST_RECORD = 100
# What a model's state may be made of, besides river's own classes; nothing else is ever built from a snapshot.
CLASSES = {
    "builtins": {"set", "frozenset", "dict", "list", "tuple", "object", "float", "int", "complex", "slice"},
    "collections": {"OrderedDict", "defaultdict", "deque", "Counter"},
    "datetime": {"datetime", "timedelta", "date"},
    "functools": {"partial"},
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "random": {"Random"},
}


class RiverBank(Columns):
    """`factory`: a new model of river's classes, the same one each time (seed what draws). Once a window its `score_one` and
    `learn_one` are called with {"count": count at exposure 1}, and with the count as target where it is supervised.

    Only counts above the mean so far can be unusual. p is 1 until 100 windows were seen. A snapshot holds the models
    pickled; restoring builds nothing that is not of river, numpy or plain Python.
    """

    KIND = "river/1"
    FILL: Mapping[str, float] = {"record": np.nan, "next": 0, "known": 0, "mean": 0, "spread": 0}

    def __init__(
        self, factory: Callable[[], Any], *, n_series: int, window_seconds: float, record: int = RECORD, **ignored: Any
    ) -> None:
        from river.base import SupervisedAnomalyDetector  # takes seconds to import, for those who use it

        self.factory = factory
        self.supervised = isinstance(factory(), SupervisedAnomalyDetector)
        arrays: Arrays = {"record": np.full((record, n_series), np.nan), "next": np.zeros(n_series, np.int64)}
        arrays |= {name: np.zeros(n_series) for name in ("known", "mean", "spread")}
        super().__init__(n_series, window_seconds, arrays | {"models": self._new(n_series)}, None)

    def _new(self, count: int) -> npt.NDArray[Any]:
        models = np.empty(count, object)
        models[:] = [self.factory() for _ in range(count)]
        return models

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        index = np.arange(self.n_series)[seen]
        scored = self._ask(arrays, row, index)
        for model, value in zip(arrays["models"][index], row[index].tolist(), strict=True):
            model.learn_one(*((None, value) if self.supervised else ({"count": value},)))
        record, at = arrays["record"], arrays["next"][index]
        record[at, index] = scored
        arrays["next"][index] = (at + 1) % len(record)
        arrays["known"][index] += 1
        off = row[index] - arrays["mean"][index]  # Welford
        arrays["mean"][index] += off / arrays["known"][index]
        arrays["spread"][index] += off * (row[index] - arrays["mean"][index])

    def _ask(self, arrays: Arrays, row: Floats, index: Ints) -> Floats:
        pairs = zip(arrays["models"][index], row[index].tolist(), strict=True)
        if self.supervised:
            return np.array([model.score_one(None, value) for model, value in pairs], np.float64)
        return np.array([model.score_one({"count": value}) for model, value in pairs], np.float64)

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        row = counts / np.where(share > 0, share, 1.0)
        known, mean = arrays["known"], arrays["mean"]
        index = np.flatnonzero((row > mean) & (known >= LEAST_RECORD))
        p = np.ones(self.n_series)
        record = arrays["record"][:, index]
        higher = (record >= self._ask(arrays, row, index)).sum(0)
        p[index] = (higher + 1) / (np.isfinite(record).sum(0) + 1)
        expected = mean * share
        return Scores(p, expected, expected + 1.96 * np.sqrt(arrays["spread"] / np.maximum(known, 1.0)) * share)

    # -- the models among the arrays ------------------------------------------------------------------------------

    def copied(self, arrays: Arrays) -> Arrays:
        return super().copied(arrays) | {"models": copy.deepcopy(arrays["models"])}

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        models = self.arrays.pop("models")
        try:
            super().grow(n_series)
        finally:
            self.arrays["models"] = np.concatenate([models, self._new(self.n_series - len(models))])

    def snapshot(self) -> bytes:
        once = pickle.dumps(list(self.arrays["models"]), 4)
        again = pickle.dumps(_load(once), 4)  # equal models, equal bytes, whoever shares objects with whom
        arrays = self.arrays | {"models": np.frombuffer(again, np.uint8)}
        return pack(self.KIND, self._meta() | {"last": self.last}, arrays)

    def restore(self, state: bytes) -> None:
        before = self.arrays, self.last, self.n_series
        super().restore(state)
        try:
            loaded = _load(self.arrays["models"].tobytes())
            models = np.empty(len(loaded), object)
            models[:] = loaded
        except (pickle.UnpicklingError, TypeError, AttributeError) as wrong:
            self.arrays, self.last, self.n_series = before
            raise ValueError(f"state: {wrong}") from wrong
        self.arrays["models"], self.n_series = models, len(models)


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        own = module.startswith("river.") and "." not in name
        if not own and name not in CLASSES.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a river model")
        found = super().find_class(module, name)
        made_by_river = isinstance(found, type) and found.__module__.startswith("river.")
        if own and not made_by_river and not name.startswith("__pyx_unpickle_"):
            raise pickle.UnpicklingError(f"{module}.{name} is no class of river")
        return found


def _load(pickled: bytes) -> list[Any]:
    models: list[Any] = _Plain(io.BytesIO(pickled)).load()
    return models


def river_model(factory: Callable[[], Any]) -> Callable[..., RiverBank]:
    """What to register for a river model of your own: `"mine": river_model(lambda: anomaly.LocalOutlierFactor())`."""
    return partial(RiverBank, factory)


def river_gaussian(**options: Any) -> RiverBank:
    """river's GaussianScorer over all of the past: its variance over a window goes below zero, and it fails, in a silence."""
    from river import anomaly, proba

    def scorer() -> Any:
        made: Any = anomaly.GaussianScorer()  # type: ignore[no-untyped-call]
        made.gaussian = proba.Gaussian(seed=1)  # type: ignore[no-untyped-call]
        return made

    return RiverBank(scorer, **options)


def river_half_space_trees(
    *, n_trees: int = 10, height: int = 8, window_windows: int = 250, **options: Any
) -> RiverBank:
    """river's HalfSpaceTrees behind its MinMaxScaler, both as they come."""
    from river import anomaly, preprocessing

    def trees() -> Any:
        forest = anomaly.HalfSpaceTrees(n_trees=n_trees, height=height, window_size=window_windows, seed=1)
        return preprocessing.MinMaxScaler() | forest

    return RiverBank(trees, **options)
