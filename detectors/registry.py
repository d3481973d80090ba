"""All detectors by name; one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from detectors.bank import Bank
from detectors.base import Detector
from detectors.peers import cusum, ears, farrington, gaussians, river_models
from detectors.tweets import Tweets
from detectors.weekly import Weekly

DETECTORS: dict[str, Callable[..., Detector]] = {
    "default": Bank,
    "weekly": Weekly,
    "tweets": Tweets,
    "ears_c1": ears.ears_c1,
    "ears_c2": ears.ears_c2,
    "ears_c3": ears.ears_c3,
    "ewma": gaussians.Ewma,
    "windowed_gaussian": gaussians.WindowedGaussian,
    "farrington": farrington.Farrington,
    "cusum": cusum.Cusum,
    "river_gaussian": river_models.river_gaussian,
    "river_half_space_trees": river_models.river_half_space_trees,
}
PEERS = frozenset(DETECTORS) - {"default", "weekly", "tweets"}  # to compare with: not calibrated


def create(
    name: str = "default",
    *,
    n_series: int,
    window_seconds: float,
    groups: npt.ArrayLike | None = None,
    zones: Sequence[str] | None = None,
    parents: npt.ArrayLike | None = None,
    season: str = "weekly",
    **options: Any,
) -> Detector:
    """A bank of `n_series`. `groups`: int[n], series that share a profile; `zones`: IANA name per group; `parents`: int[n] or -1.

    Raises ValueError naming what is wrong; the options are those of the detector.
    """
    if name not in DETECTORS:
        raise ValueError(f"name: no detector {name!r}; there are {', '.join(sorted(DETECTORS))}")
    if n_series < 0:
        raise ValueError(f"n_series: {n_series} is negative")
    return DETECTORS[name](
        n_series=n_series,
        window_seconds=window_seconds,
        groups=groups,
        zones=zones,
        parents=parents,
        season=season,
        **options,
    )
