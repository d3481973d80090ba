"""Writes the dashboards as JSON: `overheard dashboards build`. What is committed is what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana import board, incident, network, pipeline, places, quality

GENERATED: Final = Path(__file__).parent.parent / "generated"
DASHBOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "board": board.build,
    "incident": incident.build,
    "place": places.place,
    "keyword": places.keyword,
    "network": network.build,
    "quality": quality.build,
    "pipeline": pipeline.build,
}


def rendered(name: str) -> str:
    """A dashboard's JSON. Raises KeyError."""
    return json.dumps(DASHBOARDS[name]().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def write(folder: Path = GENERATED) -> list[Path]:
    """All of them into a folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in DASHBOARDS:
        path = folder / f"overheard-{name}.json"
        path.write_text(rendered(name), encoding="utf-8")
        written.append(path)
    return written
