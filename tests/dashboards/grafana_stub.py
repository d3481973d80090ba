"""A stand-in for Grafana's API, as strict as Grafana: models that take no key they do not know, state, the real status codes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "glsa_of_the_tests_0123456789"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SaveDashboard(Strict):
    dashboard: dict[str, Any]
    folderUid: str | None = None
    message: str = ""
    overwrite: bool = False


class CreateFolder(Strict):
    title: str = Field(min_length=1)
    uid: str | None = None
    parentUid: str | None = None


class SaveAnnotation(Strict):
    dashboardUID: str | None = None
    panelId: int | None = None
    time: int = 0
    timeEnd: int = 0
    tags: list[str] | None = None
    text: str = ""


def refused(code: int, message: str, **more: str) -> JSONResponse:
    return JSONResponse({"message": message, **more}, code)


class Stub:
    """What it holds, what it was asked, and `next_answers`, given instead of its own while there are any."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, str] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.next_answers: list[Response | float] = []  # a number: seconds before it answers at all

    def app(self) -> Starlette:
        ways = (
            ("/api/dashboards/db", "POST", self._save),
            ("/api/folders", "POST", self._create_folder),
            ("/api/folders/{uid}", "GET", self._folder),
            ("/api/folders", "GET", self._folders),
            ("/api/annotations", "GET", self._find),
            ("/api/annotations", "POST", self._add),
            ("/api/annotations/{id:int}", "PATCH", self._patch),
            ("/api/annotations/{id:int}", "DELETE", self._delete),
        )
        return Starlette(routes=[Route(path, self._guarded(answer), methods=[method]) for path, method, answer in ways])

    def _guarded(self, answer: Callable[[Request, bytes], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            body = await request.body()
            self.asked.append((request.method, request.url.path))
            if self.next_answers:
                scripted = self.next_answers.pop(0)
                if isinstance(scripted, Response):
                    return scripted
                time.sleep(scripted)
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return refused(401, "Invalid API key")
            try:
                return answer(request, body)
            except ValueError as error:
                return refused(400, f"bad request data: {error}")

        return guarded

    def _folders(self, request: Request, body: bytes) -> Response:
        return JSONResponse([{"id": 1, "uid": uid, "title": title} for uid, title in self.folders.items()])

    def _save(self, request: Request, body: bytes) -> Response:
        asked = SaveDashboard.model_validate_json(body)
        given = asked.dashboard
        if not given.get("title"):
            return refused(400, "Dashboard title cannot be empty", status="empty-name")
        if asked.folderUid and asked.folderUid not in self.folders:
            return refused(400, "folder not found", status="not-found")
        uid = given["uid"]
        old = self.dashboards.get(uid)
        if old is not None and not asked.overwrite and given.get("version") != old["version"]:
            return refused(412, "The dashboard has been changed by someone else", status="version-mismatch")
        version = old["version"] + 1 if old is not None else 1
        self.dashboards[uid] = {**given, "version": version, "folder": asked.folderUid}
        answer = {"id": 1, "uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": version, "slug": "x"}
        return JSONResponse(answer)

    def _folder(self, request: Request, body: bytes) -> Response:
        uid = request.path_params["uid"]
        if uid not in self.folders:
            return refused(404, "folder not found", status="not-found")
        return JSONResponse({"uid": uid, "title": self.folders[uid], "id": 1, "version": 1})

    def _create_folder(self, request: Request, body: bytes) -> Response:
        asked = CreateFolder.model_validate_json(body)
        assert asked.uid is not None
        if asked.uid in self.folders:
            return refused(409, "a folder with the same uid already exists")
        self.folders[asked.uid] = asked.title
        return JSONResponse({"uid": asked.uid, "title": asked.title, "id": 1, "version": 1})

    def _find(self, request: Request, body: bytes) -> Response:
        wanted = set(request.query_params.getlist("tags"))
        found = [one for one in self.annotations.values() if wanted <= set(one["tags"])]
        return JSONResponse(found[: int(request.query_params.get("limit", "100"))])

    def _add(self, request: Request, body: bytes) -> Response:
        asked = SaveAnnotation.model_validate_json(body)
        if not asked.text:
            return refused(400, "Failed to save annotation", error="text field should not be empty")
        number = max(self.annotations, default=0) + 1
        kept = {**asked.model_dump(), "id": number, "tags": asked.tags or [], "timeEnd": asked.timeEnd or asked.time}
        self.annotations[number] = kept
        return JSONResponse({"id": number, "message": "Annotation added"})

    def _patch(self, request: Request, body: bytes) -> Response:
        asked = SaveAnnotation.model_validate_json(body)
        kept = self.annotations.get(request.path_params["id"])
        if kept is None:
            return refused(404, "Could not find annotation to update")
        if asked.tags is not None:
            kept["tags"] = asked.tags  # as Grafana does: an empty list wipes them
        for name in ("text", "time", "timeEnd"):
            kept[name] = getattr(asked, name) or kept[name]
        return JSONResponse({"message": "Annotation patched"})

    def _delete(self, request: Request, body: bytes) -> Response:
        if self.annotations.pop(request.path_params["id"], None) is None:
            return refused(404, "Could not find annotation")
        return JSONResponse({"message": "Annotation deleted"})


@contextmanager
def running() -> Iterator[Stub]:
    """A stub on a free port, in a thread of its own."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        stub = Stub(f"http://127.0.0.1:{bound.getsockname()[1]}")
        server = uvicorn.Server(
            uvicorn.Config(stub.app(), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            server.should_exit = True
            thread.join(5)
