"""A Prometheus of the tests' own: a free port, a folder that goes with it, ended by process id."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import httpx

from tests.alertmanager import HOST, free_port, started

PROGRAMS = ("prometheus", "promtool")
RULES = Path(__file__).parent.parent / "dashboards" / "prometheus"


class Prometheus:
    """Scrapes `target` and evaluates the shipped rules each second, none of which waits over 3 s; what fires goes to `alertmanager`.

    Both are `host:port`.
    """

    def __init__(self, target: str, alertmanager: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="overheard-prometheus-")
        folder = Path(self._folder.name)
        rules = re.sub(r"\bfor: \w+", "for: 3s", (RULES / "rules.yml").read_text())
        (folder / "rules.yml").write_text(rules)
        shipped = (RULES / "prometheus.yml").read_text()
        said = shipped.replace("15s", "1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s")
        (folder / "prometheus.yml").write_text(
            said.replace("localhost:8080", target).replace("localhost:9093", alertmanager)
        )
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Started, and ready to be asked."""
        folder = Path(self._folder.name)
        options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        options += [f"--web.listen-address={HOST}:{self.port}", "--storage.tsdb.retention.time=1h", "--log.level=warn"]
        options.append(
            "--rules.alert.resend-delay=1s"
        )  # Alertmanagers are found after seconds; what fired before is lost to them
        self._process = started([PROGRAMS[0], *options], folder, self.url)
        return self

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=5.0).json()
        assert answer["status"] == "success", answer
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def get(self, what: str) -> Any:
        """An answer of the API: "targets", "rules"."""
        return httpx.get(f"{self.url}/api/v1/{what}", timeout=5.0).json()["data"]

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)
        self._folder.cleanup()
