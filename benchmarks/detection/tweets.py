"""Work: NAB's realTweets, five-minute counts of mentions of a brand with labelled windows; read from a folder, never shipped.

Scored by the published function (Lavin and Ahmad 2015): the first hit in a window earns up to 1 by its place in it, a missed
window costs 1 (2 where misses weigh more), each flagged row outside costs 0.11 (0.22 where they weigh more) times a sigmoid
of its distance after the last window; 0 is a detector that says nothing, 100 a perfect one. One threshold for all series.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import detectors
from benchmarks.detection.complaints import Floats, Ints

FIVE_MINUTES = 300
PROFILES = {"standard": (1.0, 0.11), "low_fp": (1.0, 0.22), "low_fn": (2.0, 0.11)}  # cost of a miss, of a false row
PEERS = (
    *("tweets", "default", "cusum", "ewma", "windowed_gaussian", "ears_c1", "ears_c2", "ears_c3"),
    *("river_gaussian", "river_half_space_trees"),
)
QUIET_SECONDS = 86_400
PROBATION_SHARE, PROBATION_ROWS = 0.15, 750


class Series(NamedTuple):
    """Seconds, counts, and what each row is worth if flagged; `window`: number of the labelled window, or -1."""

    seconds: Ints
    counts: Ints
    window: Ints
    worth: Floats
    scored: np.ndarray
    windows: int


def load(root: Path) -> dict[str, Series]:
    """All series of realTweets under `root`, as NAB lays them out."""
    labels = json.loads((root / "labels" / "combined_windows.json").read_text(encoding="utf-8"))
    found = {}
    for name, spans in labels.items():
        if not name.startswith("realTweets/") or not (root / "data" / name).is_file():
            continue
        with (root / "data" / name).open(encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        at = {row[0]: number for number, row in enumerate(rows)}
        seconds = [int(datetime.fromisoformat(row[0]).replace(tzinfo=UTC).timestamp()) for row in rows]
        counts = np.array([int(float(row[1])) for row in rows])
        spans = [(at[begin[:19]], at[end[:19]]) for begin, end in spans]
        found[name] = laid_out(np.array(seconds), counts, spans)
    return found


def laid_out(seconds: Ints, counts: Ints, spans: list[tuple[int, int]]) -> Series:
    """`spans`: first and last row of each labelled window."""
    return Series(seconds, counts, *_worth(len(counts), spans), len(spans))


def _worth(rows: int, spans: list[tuple[int, int]]) -> tuple[Ints, Floats, np.ndarray]:
    row, window, worth = np.arange(rows), np.full(rows, -1), np.full(rows, -1.0)
    for number, (begin, end) in enumerate(spans):
        width = end - begin + 1
        inside = (row >= begin) & (row <= end)
        window[inside] = number
        worth[inside] = _sigmoid((row[inside] - end - 1) / width) / _sigmoid(np.array(-1.0))
        until = spans[number + 1][0] if number + 1 < len(spans) else rows
        after = (row > end) & (row < until)
        worth[after] = _sigmoid((row[after] - end) / max(width - 1, 1))
    return window, worth, row >= min(int(PROBATION_SHARE * rows), PROBATION_ROWS)


def _sigmoid(x: Floats) -> Floats:
    return np.where(x > 3, -1.0, 2 / (1 + np.exp(np.minimum(5 * x, 50.0))) - 1)


class Ladder:
    """The normalised score at every threshold, most surprising first."""

    def __init__(self, surprise: dict[str, Floats], series: dict[str, Series], profile: str) -> None:
        miss, false = PROFILES[profile]
        rows, windows = [], 0
        for name, one in series.items():
            window = np.where(one.window >= 0, one.window + windows, -1)
            rows.append(np.stack([surprise[name], one.worth, window])[:, one.scored])
            windows += one.windows
        values, worth, window = np.hstack(rows)
        order = np.argsort(-values, kind="stable")
        best, total, raw = np.full(windows, -miss), -miss * windows, np.empty(len(order))
        for place, row in enumerate(order.tolist()):
            number = int(window[row])
            if number < 0:
                total += false * worth[row]
            elif worth[row] > best[number]:
                total += worth[row] - best[number]
                best[number] = worth[row]
            raw[place] = total
        values = values[order]
        last = np.r_[values[1:] != values[:-1], True]  # all rows of one value are flagged at once
        self.thresholds = values[last]
        self.scores = 100 * (raw[last] + miss * windows) / ((1 + miss) * windows)

    def best(self) -> tuple[float, float]:
        """Score and threshold."""
        place = int(np.argmax(self.scores))
        return max(0.0, float(self.scores[place])), float(self.thresholds[place])

    def at(self, threshold: float) -> float:
        place = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        return 0.0 if place < 0 else float(self.scores[place])


def alert_once(seconds: Ints, surprise: Floats) -> Floats:
    """Within a day only what is more surprising than all before it alerts again: the rule a product's incidents give."""
    found = surprise.copy()
    for row in range(len(surprise)):
        begin = int(np.searchsorted(seconds, seconds[row] - QUIET_SECONDS))
        if row > begin and found[begin:row].max() >= surprise[row]:
            found[row] = 0.0
    return found


def run(root: Path, *, peers: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """One row a detector; there is no chance in it, so no seed."""
    series, rows = load(root), []
    for name in peers:
        surprise = {key: _surprise(name, one) for key, one in series.items()}
        once = {key: alert_once(series[key].seconds, values) for key, values in surprise.items()}
        measures = _measured(surprise, series)
        measures |= {f"once_{key}": value for key, value in _measured(once, series).items()}
        rows.append({"detector": name, "seed": 0, "series": len(series), "measures": measures})
    return rows


def _surprise(name: str, one: Series) -> Floats:
    bank, found = detectors.create(name, n_series=1, window_seconds=FIVE_MINUTES), np.zeros(len(one.counts))
    for row, (second, count) in enumerate(zip(one.seconds.tolist(), one.counts, strict=True)):
        start, counts = second // FIVE_MINUTES * FIVE_MINUTES, np.array([count])
        found[row] = -np.log10(max(float(bank.score(start, counts).p_value[0]), 1e-300))
        bank.learn(start, counts)
    return found


def profiles(surprise: dict[str, Floats], series: dict[str, Series]) -> dict[str, float]:
    """The best score of each profile."""
    return {profile: Ladder(surprise, series, profile).best()[0] for profile in PROFILES}


def _measured(surprise: dict[str, Floats], series: dict[str, Series]) -> dict[str, float]:
    total = 0.0
    for left_out, one in series.items():
        rest = {name: each for name, each in series.items() if name != left_out}
        threshold = Ladder(surprise, rest, "standard").best()[1]
        total += Ladder(surprise, {left_out: one}, "standard").at(threshold) * one.windows
    return profiles(surprise, series) | {"leave_one_out": total / sum(one.windows for one in series.values())}
