"""The benchmark of the detectors counts as it says: simulations, episodes, NAB's score, the table, the plots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.detection import figures, mentions, outbreaks, plots, tweets
from benchmarks.detection.complaints import WEEK, Disruptions, Town, town
from benchmarks.detection.episodes import Judged
from benchmarks.detection.exact import tail
from benchmarks.detection.situations import mornings, spike_rule

ROOT = Path(__file__).parents[2]
NOBODY = Disruptions(*(np.zeros(0, np.int64) for _ in range(4)))


def test_counts_have_the_mean_and_dispersion_they_are_said_to_have():
    world = Town(np.random.default_rng(1), 2000, NOBODY)
    total, expected, excess = np.zeros(2000), np.zeros(2000), 0.0
    for window in range(WEEK):
        mean, counts = world.mean(window), world.counts(window)
        total, expected = total + counts, expected + mean
        excess += (((counts - mean) ** 2 - world.phi * mean) / (mean + 1)).sum()
    assert total.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert abs(excess) < 0.03 * total.sum()
    assert world.rhythm.mean(1) == pytest.approx(1)


def test_disruptions_of_the_judged_week_come_once_a_series_and_add_what_they_say():
    world = town(4000, 5, seed=2, past=20)
    last = world.disruptions.start >= 4 * WEEK
    assert last.sum() == 80
    assert last[:80].all()
    assert len(set(world.disruptions.series[:80].tolist())) == 80
    assert len(last) == 80 + 4000 * 20 * 3 // 1000
    one = Disruptions(np.array([0]), np.array([0]), np.array([4]), np.array([16]))
    more = [Town(np.random.default_rng(seed), 1, one) for seed in range(400)]
    extra = np.mean([[world.counts(t)[0] - world.mean(t)[0] for t in range(4)] for world in more], axis=0)
    usual = np.mean([16 * np.sqrt(world.phi[0] * world.mean(1)[0]) + 0.5 for world in more])
    assert extra[1] == pytest.approx(usual, rel=0.15)
    assert extra[0] == pytest.approx(usual / 2, rel=0.2)


def judged(*hot: tuple[int, int, float]) -> Judged:
    """Two series of which number 0 is disrupted in windows 100 to 109; `hot`: (series, window, p)."""
    disruption = Disruptions(np.array([0]), np.array([WEEK + 100]), np.array([10]), np.array([8]))
    found = Judged(disruption, WEEK, 2)
    for window in range(WEEK):
        p = np.ones(2)
        for series, at, value in hot:
            if at == window:
                p[series] = value
        found.add(window, p, np.full(2, 3))
    found.finish()
    return found


def test_episodes_are_joined_split_and_forgiven():
    assert judged((1, 5, 1e-4), (1, 9, 1e-4)).at(1e-3)["fa"] == 1 / 2
    assert judged((1, 5, 1e-4), (1, 10, 1e-4)).at(1e-3)["fa"] == 2 / 2
    assert judged(*((1, at, 1e-4) for at in range(60))).at(1e-3)["fa"] == 3 / 2
    after = judged(*((0, at, 1e-4) for at in range(104, 140)))
    assert after.at(1e-3) == pytest.approx(
        {"fa": 0, "fdr": 0, "pod": 1, "within_hour": 0, "delay_strong": 4, "delay_all": 4}
    )
    assert judged((0, 118, 1e-4)).at(1e-3)["fa"] == 1 / 2
    assert judged((0, 117, 1e-4)).at(1e-3)["fa"] == 0


def test_a_cut_is_the_loosest_that_is_quiet_enough():
    found = judged((1, 5, 1e-4), (1, 50, 1e-6), (0, 103, 1e-5))
    one = found.matched(0.5)
    assert (one["pod"], one["reached"], one["fa"]) == (1, 1, 0.5)
    assert one["log10_cut"] == pytest.approx(-4, abs=1e-6)
    assert found.matched(0.4)["reached"] == 0
    assert found.pod_at_fdr(0.5) == 1
    assert found.pod_at_fdr(0.4) == 0


def test_tails_are_exact():
    from scipy import stats

    mean, phi = np.array([2.0, 2.0]), np.array([1.0, 3.0])
    expected = [stats.poisson.sf(5, 2), stats.nbinom.sf(5, 1, 1 / 3)]
    assert tail(np.array([6, 6]), mean, phi) == pytest.approx(expected, rel=1e-6)


def test_the_weekly_scenarios_are_those_published():
    world = outbreaks.simulate(3, repeats=20)
    assert len(world.phi) == 42 * 20
    before = slice(0, outbreaks.FIRST_BASELINE)
    assert world.calm[:, before].sum() == pytest.approx(world.mean[:, before].sum(), rel=0.01)
    added = (world.ill - world.calm).sum(1)
    assert added.min() >= 2
    assert (world.ill - world.calm)[:, : outbreaks.FIRST_JUDGED].sum() == 0
    assert (world.begin <= world.end).all()


def test_nab_scores_nothing_0_and_the_earliest_hit_of_each_window_100(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "data/realTweets").mkdir(parents=True)
    when = [f"2015-03-{1 + row // 288:02d} {row % 288 // 12:02d}:{row % 12 * 5:02d}:00" for row in range(1000)]
    rows = "timestamp,value\n" + "".join(f"{one},3\n" for one in when)
    (tmp_path / "data/realTweets/a.csv").write_text(rows)
    spans = {"realTweets/a.csv": [[f"{when[300]}.000000", f"{when[399]}.000000"], [when[600], when[699]]]}
    (tmp_path / "labels/combined_windows.json").write_text(json.dumps(spans))
    series = tweets.load(tmp_path)

    def best(*flagged, profile="standard"):
        surprise = np.zeros(1000)
        surprise[list(flagged)] = 5
        return tweets.Ladder({"realTweets/a.csv": surprise}, series, profile).at(5)

    assert best(300, 600) == pytest.approx(100)
    assert best(300, 301, 600, 650) == pytest.approx(100)
    assert best(300) == pytest.approx(50)
    assert 75 < best(300, 699) < 76
    assert best(300, 600, 250) == pytest.approx(100 - 100 * 0.11 / 4)
    assert best(300, 600, 250, profile="low_fp") == pytest.approx(100 - 100 * 0.22 / 4)
    assert best(10, 300, 600) == pytest.approx(100)  # the first rows are not scored


def test_only_a_higher_score_alerts_again_within_a_day():
    seconds = np.arange(7) * 43_200
    surprise = np.array([3.0, 3.0, 2.0, 4.0, 3.0, 3.5, 1.0])
    assert tweets.alert_once(seconds, surprise).tolist() == [3, 0, 0, 4, 0, 0, 1]


def test_the_spike_rule_alarms_every_morning():
    alarms = spike_rule(mornings(np.random.default_rng(4)), 10)
    assert [int(one) // 1440 for one in alarms] == [1, 2, 3, 4]


def rows(**pods: float) -> list[dict[str, object]]:
    return [
        {"detector": name, "seed": seed, "measures": {"pod@0.01": pod + seed / 100, "reached@0.01": float(pod > 0)}}
        for name, pod in pods.items()
        for seed in (0, 1, 2)
    ]


def test_the_table_tells_what_was_missed_and_what_was_never_reached():
    text = figures.table({"stream": rows(default=0.9, oracle=0.95, cusum=0.2, ewma=0.0)})
    assert "| ≥ 0.8 | 0.910 ± 0.025 | 0.210 ± 0.025 cusum | 0.960 ± 0.025 |" in text
    assert "0.710 ± 0.025 **missed**" in figures.table({"stream": rows(default=0.7)})
    assert "not reached **missed** | none gets that quiet" in figures.table({"stream": rows(default=0.0, ewma=0.0)})


def test_plots_are_svg_with_a_line_a_detector_inside_the_canvas(tmp_path):
    one = {"detector": "default", "curve": [[0.001, 1, 0.6, 5.0], [0.01, 1, 0.8, 4.0], [0.1, 1, 0.9, 2.0]]}
    never = {"detector": "ewma", "curve": [[0.001, 0, 0.0, 9.0], [0.01, 0, 0.0, 9.0], [0.1, 1, 0.1, 9.0]]}
    (path,) = plots.draw({"stream": [one, never]}, tmp_path)
    root = ElementTree.parse(path).getroot()
    circles = [item for item in root.iter() if item.tag.endswith("circle")]
    assert len(circles) == 3 + 1
    for circle in circles:
        assert plots.LEFT - 1 <= float(circle.get("cx")) <= plots.WIDTH - plots.RIGHT + 1
        assert plots.TOP - 1 <= float(circle.get("cy")) <= plots.HEIGHT - plots.BOTTOM + 1
    assert "default" in path.read_text()


def test_the_command_runs_alone_and_goes_on_where_it_was(tmp_path):
    out = tmp_path / "rows.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.detection",
        "--quick",
        "--seeds",
        "1",
        "--data",
        str(tmp_path / "none"),
    ]
    command += ["--work", "budget_100", "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=True)
    assert "| budget |" in done.stdout
    assert "budget_100, seed 20261" in done.stdout
    (budget, hindsight) = json.loads(out.read_text())["works"]["budget_100"]
    assert budget["measures"]["pod"] <= hindsight["measures"]["pod"] + 0.5
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=True)
    assert "budget_100, seed" not in again.stdout
    assert "| budget |" in again.stdout


def test_bursts_of_simulated_mentions_stand_in_labelled_windows_and_stand_out():
    simulated = mentions.simulate(9, 6)
    laid = mentions.series(simulated)
    for number, (one, bursts) in enumerate(zip(laid.values(), simulated.bursts, strict=True)):
        assert one.window[bursts].tolist() == list(range(one.windows))
        assert one.scored[one.window >= 0].all()
        nearby = [simulated.counts[row : row + 72, number].max() for row in bursts]
        assert np.median(nearby) > np.quantile(simulated.counts[:, number], 0.95)
