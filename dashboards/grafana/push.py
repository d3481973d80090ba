"""Puts the dashboards into a Grafana: their folder is made where it is missing, each dashboard replaces what has its uid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dashboards.grafana.server import GrafanaError, Server

GENERATED = Path(__file__).parent.parent / "generated"
FOLDER_UID = "overheard"
MESSAGE = "overheard dashboards push"


class Pushed(NamedTuple):
    """A dashboard as Grafana has it now."""

    title: str
    url: str
    version: int


async def push(server: Server, folder: str, files: Iterable[Path]) -> list[Pushed]:
    """All of them, or as many as went before one failed. Raises GrafanaError, OSError, ValueError of files that are no dashboards."""
    found = [(path, json.loads(path.read_text(encoding="utf-8"))) for path in files]
    await ensure_folder(server, folder)
    pushed = []
    for path, dashboard in found:
        body = {"dashboard": dashboard, "folderUid": FOLDER_UID, "overwrite": True, "message": MESSAGE}
        answer = await server.asked(f"dashboard {path.name}", server.api.dashboard.update_dashboard(body))
        pushed.append(Pushed(dashboard["title"], f"{server.url}/d/{answer.get('uid')}", int(answer.get("version", 0))))
    return pushed


async def ensure_folder(server: Server, title: str) -> None:
    """The dashboards' folder is there. Raises GrafanaError."""
    what = f"folder {title}"
    try:
        await server.asked(what, server.api.folder.get_folder(FOLDER_UID))
        return
    except GrafanaError as error:
        if error.status != 404:
            raise
    try:
        await server.asked(what, server.api.folder.create_folder(title, uid=FOLDER_UID))
    except GrafanaError as error:
        if error.status not in (409, 412):  # another push was quicker
            raise
