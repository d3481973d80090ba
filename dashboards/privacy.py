"""What the role `public` is shown: counts rounded to 5 and hidden below 10, on one fixed grid of whole hours.

Several grids of one truth could be subtracted from each other; so there is one, and hidden cells say nothing but that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alerting.model import Incident, iso
from dashboards.catalogue import Catalogue
from streams.runtime.store.reader import Cell
from streams.runtime.store.views import ROUND_TO, K

GRID_SECONDS = 3600
GRID_LEVEL = "region"
FEWER = f"fewer than {K}"


def rounded(count: int) -> int | str:
    """A count the public may see."""
    return FEWER if count < K else ROUND_TO * round(count / ROUND_TO)


def public_hour(now: float) -> tuple[int, int]:
    """The last whole hour."""
    end = int(now // GRID_SECONDS) * GRID_SECONDS
    return end - GRID_SECONDS, end


def public_incident(incident: Incident) -> dict[str, Any]:
    """Where, what, since when, and roughly how many."""
    hidden = incident.people < K
    return {
        "id": incident.id,
        "state": incident.state,
        "onset": iso(incident.onset),
        "resolved_at": None if incident.resolved_at is None else iso(incident.resolved_at),
        "scope": {"place": incident.scope.place, "name": incident.scope.name, "level": incident.scope.level},
        "keywords": list(incident.keywords),
        "people": rounded(incident.people),
        "expected": None if hidden else round(incident.expected, 1),
        "trend": incident.trend,
    }


def public_cells(cells: Iterable[Cell], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Cells of the one grid: regions by top-level keyword."""
    top = set(catalogue.top_keywords())
    shown = []
    for cell in cells:
        if catalogue.place(cell.place).level != GRID_LEVEL or cell.keyword not in top or not cell.voices:
            continue
        hidden = cell.voices < K
        shown.append(
            {
                "start": iso(cell.start),
                "seconds": cell.seconds,
                "place": cell.place,
                "keyword": cell.keyword,
                "people": rounded(cell.voices),
                "expected": None if hidden else round(cell.expected, 1),
                "p_value": None if hidden else cell.p_value,
            }
        )
    return shown
