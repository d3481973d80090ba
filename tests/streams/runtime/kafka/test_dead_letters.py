"""`overheard dead-letters`: what was refused is told without its text, and can be sent again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result
from ground import Ground, complaint

from benchmarks.broker import Broker
from overheard import main
from streams.runtime.kafka import topics

SECRET_TEXT = "my number is 555-1234"


def called(ground: Ground, *words: str) -> Result:
    config = ground.folder / "overheard.toml"
    config.write_text(
        f'[service]\ndata = "var"\n[kafka]\nbrokers = ["{ground.address}"]\nprefix = "{ground.prefix}"\npartitions = 2\n'
    )
    return CliRunner().invoke(main, ["dead-letters", words[0], "--config", str(config), *words[1:]])


def test_they_are_listed_and_sent_again(broker: Broker, tmp_path: Path) -> None:
    ground = Ground(tmp_path, broker.address)
    large = json.dumps({"id": "big", "source": "x", "created_at": "soon", "text": "x" * 100_000}).encode()
    bad = [complaint(1, created_at="soon", text=SECRET_TEXT), b"not json", large]

    async def counted(values: list[bytes]) -> None:
        async with ground.worker() as worker:
            await ground.append([*values], partition=0)
            await ground.settled(worker)

    asyncio.run(counted([complaint(0), *bad]))
    listed = called(ground, "list")
    assert listed.exit_code == 0, listed.output
    assert "3 dead letters: 2 bad_time, 1 not_json" in listed.output
    assert SECRET_TEXT not in listed.output
    where = f"{ground.name(topics.COMPLAINTS)}:0:2"
    assert where in called(ground, "list", "--reason", "not_json").output

    assert "say which" in called(ground, "retry").output
    assert "1 sent again" in called(ground, "retry", where).output
    assert "2 sent again" in called(ground, "retry", "--reason", "bad_time").output
    assert "are no dead letters" in called(ground, "retry", "nowhere:0:0").output
    asyncio.run(counted([]))
    sent = [record.value for record in asyncio.run(ground.records(topics.COMPLAINTS))]
    assert {one for one in sent if sent.count(one) == 2} == set(bad)
    assert "6 dead letters" in called(ground, "list").output
