"""Work: simulated mentions of brands, five-minute counts over eight weeks, with cascades and labelled bursts of our own.

A brand has a level that wanders, a day and a week, gamma-Poisson noise, and cascades: now and then one message is passed on,
the mentions it brings are Pareto in size (a tail index of its own for each brand) and fade over minutes to hours; blips of
the same sizes fill one window only. A labelled
burst is a cascade of the sizes the brand sees once in some weeks, begun at once, built up over hours, or announced by smaller ones;
unlabelled cascades of that size happen, too. Labels and scores are laid out as NAB does, so that one program scores both.
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
TAILS = (1.1, 2.2)
CASCADES_A_DAY = (0.5, 6.0)
FADES_ROWS = (3.0, 30.0)
BLIPS_A_DAY = (0.5, 6.0)


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
    usual = np.exp(rng.uniform(np.log(4), np.log(100)))
    tail, fade = rng.uniform(*TAILS), np.exp(rng.uniform(np.log(FADES_ROWS[0]), np.log(FADES_ROWS[1])))
    often, least = np.exp(rng.uniform(*np.log(CASCADES_A_DAY))), usual * rng.uniform(0.5, 3.0)
    rate = usual * _rhythm(rng) * _wandering(rng)
    starts = np.flatnonzero(rng.random(ROWS) < often / DAY_ROWS)
    for row in starts:
        _cascade(rng, rate, int(row), least * rng.random() ** (-1 / tail), fade)
    blips = np.flatnonzero(rng.random(ROWS) < np.exp(rng.uniform(*np.log(BLIPS_A_DAY))) / DAY_ROWS)
    rate[blips] += least * rng.random(len(blips)) ** (-1 / tail)
    bursts = _places(rng)
    for row in bursts:
        weeks = rng.uniform(1.5, 8.0)  # in which the brand has one cascade of this size
        size = least * (often * 7 * weeks) ** (1 / tail) * rng.uniform(0.8, 1.5)
        _burst(rng, rate, int(row), size, fade)
    shape = rng.uniform(3, 20)
    return rng.poisson(rate * rng.gamma(shape, 1 / shape, ROWS)).astype(np.int64), bursts


def _rhythm(rng: np.random.Generator) -> Floats:
    row = np.arange(ROWS)
    day = np.exp(rng.uniform(0.1, 0.9) * np.cos(2 * np.pi * (row / DAY_ROWS - rng.random())))
    weekend = np.where(row // DAY_ROWS % 7 >= 5, rng.uniform(0.5, 1.0), 1.0)
    return np.asarray(day * weekend / day.mean(), np.float64)


def _wandering(rng: np.random.Generator) -> Floats:
    """A level that moves by some tenths over days, and now and then steps."""
    days = ROWS // DAY_ROWS + 2
    walk = np.zeros(days)
    for day in range(1, days):
        walk[day] = 0.8 * walk[day - 1] + rng.normal(0, 0.12) + (rng.random() < 0.02) * rng.normal(0, 0.5)
    return np.asarray(np.exp(np.interp(np.arange(ROWS) / DAY_ROWS, np.arange(days), walk)), np.float64)


def _cascade(rng: np.random.Generator, rate: Floats, row: int, peak: float, fade: float) -> None:
    """Adds a cascade of `peak` mentions in its first row that fades with time constant `fade` (rows), uneven as it goes."""
    fade = fade * np.exp(rng.normal(0, 0.5))
    length = min(len(rate) - row, int(8 * fade) + 1)
    rate[row : row + length] += peak * np.exp(-np.arange(length) / fade) * rng.gamma(4, 1 / 4, length)


def _burst(rng: np.random.Generator, rate: Floats, row: int, size: float, fade: float) -> None:
    kind = rng.random()
    if kind < 0.2:  # builds up over one to four hours
        rise = int(rng.integers(12, 48))
        rate[row : row + rise] += size / 2 * np.linspace(0, 1, rise) ** 2
        _cascade(rng, rate, row + rise, size / 2, 2 * fade)
        return
    for _ in range(rng.poisson(1.0) if kind < 0.6 else 0):  # announced within half a day
        _cascade(rng, rate, row - int(rng.integers(6, DAY_ROWS // 2)), size * rng.uniform(0.1, 0.6), fade)
    _cascade(rng, rate, row, size, fade)


def _places(rng: np.random.Generator) -> Ints:
    """Rows of two to five bursts whose windows neither meet nor lie in the probation."""
    while True:
        number = int(rng.integers(2, 6))
        half = int(WINDOWS_SHARE * ROWS / number / 2)
        rows = np.sort(rng.integers(PROBATION_ROWS + half, ROWS - half, number))
        if np.diff(rows).min() > 2 * half + 2:
            return rows
