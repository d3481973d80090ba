"""A receiver of heartbeats and pages, and a configuration of windows short enough to wait for."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import streams

EVERY = 0.5


class Receiver(ThreadingHTTPServer):
    """Keeps when and what was posted to which path."""

    def __init__(self) -> None:
        self.posts: list[tuple[float, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def beats(self, since: float) -> int:
        return sum(path == "/beat" and at > since for at, path, _ in self.posts)

    def pages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, path, body in self.posts if path == "/page"]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.posts.append((time.monotonic(), self.path, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def own_pack(folder: Path) -> Path:
    """The power pack with windows of ten seconds."""
    text = (Path(streams.__file__).parent / "packs" / "power.toml").read_text(encoding="utf-8")
    path = folder / "own.toml"
    path.write_text(text.replace("window_seconds = 300", "window_seconds = 10", 1))
    return path


def heartbeat(folder: Path, receiver: Receiver, every: float = EVERY) -> str:
    (folder / "beat").write_text(f"http://127.0.0.1:{receiver.server_port}/beat")
    return f'[heartbeat]\nurl_file = "beat"\nevery_seconds = {every}\nallow_hosts = ["127.0.0.1"]\n'
