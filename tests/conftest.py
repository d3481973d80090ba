"""Order of the whole run, the real servers of the tests, and the table of them at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.broker import Broker, BrokerUnavailableError, cache_folder, jars, running
from tests import alertmanager, postgres, prometheus


class Server(NamedTuple):
    """A real server: its programs, each with the Debian package that brings it, and what it is called in the table."""

    name: str
    programs: dict[str, str]

    def missing(self) -> list[str]:
        """Packages to install."""
        return sorted({package for program, package in self.programs.items() if not shutil.which(program)})


def _kafka_programs() -> dict[str, str]:
    fetching = {} if cache_folder().is_dir() else {"mvn": "maven"}
    return {"java": "openjdk-17-jre-headless", **fetching}


SERVERS = {  # by marker
    "alertmanager": Server("alertmanager", dict.fromkeys(alertmanager.PROGRAMS, "prometheus-alertmanager")),
    "browser": Server("chromium", {"chromium": "chromium"}),
    "kafka": Server("kafka", _kafka_programs()),
    "postgres": Server("postgresql", {postgres.program() or "/usr/lib/postgresql/15/bin/postgres": "postgresql"}),
    "prometheus": Server("prometheus", dict.fromkeys(prometheus.PROGRAMS, "prometheus")),
}
REQUIRED = bool(os.environ.get("OVERHEARD_REQUIRE_SERVERS"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, so that both cores are busy to the end; browser tests last: playwright keeps an event loop
    running that other tests would find."""
    for item in items:
        if "fetched_kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")
    items.sort(key=lambda item: ("browser" in item.keywords, "integration" not in item.path.parts))


@pytest.fixture(scope="session")
def fetched_kafka() -> None:
    """Kafka's jars are there."""
    try:
        jars()
    except BrokerUnavailableError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def broker(fetched_kafka: None) -> Iterator[Broker]:
    """The broker all tests share: leave it running, and name topics and groups of your own."""
    with running() as started:
        yield started


@pytest.fixture
def own_broker(tmp_path: Path, fetched_kafka: None) -> Iterator[Broker]:
    """A started broker of the test's own, to kill."""
    made = Broker(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the PostgreSQL server all tests share."""
    if postgres.program() is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with postgres.running() as address:
        yield address


@pytest.fixture(scope="session")
def alertmanager_programs() -> None:
    """Alertmanager and amtool are there."""
    if missing := SERVERS["alertmanager"].missing():
        pytest.skip(f"no Alertmanager here: apt-get install {' '.join(missing)}")


@pytest.fixture(scope="session")
def prometheus_programs() -> None:
    """Prometheus and promtool are there."""
    if missing := SERVERS["prometheus"].missing():
        pytest.skip(f"no Prometheus here: apt-get install {' '.join(missing)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which servers were used, or which package brings them."""
    asked = {
        marker
        for reports in terminalreporter.stats.values()
        for report in reports
        for marker in SERVERS
        if marker in getattr(report, "keywords", ())
    }
    if not asked:
        return
    terminalreporter.section("servers")
    for marker in sorted(asked):
        server = SERVERS[marker]
        missing = server.missing()
        told = f"skipped: apt-get install {' '.join(missing)}" if missing else f"used: {_found(server)}"
        terminalreporter.line(f"{server.name:12} {told}")


def _found(server: Server) -> str:
    return ", ".join(shutil.which(program) or program for program in server.programs)


def pytest_sessionstart() -> None:
    """Where servers are required, a missing one fails the run at once."""
    missing = [package for server in SERVERS.values() for package in server.missing()]
    if REQUIRED and missing:
        raise pytest.UsageError(f"missing servers: apt-get install {' '.join(missing)}")
