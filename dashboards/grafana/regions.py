"""Incidents as regions on Grafana's charts: one annotation an incident, found again by its tag, longer as it goes on.

Plain requests where grafana-client's own would go wrong: its partial update always sends a list of tags, which wipes them, and its search
does not encode them.
"""

from __future__ import annotations

from typing import Any

from alerting.model import Incident
from dashboards.grafana.server import Server

DASHBOARD_UID = "overheard-board"


def tags(incident: Incident) -> list[str]:
    """The first finds it again."""
    drill = ["drill"] if incident.drill else []
    return [f"incident:{incident.id}", "overheard", incident.state, *incident.keywords[:1], *drill]


def region(incident: Incident) -> dict[str, Any]:
    """From its onset to its end, or to what is known of it so far; in milliseconds."""
    end = incident.resolved_at if incident.resolved_at is not None else incident.updated_at
    start = round(incident.onset * 1000)
    return {"time": start, "timeEnd": max(start, round(end * 1000)), "tags": tags(incident), "text": incident.title}


async def upsert(server: Server, incident: Incident) -> int:
    """Its annotation as it should be now; returns the annotation's number. Raises GrafanaError."""
    what, wanted = f"incident {incident.id}", region(incident)
    search = {"tags": f"incident:{incident.id}", "type": "annotation", "limit": "100"}
    found = await server.listed(what, server.client.GET("/annotations", params=search))
    own = sorted(int(one["id"]) for one in found if f"incident:{incident.id}" in one.get("tags", ()))
    if not own:
        body = {"dashboardUID": DASHBOARD_UID, **wanted}
        answer = await server.asked(what, server.client.POST("/annotations", json=body))
        return int(answer["id"])
    kept, *doubled = own  # doubled: an answer was lost, and two told at once
    await server.asked(what, server.client.PATCH(f"/annotations/{kept}", json=wanted))
    for number in doubled:
        await server.asked(what, server.client.DELETE(f"/annotations/{number}"))
    return kept
