"""What every detector must satisfy, ours and a user's own: `check(factory)` raises AssertionError naming the first breach.

The factory takes (n_series, window_seconds) and the keywords of `detectors.create`. All loads are made from fixed seeds.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

from detectors.base import Detector, Floats, Ints, Scores

Factory = Callable[..., Detector]
MONDAY = 1_704_067_200  # 2024-01-01 00:00 UTC
SERIES, WINDOW = 12, 3600


def quiet(n_series: int, windows: int, seed: int, mean: float = 2.0) -> Ints:
    """Poisson counts with a daily rhythm, int64[windows, n_series]; series differ in size."""
    rng = np.random.default_rng(seed)
    rhythm = 1 + 0.5 * np.cos(2 * np.pi * np.arange(windows) / 24)
    size = mean * np.exp(rng.normal(-0.3, 0.8, n_series))
    return rng.poisson(rhythm[:, None] * size).astype(np.int64)


def run(detector: Detector, counts: Ints, first: int = 0, window: int = WINDOW) -> Floats:
    """Score and learn window after window; p-values float64[windows, n_series]."""
    out = np.ones(counts.shape)
    for t, row in enumerate(counts, first):
        out[t - first] = detector.score(MONDAY + t * window, row).p_value
        detector.learn(MONDAY + t * window, row)
    return out


def grown_up(factory: Factory, windows: int = 24 * 15, **options: object) -> Detector:
    detector = factory(n_series=SERIES, window_seconds=WINDOW, **options)
    run(detector, quiet(SERIES, windows, seed=1))
    return detector


def check_scores(factory: Factory) -> None:
    """Right shapes and kinds; p-values in [0, 1]; the band lies above what is expected; a storm is surprising."""
    detector, counts = grown_up(factory), quiet(SERIES, 361, seed=2)[-1]
    scores = detector.score(MONDAY + 360 * WINDOW, counts)
    for name, array in scores._asdict().items():
        assert array.shape == (SERIES,), f"{name}: shape {array.shape}"
        assert array.dtype == np.float64, f"{name}: {array.dtype}"
        assert np.isfinite(array).all(), f"{name}: not finite"
    assert ((scores.p_value >= 0) & (scores.p_value <= 1)).all(), "p_value outside [0, 1]"
    assert (scores.expected >= 0).all(), "expected is negative"
    assert (scores.upper >= scores.expected).all(), "upper lies under expected"
    storm = detector.score(MONDAY + 360 * WINDOW, counts + 200)
    assert (storm.p_value < 0.01).all(), f"200 complaints more are no surprise: {storm.p_value}"


def check_score_is_pure(factory: Factory) -> None:
    """Scoring, of this window or one far ahead, changes nothing; it neither keeps nor writes the caller's arrays."""
    one, other = grown_up(factory), grown_up(factory)
    before = one.snapshot()
    for ahead in (0, 1, 50, 0):
        counts = np.full(SERIES, 30 + ahead, np.int64)
        one.score(MONDAY + (360 + ahead) * WINDOW, counts)
        assert (counts == 30 + ahead).all(), "score wrote into counts"
        counts[:] = 0
    assert one.snapshot() == before, "score changed the state"
    counts = quiet(SERIES, 24, seed=3)
    assert np.array_equal(run(one, counts, 360), run(other, counts, 360)), "score changed later scores"


def check_deterministic(factory: Factory) -> None:
    """Equal input gives equal p-values and equal snapshots."""
    one, other = grown_up(factory), grown_up(factory)
    assert one.snapshot() == other.snapshot(), "two equal runs differ"


def check_snapshot(factory: Factory) -> None:
    """A restored detector goes on exactly as the first; a damaged snapshot is refused."""
    one = grown_up(factory)
    other = factory(n_series=1, window_seconds=WINDOW)
    state = one.snapshot()
    other.restore(state)
    assert other.snapshot() == state, "snapshot of the restored differs"
    counts = quiet(SERIES, 60, seed=4)
    assert np.array_equal(run(one, counts, 360), run(other, counts, 360)), "the restored goes on differently"
    broken = bytearray(state)
    broken[len(broken) // 2] ^= 1
    for bad in (bytes(broken), state[:-1], b"", b"nonsense" * 9):
        _refuses(lambda bad=bad: other.restore(bad), "restore took a damaged snapshot")  # type: ignore[misc]


def check_grow_and_keep(factory: Factory) -> None:
    """Growing leaves the old series as they are; keeping renumbers; a new series neither alarms on its first complaint nor sleeps."""
    one, other = grown_up(factory), grown_up(factory)
    one.grow(SERIES + 3)
    counts = quiet(SERIES, 48, seed=5)
    wide = np.hstack([counts, np.zeros((48, 3), np.int64)])
    wide[0, -1] = 1
    grown, plain = run(one, wide, 360), run(other, counts, 360)
    assert grown[0, -1] > 1e-3, f"the first complaint of a new series alarms: {grown[0, -1]}"
    assert np.allclose(np.log(grown[:, :SERIES]), np.log(plain), atol=0.7), "growing changed the old series"
    order = np.array([SERIES, 3, 0, 7])
    one.keep(order)
    part = one.score(MONDAY + 408 * WINDOW, np.array([0, 40, 1, 40], np.int64))
    whole = other.score(MONDAY + 408 * WINDOW, np.eye(SERIES, dtype=np.int64)[3] * 40)
    assert part.p_value.shape == (4,), "keep left another number of series"
    assert np.isclose(part.expected[1], whole.expected[3], rtol=0.1), "keep mixed the series up"


def check_hold(factory: Factory) -> None:
    """Counts of a series inside an incident do not move what is expected of it."""
    held, calm = grown_up(factory), grown_up(factory)
    hold = np.zeros(SERIES, np.bool_)
    hold[4] = True
    for t, row in enumerate(quiet(SERIES, 6, seed=6), 360):
        storm = row.copy()
        storm[4] += 300
        held.learn(MONDAY + t * WINDOW, storm, hold=hold)
        calm.learn(MONDAY + t * WINDOW, row, hold=hold)
    nothing = np.zeros(SERIES, np.int64)
    expected = [d.score(MONDAY + 366 * WINDOW, nothing).expected for d in (held, calm)]
    assert np.allclose(expected[0][4], expected[1][4], rtol=1e-6), (
        f"held, yet it learnt: {expected[0][4]}, {expected[1][4]}"
    )


def check_exposure(factory: Factory) -> None:
    """Blind series have p-value 1 and learn nothing; a planned event scales what is expected."""
    detector, other = grown_up(factory), grown_up(factory)
    start, exposure = MONDAY + 360 * WINDOW, np.ones(SERIES)
    exposure[2], exposure[5] = 0.0, 3.0
    counts = np.full(SERIES, 50, np.int64)
    plain, scaled = detector.score(start, counts), detector.score(start, counts, exposure)
    assert scaled.p_value[2] == 1.0, "a blind series has a p-value below 1"
    assert np.isclose(scaled.expected[5], 3 * plain.expected[5], rtol=1e-6), "exposure does not scale what is expected"
    assert np.isclose(scaled.expected[0], plain.expected[0], rtol=1e-6), "exposure of one series moved another"
    for t in range(360, 384):
        row = quiet(SERIES, 1, seed=t)[0]
        detector.learn(MONDAY + t * WINDOW, row * (exposure > 0), exposure=exposure)
        other.learn(MONDAY + t * WINDOW, row)
    nothing = np.zeros(SERIES, np.int64)
    blind, seeing = (d.score(MONDAY + 384 * WINDOW, nothing).expected[2] for d in (detector, other))
    assert blind > 0.5 * seeing, f"blindness was learnt as silence: {blind} expected, {seeing} had it seen"


def check_left_out_windows(factory: Factory) -> None:
    """Windows left out are windows of zeros, over hours and over weeks."""
    for gap in (1, 5, 30, 24 * 20):
        one, other = grown_up(factory), grown_up(factory)
        nothing = np.zeros(SERIES, np.int64)
        for t in range(360, 360 + gap):
            one.learn(MONDAY + t * WINDOW, nothing)
        counts = quiet(SERIES, 40, seed=7)
        a, b = run(one, counts, 360 + gap), run(other, counts, 360 + gap)
        assert np.allclose(a, b, rtol=1e-3, atol=1e-300), f"{gap} windows left out are not {gap} windows of zeros"


def check_calibrated(factory: Factory) -> None:
    """On a quiet load p-values are not smaller than chance makes them: at most 3 times as often under 1 %, 0.1 %."""
    n, learn, judge = 150, 24 * 21, 24 * 7
    detector = factory(n_series=n, window_seconds=WINDOW)
    p = run(detector, quiet(n, learn + judge, seed=8))[learn:]
    for cut in (1e-2, 1e-3):
        share = float((p <= cut).mean())
        assert share <= 3 * cut, f"{share:.5f} of quiet windows have p <= {cut}"


def check_refuses_nonsense(factory: Factory) -> None:
    """Wrong shapes, negative, broken or infinite counts, and times that go back raise ValueError and change nothing."""
    detector = grown_up(factory)
    before, start, counts = detector.snapshot(), MONDAY + 360 * WINDOW, np.ones(SERIES)
    bad = [counts[:-1], -counts, counts * 0.5, counts * np.nan, counts * np.inf, np.array(["a"] * SERIES)]
    for given in bad:
        _refuses(lambda given=given: detector.score(start, given), f"score took {given}")  # type: ignore[misc]
        _refuses(lambda given=given: detector.learn(start, given), f"learn took {given}")  # type: ignore[misc]
    _refuses(lambda: detector.learn(start - WINDOW, counts), "learn took a window twice")
    _refuses(lambda: detector.score(start, counts, exposure=-counts), "score took a negative exposure")
    _refuses(lambda: detector.keep([SERIES]), "keep took a series that is not there")
    _refuses(lambda: detector.grow(SERIES - 1), "grow shrank")
    assert detector.snapshot() == before, "a refused call changed the state"


def check_memory(factory: Factory) -> None:
    """A long stream does not grow the state."""
    detector = grown_up(factory)
    size, counts = len(detector.snapshot()), quiet(SERIES, 24 * 30, seed=9)
    tracemalloc.start()
    run(detector, counts[: 24 * 10], 360)
    early = tracemalloc.get_traced_memory()[0]
    run(detector, counts[24 * 10 :], 360 + 24 * 10)
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(detector.snapshot()) < 1.5 * size + 4096, "the snapshot grows with time"
    assert late < early + 200_000, f"{late - early} bytes more after 20 days"


def checks() -> list[Callable[[Factory], None]]:
    """All checks, in the order of the file."""
    return [value for name, value in globals().items() if name.startswith("check_")]


def check(factory: Factory) -> None:
    """Run all checks."""
    for one in checks():
        one(factory)


def _refuses(call: Callable[[], Scores | None], what: str) -> None:
    try:
        call()
    except ValueError:
        return
    raise AssertionError(what)
