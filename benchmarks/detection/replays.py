"""Work: real complaints with independently known disruptions through `overheard replay`; read from a folder, never shipped."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKS = {
    "airline_tweets_2015": "airline",
    "power_tweets_2016_2020": "power",
    "power_phrase_windows_2019": "power",
    "houston311_2011_2016": "city311",
    "crisislex_t6": "power",
    "crisislex_t26": "city311",
}


def run(data: Path, judge: Path | None = None) -> Iterator[dict[str, Any]]:
    """A row a file that is there, with the figures of evaluation.json, or of a judge's replay.py."""
    for name, pack in PACKS.items():
        complaints, labels = data / f"{name}.jsonl.gz", data / f"{name}.labels.json"
        if not complaints.is_file():
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            command = [str(Path(sys.executable).parent / "overheard"), "replay", str(complaints), "--pack", pack]
            subprocess.run([*command, "--labels", str(labels), "--out", str(out)], check=True, capture_output=True)
            found = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
            if judge is not None:
                command = [sys.executable, str(judge / "replay.py"), "--incidents", str(out / "incidents.jsonl")]
                command += ["--labels", str(labels), "--complaints", str(complaints)]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield {"detector": name, "seed": 0, "series": 0, "measures": _measures(found)}


def _measures(found: dict[str, Any]) -> dict[str, float]:
    city = found["by_precision"]["city"]
    return {
        "answered": float(found["answered"]),
        "labels": float(found["labels"]),
        "city_answered": float(city["answered"]),
        "city_labels": float(city["labels"]),
        "unanswered_per_week": float(found["unanswered_per_week"]),
        "delay_hours": float("nan" if found["delay_hours_median"] is None else found["delay_hours_median"]),
    }
