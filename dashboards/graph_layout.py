"""Where the circles of a graph lie: linked ones near each other, none on another. The same graph lies the same way every time.

Forces as in Fruchterman and Reingold 1991, "Graph drawing by force-directed placement"; a pull to the middle keeps parts that are not linked
on the sheet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STEPS = 300
PULL = 2.0  # to the middle, in shares of the force along a line
Floats = npt.NDArray[np.float64]


def layout(nodes: int, edges: Sequence[tuple[int, int]], width: float, height: float) -> Floats:
    """float[nodes, 2]: places within `width` by `height`. Nodes are best numbered so that linked ones follow each other."""
    if nodes < 2:
        return np.full((nodes, 2), (width / 2, height / 2))
    turn = 2 * math.pi * np.arange(nodes) / nodes
    at = 0.4 * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    near = 1 / math.sqrt(nodes)  # how far apart they like to be
    ends = np.array(edges, np.int64).reshape(-1, 2)
    for step in range(STEPS):
        apart = at[:, None] - at
        squared = (apart * apart).sum(axis=2) + 1e-9
        force = (apart * (near * near / squared)[:, :, None]).sum(axis=1) - PULL * at * np.linalg.norm(at, axis=1)[
            :, None
        ] / near
        along = at[ends[:, 0]] - at[ends[:, 1]]
        pull = along * np.linalg.norm(along, axis=1)[:, None] / near
        np.add.at(force, ends[:, 0], -pull)
        np.add.at(force, ends[:, 1], pull)
        size = np.linalg.norm(force, axis=1)[:, None] + 1e-9
        at = at + force / size * np.minimum(size, 0.1 * (1 - step / STEPS))
    low, high = at.min(axis=0), at.max(axis=0)
    spread: Floats = (at - low) / np.maximum(high - low, 1e-9) * (width, height)
    return spread
