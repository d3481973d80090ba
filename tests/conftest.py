"""Order of the whole run, and the table of real servers at its end."""

from __future__ import annotations

import os
import shutil

import pytest

SERVERS = {"browser": ("chromium", "chromium")}  # marker: (program, Debian package)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: playwright keeps an event loop running that other tests would find."""
    items.sort(key=lambda item: "browser" in item.keywords)


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
        program, package = SERVERS[marker]
        found = shutil.which(program)
        terminalreporter.line(f"{program:12} {'used: ' + found if found else f'skipped: apt-get install {package}'}")


def pytest_sessionstart() -> None:
    """Where servers are required, a missing one fails the run at once."""
    missing = [package for program, package in SERVERS.values() if not shutil.which(program)]
    if os.environ.get("OVERHEARD_REQUIRE_SERVERS") and missing:
        raise pytest.UsageError(f"missing servers: apt-get install {' '.join(missing)}")
