"""What is unusual at a close, and the scopes that explain it."""

from __future__ import annotations

import numpy as np

from alerting.memory import Memory
from alerting.places_and_keywords import Atlas
from alerting.policy import Policy
from alerting.tracks import EXPECTED, HOUR, HOUR_EXPECTED, LOOKED_BACK, ONSET, PEOPLE, STRIDE, P, Tracks
from detectors.scan import Found, Series, scan

WARM = 10.0  # times the level: nearly unusual


def unusual(tracks: Tracks, memory: Memory, level: float, atlas: Atlas, policy: Policy) -> tuple[Series, list[Found]]:
    """The series at or under `level` (a p-value), those of their places, and the disruptions that explain them."""
    for row in np.flatnonzero((tracks.data[:, P] <= level) & (tracks.data[:, LOOKED_BACK] == 0)).tolist():
        tracks.look_back(row, memory.look_back(int(tracks.key[row]), tracks.data[row, ONSET]))
    data = tracks.data
    many = (data[:, PEOPLE] >= 2) & (data[:, PEOPLE] >= data[:, EXPECTED] + 1)
    hot = many & (data[:, P] <= level)
    places = tracks.key // STRIDE
    near = np.zeros(
        len(atlas.above), bool
    )  # places of what is hot, and those above; the last entry stands for "no place"
    up = places[hot]
    while (up >= 0).any():
        near[up] = True
        up = atlas.above[up]
    near[-1] = False
    warm = many & (data[:, P] <= WARM * level)
    rows = np.flatnonzero(warm | near[places]) if hot.any() else np.zeros(0, np.int64)
    series = Series(
        places[rows],
        tracks.key[rows] % STRIDE,
        data[rows, HOUR],
        data[rows, HOUR_EXPECTED],
        data[rows, ONSET],
        data[rows, P],
        hot[rows],
        warm[rows],
    )
    return series, scan(series, atlas.trees, policy.coincide) if len(rows) else []
