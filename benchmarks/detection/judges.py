"""Programs that measure from outside, by their folder: each prints one JSON object, whose figures become rows of a work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
SETTINGS = {"stream": (), "stream_long": ("--durations", "2,49", "--past", "20")}


def pieces(folder: Path, seed: int, series: int) -> Iterator[tuple[str, Callable[[], Rows]]]:
    """(work, what makes its rows) of one seed."""
    for work in SETTINGS:
        yield work, partial(stream, folder, seed, series, work)
    yield "outbreaks", partial(outbreaks, folder, seed)
    yield f"budget_{series}", partial(budget, folder, seed, series)


def stream(folder: Path, seed: int, series: int, work: str) -> Rows:
    """Ours and the oracle."""
    found = _ask(folder, "stream.py", "--oracle", "--seed", str(seed), "--series", str(series), *SETTINGS[work])
    rows = []
    for detector, prefix in (("default", ""), ("oracle", "oracle_")):
        measures = {"pod_at_fdr_0.05": found[f"{prefix}pod_at_fdr_0.05"]}
        for fa in ("0.01", "0.001"):
            one = found[f"{prefix}fa_{fa}"]
            measures |= {f"pod@{fa}": one["pod"], f"reached@{fa}": float(one["reached"])}
            measures |= {f"within_hour@{fa}": one["pod_within_1h"], f"delay_strong@{fa}": one["delay_median_strong"]}
        rows.append({"detector": detector, "seed": seed, "series": series, "measures": measures})
    tests = {name.split("-")[0]: number for name, number in found["tests_by_rate"].items()}
    for row, key in zip(rows, ("share_p_below_1e-4_without_disruption_by_rate", "oracle_share_by_rate"), strict=True):
        shares = {name.split("-")[0]: share for name, share in found[key].items()}
        row["rare"] = {name: [share * tests[name], tests[name]] for name, share in shares.items()}
    return rows


def outbreaks(folder: Path, seed: int) -> Rows:
    found = _ask(folder, "outbreaks.py", "--seed", str(seed))
    measures = {f"pod@{rate}": found[f"fpr_{rate}"]["pod"] for rate in ("0.01", "0.001")}
    measures["fpr_nominal_0.01"] = found["nominal_0.01"]["fpr"]
    measures["worst_nominal_0.01"] = found["nominal_0.01"]["worst_scenario_fpr"]
    return [{"detector": "weekly", "seed": seed, "series": 4200, "measures": measures}]


def budget(folder: Path, seed: int, series: int) -> Rows:
    found = _ask(folder, "budget.py", "--seed", str(seed), "--series", str(series))
    measures = {name: float(found[name]) for name in ("held", "false_per_week", "pod", "incidents_per_storm")}
    measures["pod_share_of_hindsight"] = found["pod"] / found["hindsight_pod"]
    measures["false_per_storm_day"] = found["false_within_day_of_storm"]
    return [{"detector": "budget", "seed": seed, "series": series, "measures": measures}]


def tweets(folder: Path, nab: Path) -> Rows:
    found = _ask(folder, "nab.py", "--root", str(nab))
    measures = {}
    for prefix, part in (("", found), ("once_", found["alert_once"])):
        measures[f"{prefix}leave_one_out"] = part["leave_one_out_standard"]
        for ours, theirs in (("standard", "standard"), ("low_fp", "reward_low_FP"), ("low_fn", "reward_low_FN")):
            measures[f"{prefix}{ours}"] = part[theirs]["score"]
    return [{"detector": "tweets", "seed": 0, "series": found["series"], "measures": measures}]


def _ask(folder: Path, program: str, *words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(folder / program), *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.strip()[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
