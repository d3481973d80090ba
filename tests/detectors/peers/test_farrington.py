"""The improved Farrington method gives the figures of farringtonFlexible in R's surveillance 1.20.3."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from detectors import create
from detectors.peers.farrington import Farrington, period_of

FOLDER = Path(__file__).parent / "surveillance"
WEEK = 604_800
# R's glm stops when the deviance moves by less than 1e-8 of itself; we go on.
CLOSE = {"expected": 1e-5, "phi": 5e-4, "p_value": 2e-3}


def series():
    return np.loadtxt(FOLDER / "series.csv", delimiter=",", skiprows=1, dtype=np.int64)


def read(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4 * 9 * 30
    return rows


def ours(name, **options):
    """Expected, dispersion, trend, p by (series, week), float; for the last 30 weeks of each series."""
    counts, found = series(), {}
    bank = create(name, n_series=counts.shape[1], window_seconds=WEEK, **options)
    for t, row in enumerate(counts):
        if t >= len(counts) - 30:
            scores = bank.score(t * WEEK, row)
            _, phi, trend = bank.forecast(bank.arrays["past"].astype(np.float64))
            for j in range(len(row)):
                found[j, t] = {
                    "expected": scores.expected[j],
                    "phi": phi[j],
                    "trend": trend[j],
                    "p_value": scores.p_value[j],
                }
        bank.learn(t * WEEK, row)
    return found


@pytest.mark.parametrize("trend_p", ["1", "0.05"])
def test_figures_are_those_of_r(trend_p):
    found = ours("farrington", trend_p=float(trend_p))
    rows = [row for row in read((FOLDER / "figures.csv").read_text()) if row["method"] == f"farrington_{trend_p}"]
    assert {row["trend"] for row in rows} == {"0", "1"}
    for row in rows:
        one = found[int(row["series"]), int(row["week"])]
        assert one["trend"] == (row["trend"] == "1"), row
        for name, close in CLOSE.items():
            assert one[name] == pytest.approx(float(row[name]), rel=close), (name, row)


@pytest.mark.parametrize("name", ["c1", "c2"])
def test_ears_warns_where_r_does(name):
    counts = series()
    bank = create(f"ears_{name}", n_series=counts.shape[1], window_seconds=WEEK)
    rows = [row for row in read((FOLDER / "figures.csv").read_text()) if row["method"] == name.upper()]
    upper = {(int(row["series"]), int(row["week"])): float(row["upper"]) for row in rows}
    alarms = 0
    for t, row in enumerate(counts):
        p = bank.score(t * WEEK, row).p_value
        for j in range(len(row)):
            if (j, t) in upper:
                assert (p[j] < 0.001) == (row[j] > upper[j, t])
                alarms += p[j] < 0.001
        bank.learn(t * WEEK, row)
    assert alarms > 10


@pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="no Rscript: apt-get install r-base-core r-cran-surveillance"
)
def test_r_still_says_what_was_kept():
    command = ["Rscript", str(FOLDER / "figures.R"), str(FOLDER / "series.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    if "there is no package called" in done.stderr:
        pytest.skip("R is there, surveillance is not: apt-get install r-cran-surveillance")
    assert done.returncode == 0, done.stderr
    for now, kept in zip(read(done.stdout.replace(" ", "")), read((FOLDER / "figures.csv").read_text()), strict=True):
        for name, value in kept.items():
            if name == "method" or value == "NA":
                assert now[name] == value
            else:
                assert float(now[name]) == pytest.approx(float(value), rel=1e-5)


def test_periods_are_cut_as_r_cuts_them():
    of = period_of(52, 5, 3, 10)
    ago = np.arange(len(of), 0, -1)
    assert len(of) == 263
    assert set(of[np.abs(ago % 52 - 26) > 22]) == {9}
    assert np.bincount(of[-55:-3]).tolist() == [5] * 9 + [7]


def test_a_window_that_no_cycle_fits_is_refused():
    with pytest.raises(ValueError, match="window_seconds: a cycle of 12 windows"):
        create("farrington", n_series=1, window_seconds=30 * 86_400)
    assert create("farrington", n_series=1, window_seconds=30 * 86_400, periods=3, half_width=1, gap=3)


def test_nothing_is_said_before_a_year_was_seen_and_no_trend_before_three():
    bank, rng = Farrington(n_series=2, window_seconds=WEEK), np.random.default_rng(5)
    said = []
    for t in range(170):
        row = rng.poisson(4 * np.exp(0.01 * t), 2)
        said.append(bank.score(t * WEEK, row + 100).p_value.max() < 1e-6)
        if t == 150:
            assert not bank.forecast(bank.arrays["past"].astype(np.float64))[2].any()
        bank.learn(t * WEEK, row)
    assert said.index(True) == 55
    assert bank.forecast(bank.arrays["past"].astype(np.float64))[2].any() or said[-1]
