"""Made-up days served by processes of their own, and the system's chromium."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Served(NamedTuple):
    """A running page and the file its acts go to."""

    url: str
    acts: Path

    def controls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.acts.read_text().splitlines()] if self.acts.exists() else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no chromium here: apt-get install chromium"))


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """Starts a day once and ends it with the run."""
    running: dict[str, tuple[subprocess.Popen[bytes], Served]] = {}

    def start(day: str) -> Served:
        if day not in running:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            acts = tmp_path_factory.mktemp(day) / "acts.jsonl"
            command = [sys.executable, "-m", "tests.browser.stage", day, str(port), str(acts)]
            process = subprocess.Popen(command, cwd=ROOT)
            served = Served(f"http://127.0.0.1:{port}", acts)
            running[day] = process, served
            _wait_for(served.url, process)
        return running[day][1]

    yield start
    for process, _ in running.values():
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        assert process.poll() is None, "the stage ended"
        try:
            urllib.request.urlopen(f"{url}/overheard.css", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError("the stage did not answer within 30 s")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Trouble(NamedTuple):
    """What a page did that it must not."""

    outside: list[str]
    errors: list[str]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., tuple[Page, Trouble]]]:
    """Opens a page as a device would: `visit(url, width=390, scheme="dark", zone="Europe/Berlin")`."""
    contexts = []

    def open_page(
        url: str, width: int = 1440, height: int = 900, scheme: Any = "light", zone: str = "America/New_York"
    ) -> tuple[Page, Trouble]:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id=zone
        )
        contexts.append(context)
        page, trouble = context.new_page(), Trouble([], [])
        origin = "/".join(url.split("/")[:3])
        ours = (origin + "/", origin.replace("http", "ws", 1) + "/", "data:")
        page.on("request", lambda r: None if r.url.startswith(ours) else trouble.outside.append(r.url))
        page.on("websocket", lambda w: None if w.url.startswith(ours) else trouble.outside.append(w.url))
        page.on("pageerror", lambda e: trouble.errors.append(str(e)))
        page.on("console", lambda m: trouble.errors.append(m.text) if m.type == "error" else None)
        page.goto(url)
        page.wait_for_selector("h1")
        return page, trouble

    yield open_page
    for context in contexts:
        context.close()
