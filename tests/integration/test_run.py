"""`overheard run` as people start it: what it refuses, how it ends, and that broken records and full disks stop nothing."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from service import SUNDAY, Running, complaint, lines, made

Make = Callable[..., Running]


def overheard(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "overheard", *arguments], capture_output=True, text=True, timeout=120)


def test_a_second_run_a_taken_port_and_the_end(service: Make) -> None:
    first = service("first")
    first.start()
    first.wait()
    again = overheard("run", "--config", str(first.config))
    assert again.returncode == 2
    assert first.process is not None
    assert f"process {first.process.pid}" in again.stderr
    other = service("other", port=first.port)
    taken = overheard("run", "--config", str(other.config))
    assert taken.returncode == 2
    assert f"port {first.port} on 127.0.0.1 is in use" in taken.stderr
    assert first.stop() < 5


def broken(number: int, rng: random.Random) -> bytes:
    """A record that cannot be counted, each in its own way and with its own bytes."""
    good = complaint(number, SUNDAY + number, "Dallas", rng)
    ways: list[Callable[[], bytes]] = [
        lambda: b'{"id": "%d", "text": "\xff\xfe"}' % number,
        lambda: b"not json %d" % number,
        lambda: b'{"id": "%d"' % number,
        lambda: b'{"id": "%d", "x": ' % number + b"[" * 5000 + b"]" * 5000 + b"}",
        lambda: json.dumps({**good, "lat": float("nan"), "lon": 1.0}).encode(),
        lambda: json.dumps({**good, "text": None}).encode(),
        lambda: b"null " + b" " * number + b"",
        lambda: json.dumps({**good, "text": "x" * 1_000_000}).encode(),
        lambda: json.dumps({**good, "id": 7, "author": number}).encode(),
        lambda: json.dumps({**good, "created_at": "soon"}).encode(),
        lambda: json.dumps({**good, "created_at": -1e15 - number}).encode(),
        lambda: json.dumps({**good, "created_at": time.time() + 10 * 365 * 86400}).encode(),
        lambda: json.dumps({**good, "created_at": "2024-01-07T12:00:00", "n": number}).encode(),
        lambda: json.dumps({**good, "created_at": 5 + number}).encode(),
        lambda: json.dumps({**good, "lat": 95.0, "lon": 1.0}).encode(),
        lambda: json.dumps({**good, "created_at": 1e999}).encode(),
        lambda: b'"text %d"' % number,
        lambda: json.dumps({**good, "id": ""}).encode(),
    ]
    return ways[number % len(ways)]()


def test_a_storm_of_broken_records_hides_no_good_one(service: Make) -> None:
    rng = random.Random(2)
    records = made(2, days=1.0)
    good = [json.dumps(record).encode() for record in records]
    bad = [broken(number, rng) for number in range(len(good) // 9)]
    assert len(set(bad)) == len(bad)
    mixed = [*good[:-1]]
    for one in bad:
        mixed.insert(rng.randrange(len(mixed)), one)
    running = service()
    running.start()
    running.wait()
    longest = 0.0
    batch: list[bytes] = []
    for one in [*mixed, good[-1]]:
        if batch and (len(batch) == 25 or sum(map(len, batch)) + len(one) > 900_000):
            began = time.monotonic()
            assert running.post(b"\n".join(batch)).status_code == 202
            longest = max(longest, time.monotonic() - began)
            batch = []
        batch.append(one)
    assert running.post(b"\n".join(batch)).status_code == 202
    running.settle()
    running.stop()
    assert running.rows("select sum(records) from sources") == [(len(good),)]
    assert running.rows("select sum(voices) from sources")[0][0] > 0
    found = running.rows('select "where", sha256, reason from dead_letters')
    assert len(found) == len(bad)
    assert len({where for where, _, _ in found}) == len({sha256 for _, sha256, _ in found}) == len(bad)
    assert {reason for _, _, reason in found} >= {
        "too_large",
        "not_utf8",
        "not_json",
        "too_deep",
        "bad_field",
        "bad_time",
    }
    assert longest < 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_with_503_recovers_by_itself_and_loses_nothing(service: Make, small_disk: Path) -> None:
    records = made(3, days=1.0)
    bodies = [lines(records[first : first + 20]) for first in range(0, len(records), 20)]
    running = service(data=str(small_disk / "var"), min_free_megabytes=0, snapshot_seconds=0.5)
    running.start()
    running.wait()
    filler, refused = small_disk / "filler", 0
    for number, body in enumerate(bodies):
        if number == len(bodies) // 3:
            fill(filler)
        for _ in range(400):
            answer = running.post(body)
            if answer.status_code == 202:
                break
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            refused += 1
            if refused == 5:
                assert running.http.get("/-/healthy").json()["red"]
                filler.unlink()
            time.sleep(0.05)
        else:
            raise TimeoutError(running.log())
    assert refused >= 5
    running.settle()
    assert running.http.get("/-/healthy").json()["red"] is None
    running.stop()
    store = sqlite3.connect(small_disk / "var" / "store.sqlite")
    assert store.execute("select sum(records) from sources").fetchone() == (len(records),)
    store.close()


def fill(path: Path) -> None:
    """Leave no room at all."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_standard_input_and_a_followed_file_survive_a_kill(service: Make, tmp_path: Path) -> None:
    rng = random.Random(4)
    feed = tmp_path / "feed.jsonl"
    records = [complaint(number, SUNDAY + number * 30.0, "Boston", rng) for number in range(600)]
    last = complaint(999, SUNDAY + 86400.0, "Boston", rng)
    running = service(snapshot_seconds=0.3)
    running.config.write_text(
        running.config.read_text() + f'\n[[sources]]\nkind = "file"\nname = "twitter:*"\npath = "{feed}"\n'
        '[[sources]]\nkind = "stdin"\nname = "piped"\n'
    )
    feed.write_bytes(lines(records[:300]) + b"\n")
    running.start(stdin=lines([{**last, "source": "piped"}]) + b"\n")
    running.wait()
    time.sleep(rng.uniform(0.2, 0.8))
    running.kill()
    feed.rename(tmp_path / "feed.jsonl.1")
    with (tmp_path / "feed.jsonl.1").open("ab") as file:
        file.write(lines(records[300:450]) + b"\n")
    feed.write_bytes(lines(records[450:]) + b"\n" + lines([last]) + b"\n")
    running.start()
    running.wait()
    wanted: list[tuple[Any, ...]] = [("piped", 1), ("twitter:test", 601)]
    until = time.monotonic() + 30
    while (
        found := running.rows("select source, records from sources order by 1")
    ) != wanted and time.monotonic() < until:
        time.sleep(0.2)
    assert found == wanted, running.log()
    assert running.stop() < 5


def test_what_people_do_from_a_terminal_reaches_the_running_service(service: Make) -> None:
    running = service()
    running.start()
    running.wait()
    records = made(1)
    for first in range(0, len(records), 200):
        assert running.post(lines(records[first : first + 200])).status_code == 202
    running.settle()
    config = ("--config", str(running.config))
    listed = overheard("incidents", "list", "--all", "--json", *config)
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    assert found, running.log()
    incident = found[0]
    shown = overheard("incidents", "show", incident["id"], *config)
    assert incident["title"] in shown.stdout
    assert overheard("incidents", "why", incident["id"], *config).stdout.count("\n") >= 2
    noted = overheard("note", incident["id"], "seen by the desk", "--author", "me", *config)
    assert noted.returncode == 0, noted.stderr
    running.stop()
    late = overheard("feedback", incident["id"], "real", "--author", "me", *config)
    assert "journal" in late.stdout
    nothing = overheard("silences", "add", "2h", "--author", "me", *config)
    assert "would match all" in nothing.stderr
    place = incident["scope"]["place"]
    for act in (("silences", "add", "2h", "--place", place), ("incidents", "assign", incident["id"], "kim"),
                ("events", "add", "--place", place, "--end", "2099-01-01T00:00:00Z", "--factor", "3"),
                ("incidents", "snooze", incident["id"], "2h")):  # fmt: skip
        done = overheard(*act, "--author", "me", "--reason", "belt work", *config)
        assert done.returncode == 0, done.stderr
    running.start()
    running.wait()
    running.settle()
    assert [kind for (kind,) in running.rows("select kind from controls order by at")] == [
        "note", "feedback", "silence", "assign", "planned_event", "snooze",
    ]  # fmt: skip
    listed = overheard("silences", "list", *config).stdout
    assert place in listed
    assert "by me: belt work" in listed
    silence = listed.split()[0]
    assert overheard("silences", "end", silence, "--author", "me", *config).returncode == 0
    running.settle()
    assert overheard("silences", "list", *config).stdout == "No silence stands.\n"
    assert "× 3" in overheard("events", "list", *config).stdout
    assert overheard("audit", "verify", *config).stdout.startswith("whole: 7 acts, head ")
    minute = ("--at", incident["opened_at"])
    told = overheard("incidents", "why-not", "region:US-TX", "*", *minute, "--json", *config)
    api = httpx.get(
        f"http://127.0.0.1:{running.port}/api/why-not",
        params={"place": "region:US-TX", "keyword": "*", "at": incident["opened_at"]},
        trust_env=False,
    )
    assert json.loads(told.stdout)["answer"] == api.json()["answer"]
    running.stop()
    told = overheard("incidents", "why-not", "region:US-TX", "*", *minute, *config)
    assert told.stdout.startswith(("Not opened: ", "It was opened: ")), told.stderr
