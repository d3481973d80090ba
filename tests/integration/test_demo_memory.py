"""`overheard demo --transport memory`: the Faust app itself, with no broker, hears the first disruption."""

from __future__ import annotations

import re
import subprocess
import sys


def test_the_demo_runs_on_faust_without_a_broker() -> None:
    command = [sys.executable, "-m", "overheard", "demo", "--transport", "memory", "--no-browser"]
    done = subprocess.run(
        [*command, "--port", "18480", "--speed", "400", "--seconds", "15"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) of (\d+) disruptions found so far", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 1
