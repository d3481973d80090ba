"""A drill from the intake to a real receiver, and a heartbeat that stops when the service is frozen or gone."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from beating import EVERY, Receiver, heartbeat, own_pack

from tests.integration.service import CITIES, Running, complaint, lines

DAY = 86400
MOST_AFTER_SECONDS = 15.0  # a page after the end of the window that decided it, and the lateness


@pytest.fixture
def running(tmp_path: Path, receiver: Receiver) -> Iterator[Running]:
    """Windows of ten seconds, a webhook, a heartbeat, and a day of history."""
    made = Running(tmp_path / "service", idle_tick_seconds=10, lateness_seconds=1)  # as shipped, but for the lateness
    pack = own_pack(made.folder)
    (made.folder / "secret").write_text("whsec_" + base64.b64encode(b"k" * 32).decode())
    config = made.config.read_text().replace('pack = "power"', f'pack = "{pack.name}"')
    made.config.write_text(
        f"""{config}
{heartbeat(made.folder, receiver)}
[channels.ops]
kind = "webhook"
url = "http://127.0.0.1:{receiver.server_port}/page"
secret_file = "secret"
allow_hosts = ["127.0.0.1"]
[[routes]]
channels = ["ops"]
tier = "confirmed"
"""
    )
    made.start()
    made.wait()
    yield made
    if made.process is not None and made.process.poll() is None:
        os.kill(made.process.pid, signal.SIGCONT)
        made.stop()


def ordinary() -> list[dict[str, Any]]:
    rng, now = random.Random(4), time.time()
    times = sorted(now - 3 * DAY + rng.random() * 3 * DAY for _ in range(600))
    return [complaint(number, round(at, 3), rng.choice(CITIES), rng) for number, at in enumerate(times)]


def overheard(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "overheard", *arguments], capture_output=True, text=True, timeout=240)


def test_a_drill_pages_through_the_real_intake_and_says_how_long_each_leg_took(
    running: Running, receiver: Receiver
) -> None:
    assert running.post(lines(ordinary())).status_code == 202
    config = ("--config", str(running.config))
    tried = overheard("notify", "test", "ops", *config)
    assert tried.returncode == 0, tried.stderr
    assert len(receiver.pages()) == 2
    done = overheard("drill", "--place", "Boston, MA", "--keyword", "outage", "--wait", "90", *config)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr + running.log()
    assert "ops took it" in done.stdout
    page = receiver.pages()[2]
    assert page["data"]["incident"]["drill"] is True
    assert "DRILL CONFIRMED" in json.dumps(page)
    came_at = time.time() - time.monotonic() + [at for at, path, _ in receiver.posts if path == "/page"][2]
    after = came_at - datetime.fromisoformat(page["data"]["incident"]["confirmed_at"]).timestamp()
    print(f"told {after:.1f} s after the window's end and the lateness")
    assert after <= MOST_AFTER_SECONDS
    rows = {row["label"]: row["text"] for row in page["data"]["facts"]["rows"]}
    said = rows.get("Told", "0 s")  # within the second nothing is said
    assert abs(float(said.partition(" s")[0]) - after) <= 1.0, "the message shows its age"
    assert "Boston" in json.dumps(page)
    listed = overheard("incidents", "list", "--json", *config).stdout
    assert all(json.loads(line)["drill"] for line in listed.splitlines()), "nothing real was opened"


def test_a_drill_of_what_nobody_knows_says_so(running: Running) -> None:
    config = ("--config", str(running.config))
    assert (
        "understood as no place" in overheard("drill", "--place", "nowhere land", "--keyword", "outage", *config).stderr
    )
    assert "not in the pack" in overheard("drill", "--place", "Boston, MA", "--keyword", "belt", *config).stderr
    assert "no channel is named 'pager': ops" in overheard("notify", "test", "pager", *config).stderr


def test_check_config_says_who_would_be_told(running: Running) -> None:
    told = overheard("check-config", str(running.config)).stdout
    assert "route 1: confirmed → ops" in told
    assert "troubles → ops" in told
    running.config.write_text(running.config.read_text() + 'places = ["city:none"]\nteams = ["nobody"]\n')
    wrong = overheard("check-config", str(running.config))
    assert wrong.returncode == 2
    assert "routes.1.places: no such place: 'city:none'" in wrong.stderr
    assert "no keyword of the pack names the team 'nobody'" in wrong.stderr


def test_the_heart_stops_when_the_service_is_frozen_beats_again_and_stops_when_it_is_killed(
    running: Running, receiver: Receiver
) -> None:
    assert running.process is not None
    begun = time.monotonic()
    time.sleep(6 * EVERY)
    assert receiver.beats(begun) >= 3, running.log()
    os.kill(running.process.pid, signal.SIGSTOP)
    time.sleep(EVERY)
    frozen = time.monotonic()
    time.sleep(6 * EVERY)
    assert receiver.beats(frozen) == 0
    os.kill(running.process.pid, signal.SIGCONT)
    time.sleep(6 * EVERY)
    assert receiver.beats(frozen) >= 2
    running.process.kill()
    running.process.wait()
    dead = time.monotonic()
    time.sleep(4 * EVERY)
    assert receiver.beats(dead) == 0
