"""Incidents as regions on Grafana's charts, through grafana-client: as the channel `grafana` draws them, so that neither draws one twice.

Plain requests where grafana-client's own would go wrong: its partial update always sends a list of tags, which wipes them, and its search
does not encode them.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from alerting.model import Incident
from alerting.notify import grafana
from dashboards.grafana.server import Server


class ClientAnnotations:
    """The API for one incident's annotation. Raises GrafanaError."""

    def __init__(self, server: Server, what: str) -> None:
        self._server, self._what = server, what

    async def find(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        return await self._server.listed(self._what, self._server.client.GET("/annotations", params=dict(params)))

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        send = getattr(self._server.client, method)
        json = {} if body is None else {"json": dict(body)}
        return await self._server.asked(self._what, send(f"/annotations{path}", **json))


async def upsert(server: Server, incident: Incident) -> int:
    """Its annotation as it should be now; returns the annotation's number. Raises GrafanaError."""
    wanted = grafana.incident_region(incident, escape(incident.title))
    return await grafana.upsert(ClientAnnotations(server, f"incident {incident.id}"), wanted)
