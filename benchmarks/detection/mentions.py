"""Work: simulated mentions of brands, five-minute counts over eight weeks, with cascades and labelled bursts of our own.

A brand has a level that wanders, a day and a week, days with news, gamma-Poisson noise, gaps in what was collected, and
cascades: one message is passed on, the mentions it brings are Pareto in size (a tail index of its own for each brand) and fade as
a power of time (Crane and Sornette 2008, PNAS 105:15649), some after a rise of minutes. The ranges are those of the raw counts of five
series of NAB's realTweets: share of zeros, daily shape, noise, autocorrelation, peaks a day, what is left of a peak later.
Labelled is what a person would mark on a plot of the whole: two to five of the largest, by height or by what they bring in an
hour, three or twelve, one such rule a brand. Labels and scores are laid out as NAB does, so that one program scores both.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import detectors
from benchmarks.detection.complaints import Floats, Ints
from benchmarks.detection.tweets import FIVE_MINUTES, PEERS, PROBATION_ROWS, Series, alert_once, laid_out, profiles

DAY_ROWS, ROWS = 288, 15_840
MONDAY = 1_704_067_200
WINDOWS_SHARE = 0.1  # of a series' rows lie in labelled windows
USUAL = (0.7, 70.0)  # mentions in a window
TAILS = (1.1, 2.6)
LEAST_CASCADE, CASCADE = 0.8, 2.5  # times the level
CASCADES_A_DAY = (0.5, 5.0)  # of the larger kind
FADES_ROWS = (0.15, 4.0)
NEWS_A_DAY, NEWS_HOURS = (0.05, 0.5), (2.0, 12.0)
HOUR_ROWS = 12
JUDGED_ROWS = (1, 12, 36, 144)  # by what a burst brings in so long it is thought large
JITTER = 0.35


class Mentions(NamedTuple):
    """Counts int64[rows, n]; `bursts`: first rows of the labelled bursts of each series."""

    counts: Ints
    bursts: tuple[Ints, ...]


def simulate(seed: int, n_series: int) -> Mentions:
    """Fifty-five days of `n_series` brands."""
    rng = np.random.default_rng(seed)
    made = [_brand(rng) for _ in range(n_series)]
    return Mentions(np.stack([counts for counts, _ in made], axis=1), tuple(bursts for _, bursts in made))


def series(mentions: Mentions) -> dict[str, Series]:
    """As NAB lays its series out: a labelled window is centred on its burst, all of them are a tenth of the rows."""
    out = {}
    for number, bursts in enumerate(mentions.bursts):
        half = int(WINDOWS_SHARE * ROWS / len(bursts) / 2)
        spans = [(int(row) - half, min(int(row) + half, ROWS - 1)) for row in bursts]
        seconds = MONDAY + FIVE_MINUTES * np.arange(ROWS)
        out[str(number)] = laid_out(seconds, mentions.counts[:, number], spans)
    return out


def run(seed: int, *, n_series: int = 24, peers: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """One row a detector, scored as NAB scores; `p_0.001`: share of all windows with p under .001, in thousandths."""
    mentions, rows = simulate(seed, n_series), []
    laid = series(mentions)
    for name in peers:
        found = surprise(name, mentions.counts)
        of = {key: found[:, number] for number, key in enumerate(laid)}
        once = {key: alert_once(laid[key].seconds, values) for key, values in of.items()}
        measures = profiles(of, laid) | {f"once_{key}": value for key, value in profiles(once, laid).items()}
        measures["p_0.001"] = 1e3 * float((found[PROBATION_ROWS:] >= 3).mean())
        rows.append({"detector": name, "seed": seed, "series": n_series, "measures": measures})
    return rows


def surprise(name: str, counts: Ints) -> Floats:
    """-log10 p of every window; each brand has a profile of its own."""
    n = counts.shape[1]
    bank = detectors.create(name, n_series=n, window_seconds=FIVE_MINUTES, groups=np.arange(n))
    found = np.zeros(counts.shape)
    for row, seen in enumerate(counts):
        start = MONDAY + FIVE_MINUTES * row
        found[row] = -np.log10(np.maximum(bank.score(start, seen).p_value, 1e-300))
        bank.learn(start, seen)
    return found


def _brand(rng: np.random.Generator) -> tuple[Ints, Ints]:
    usual, tail, often = _between(rng, USUAL), rng.uniform(*TAILS), _between(rng, CASCADES_A_DAY)
    calm, lively = _rhythm(rng) * _wandering(rng), _news(rng)
    level, excess = calm * lively, np.zeros(ROWS)
    a_day = often * (CASCADE / LEAST_CASCADE) ** tail * level * np.minimum(lively, 5) ** 0.5 / level.mean()
    for row in np.flatnonzero(rng.random(ROWS) < a_day / DAY_ROWS).tolist():
        _cascade(rng, excess, row, LEAST_CASCADE * rng.random() ** (-1 / tail) * level[row])
    shape = rng.uniform(8, 25)
    counts = rng.poisson(usual * (level + excess) * rng.gamma(shape, 1 / shape, ROWS)).astype(np.int64)
    for row in rng.integers(0, ROWS, rng.integers(0, 3)).tolist():
        counts[row : row + int(rng.integers(1, 26))] = 0  # not collected
    return counts, _labelled(rng, counts - usual * calm)


def _between(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(ends))))


def _rhythm(rng: np.random.Generator) -> Floats:
    row, at = np.arange(ROWS), rng.random()
    turn = 2 * np.pi * (row / DAY_ROWS - at)
    day = np.exp(rng.uniform(0.35, 0.6) * (np.cos(turn) + 0.3 * np.cos(2 * turn - 1.2)))
    week = np.where(row // DAY_ROWS % 7 >= 5, rng.uniform(0.5, 1.0), 1.0)
    return np.asarray(day * week / np.median(day * week), np.float64)


def _wandering(rng: np.random.Generator) -> Floats:
    """A level that moves over days and over hours."""
    moved = np.zeros(ROWS)
    for rows, stays, sd in ((DAY_ROWS, 0.7, rng.uniform(0.08, 0.25)), (3 * HOUR_ROWS, 0.6, rng.uniform(0.1, 0.3))):
        walk = np.zeros(ROWS // rows + 2)
        for step in range(1, len(walk)):
            walk[step] = stays * walk[step - 1] + rng.normal(0, sd)
        moved += np.interp(np.arange(ROWS) / rows, np.arange(len(walk)), walk)
    return np.exp(moved)


def _news(rng: np.random.Generator) -> Floats:
    """Times the usual level: 1, and more for hours when something has happened."""
    raised, often, size = np.zeros(ROWS), _between(rng, NEWS_A_DAY), rng.uniform(0.2, 1.0)
    for row in np.flatnonzero(rng.random(ROWS) < often / DAY_ROWS).tolist():
        fade = _between(rng, NEWS_HOURS) * HOUR_ROWS
        raised[row:] += rng.exponential(size) * np.exp(-np.arange(ROWS - row) / fade)
    return np.exp(raised)


def _cascade(rng: np.random.Generator, excess: Floats, row: int, peak: float) -> None:
    """Adds a cascade of `peak` in its first row, uneven as it fades; one in four rises to it over up to eight rows."""
    length = min(ROWS - row, DAY_ROWS)
    fading = (1 + np.arange(length) / _between(rng, FADES_ROWS)) ** -1.5
    if rng.random() < 0.25:
        rise = min(int(rng.integers(1, 9)), row)
        excess[row - rise : row] += peak * (np.arange(1, rise + 1) / (rise + 1)) ** 2
    excess[row : row + length] += peak * fading * rng.gamma(6, 1 / 6, length)


def _labelled(rng: np.random.Generator, excess: Floats) -> Ints:
    """First rows of two to five of the largest bursts, whose windows neither meet nor lie in the probation."""
    number, rows = int(rng.integers(2, 6)), int(rng.choice(JUDGED_ROWS))
    half = int(WINDOWS_SHARE * ROWS / number / 2)
    brought = np.convolve(excess, np.ones(rows), "valid")
    brought[: PROBATION_ROWS + half] = brought[ROWS - half - rows :] = 0
    found: list[tuple[float, int]] = []
    while len(found) < 40 and brought.max() > 0:
        row = int(np.argmax(brought))
        found.append((float(brought[row] * np.exp(rng.normal(0, JITTER))), row))
        brought[max(0, row - DAY_ROWS // 2) : row + DAY_ROWS // 2] = 0
    chosen: list[int] = []
    for _, row in sorted(found, reverse=True):
        if len(chosen) < number and all(abs(row - other) > 2 * half + rows + 2 for other in chosen):
            chosen.append(row)
    begun = [row + int(np.argmax(excess[row : row + rows] >= excess[row : row + rows].max() / 4)) for row in chosen]
    return np.array(sorted(begun), np.int64)
