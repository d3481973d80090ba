"""A file sent to Kafka and counted by two workers gives the incidents of replaying it; and so does replaying the topic."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from aiokafka import AIOKafkaProducer
from deployment import Deployment
from faults import SOAK
from published import published

from alerting.model import Control
from benchmarks.broker import Broker
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.wire import RECORDS

PARTITIONS = 3
HOUSTON = Path(__file__).parents[3] / "shared" / "data" / "houston311_2011_2016.jsonl.gz"


def overheard(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "overheard", *map(str, arguments)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week that ends in a storm, in no order, some records broken, some of them twice."""
    path = tmp_path_factory.mktemp("complaints") / "complaints.jsonl"
    overheard("simulate", "--scenario", "power-storm", "--out", path, "--learn-days", "4", "--seed", "7")
    lines = path.read_bytes().splitlines()
    lines += [*lines[100:150], b"not json", b'{"id": "x"}']
    lines += [b'{"id": "far", "source": "s", "text": "no power", "created_at": 4e9}']
    random.Random(3).shuffle(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def ordered(deployment: Deployment) -> bytes:
    """The revisions on the topic, as `replay` writes them."""
    by_key = {record.key: record.value for record in deployment.records(topics.INCIDENTS)}
    found = [json.loads(value) for value in by_key.values()]
    lines = sorted(
        (one["updated_at"], one["id"], one["revision"], value)
        for one, value in zip(found, by_key.values(), strict=True)
    )
    return b"".join(value + b"\n" for *_, value in lines)


def act_and_be_late(deployment: Deployment, complaints: Path) -> None:
    """A note, and a complaint of an hour before the end."""
    dated = [json.loads(line) for line in complaints.read_bytes().splitlines() if b"received_at" in line]
    newest = max(datetime.fromisoformat(one["created_at"]) for one in dated)
    late = {"id": "late", "source": "twitter:simulated", "text": "no power in Houston", "author": "late"}
    late["created_at"] = (newest - timedelta(hours=1)).isoformat()
    deployment.append([json.dumps(late).encode()])
    deployment.tick(newest.timestamp() + 3600)
    note = Control(id="note-1", kind="note", at=newest.timestamp(), author="desk", value="crews are out")
    asyncio.run(sent(deployment, wire.control(note)))
    deployment.settle()


async def sent(deployment: Deployment, one: wire.Keyed) -> None:
    async with AIOKafkaProducer(bootstrap_servers=deployment.address) as producer:
        await producer.send_and_wait(deployment.name(one.topic), one.value, one.key)


def keeps_to_the_page(deployment: Deployment) -> None:
    """Every record on every topic is of one of the types that the page gives for it, and all types were there."""
    schemas = {name: schema for name, (_, schema) in published().items()}
    validators = {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas.items()}
    seen: Counter[str] = Counter()
    for topic, kinds in RECORDS.items():
        for record in deployment.records(topic):
            told = dict(record.headers).get(wire.KIND, b"").decode()
            if topic is topics.COMPLAINTS and told not in ("tick", "pack"):
                continue  # what others wrote may be anything
            value = json.loads(record.value)
            kind = (value.get("record") or told).capitalize() + "Record"
            name = kind if kind in schemas else kinds[-1].__name__
            errors = [error.message for error in validators[name].iter_errors(value)]
            errors += sorted(value.keys() - schemas[name]["$defs"][name]["properties"].keys())
            assert not errors, (topic.name, record.key, errors)
            seen[name] += 1
    assert seen.keys() == schemas.keys() - {"Complaint", "PackRecord"}  # no pack was changed


@pytest.mark.alone
def test_two_workers_give_the_bytes_of_a_replay(broker: Broker, tmp_path: Path, complaints: Path) -> None:
    deployment = Deployment(tmp_path / "deployment", broker.address, partitions=PARTITIONS, prefix="produced-two")
    topic = f"kafka://{deployment.name(topics.COMPLAINTS)}"
    try:
        deployment.start()
        deployment.start()
        told = overheard("produce", complaints, "--config", deployment.config)
        assert told.startswith(f"{len(complaints.read_bytes().splitlines()):,} records sent"), told
        deployment.settle()
        found = ordered(deployment)
        overheard("replay", topic, "--pack", "power", "--config", deployment.config, "--out", tmp_path / "topic")
        act_and_be_late(deployment, complaints)
        keeps_to_the_page(deployment)
    finally:
        deployment.end()
    replay = ("--pack", "power", "--partitions", str(PARTITIONS))
    overheard("replay", complaints, *replay, "--out", tmp_path / "file")
    wanted = (tmp_path / "file" / "incidents.jsonl").read_bytes()
    assert b'"state":"confirmed"' in wanted
    revisions = [(one["id"], one["revision"]) for one in map(json.loads, wanted.splitlines())]
    assert len(set(revisions)) == len(revisions)
    assert found == wanted
    for name in ("incidents.jsonl", "cells.csv.gz", "evaluation.json"):
        assert (tmp_path / "topic" / name).read_bytes() == (tmp_path / "file" / name).read_bytes(), name


@pytest.mark.data
@pytest.mark.skipif(not SOAK, reason="takes minutes: make soak")
@pytest.mark.skipif(not HOUSTON.is_file(), reason="the real complaints are not here")
@pytest.mark.timeout(1800)
def test_two_workers_give_the_bytes_of_a_replay_of_five_real_years(broker: Broker, tmp_path: Path) -> None:
    deployment = Deployment(
        tmp_path / "deployment", broker.address, partitions=PARTITIONS, prefix="houston", pack="city311"
    )
    try:
        deployment.start()
        deployment.start()
        told = overheard("produce", HOUSTON, "--config", deployment.config)
        deployment.settle(900)
        found = ordered(deployment)
    finally:
        deployment.end()
    replay = ("--pack", "city311", "--partitions", str(PARTITIONS))
    overheard("replay", HOUSTON, *replay, "--out", tmp_path / "file")
    wanted = (tmp_path / "file" / "incidents.jsonl").read_bytes()
    lines = len(wanted.splitlines())
    print(f"houston: {told.strip()}; revisions {lines:,}, equal to the replay: {found == wanted}")
    assert wanted.count(b'"state":"confirmed"') > 100
    assert found == wanted


def test_a_topic_is_replayed_as_far_as_it_had_come_by_then(broker: Broker, tmp_path: Path, complaints: Path) -> None:
    deployment = Deployment(tmp_path / "deployment", broker.address, partitions=PARTITIONS, prefix="produced-part")
    lines = sorted(complaints.read_bytes().splitlines())
    earlier, later = tmp_path / "earlier.jsonl", tmp_path / "later.jsonl"
    earlier.write_bytes(b"\n".join(lines[:8_000]))
    later.write_bytes(b"\n".join(lines[8_000:]))
    overheard("produce", earlier, "--config", deployment.config, "--no-end")
    time.sleep(0.01)
    between = datetime.now(UTC).isoformat()
    overheard("produce", later, "--config", deployment.config)
    overheard("replay", earlier, "--pack", "power", "--partitions", "3", "--out", tmp_path / "file")
    topic = (f"kafka://{deployment.name(topics.COMPLAINTS)}", "--to", between, "--config", deployment.config)
    overheard("replay", *topic, "--pack", "power", "--out", tmp_path / "topic")
    for name in ("incidents.jsonl", "cells.csv.gz", "evaluation.json"):
        assert (tmp_path / "topic" / name).read_bytes() == (tmp_path / "file" / name).read_bytes(), name
