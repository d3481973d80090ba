"""The channel `grafana`: while an incident lives, Grafana's charts have one region for it, as its own strict API takes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from starlette.responses import JSONResponse

from alerting.message import Message
from alerting.notify.base import Refused, Unsent
from dashboards.grafana.regions import upsert
from dashboards.grafana.server import Server
from dashboards.grafana.settings import GrafanaSettings
from streams.runtime.notify_settings import read_notify
from tests.alerting.notify.hostile import hostile_trouble, message
from tests.dashboards.grafana_stub import TOKEN, Stub, running


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as started:
        yield started


def sent(stub: Stub, messages: Sequence[Message], token: str = TOKEN) -> None:
    """Through the channel as the service's file names it."""
    section = {"kind": "grafana", "url": stub.url, "allow_hosts": ["127.0.0.1"]}
    environ = {"OVERHEARD_CHANNELS_CHARTS_TOKEN": token}
    settings, problems = read_notify({"channels": {"charts": section}}, environ, Path())
    assert not problems

    async def go() -> None:
        channel = settings.make()["charts"]
        try:
            for one in messages:
                await channel.send([one], time.time())
        finally:
            await channel.close()

    asyncio.run(go())


def life() -> list[Message]:
    """Opened, grown, resolved."""
    first = message()
    assert first.incident is not None
    grown = msgspec.structs.replace(first.incident, revision=3, people=99, updated_at=first.incident.updated_at + 600)
    over = msgspec.structs.replace(grown, revision=4, state="resolved", resolved_at=grown.updated_at + 1800)
    return [
        first,
        msgspec.structs.replace(first, action="update", sequence=3, incident=grown),
        msgspec.structs.replace(first, action="resolve", sequence=4, incident=over),
    ]


def test_a_region_grows_with_its_incident_and_ends_with_it(stub: Stub) -> None:
    opened, grown, over = life()
    assert opened.incident is not None
    assert over.incident is not None
    sent(stub, [opened])
    (region,) = stub.annotations.values()
    assert (region["time"], region["timeEnd"]) == (
        round(opened.incident.onset * 1000),
        round(opened.incident.updated_at * 1000),
    )
    assert region["dashboardUID"] == "overheard-board"
    sent(stub, [grown])
    assert region["timeEnd"] == round((opened.incident.updated_at + 600) * 1000)
    assert "99 people" in region["text"]
    sent(stub, [over])
    assert stub.annotations == {1: region}
    assert region["timeEnd"] == round((over.incident.resolved_at or 0) * 1000)
    assert region["tags"][:3] == [f"incident:{over.incident.id}", "overheard", "resolved"]


def test_what_was_told_twice_or_by_the_command_is_one_region(stub: Stub) -> None:
    opened = life()[0]
    incident = opened.incident
    assert incident is not None

    async def push() -> None:
        async with Server(GrafanaSettings(url=stub.url), TOKEN) as server:
            await upsert(server, incident)

    asyncio.run(push())
    sent(stub, [opened, opened])
    assert len(stub.annotations) == 1
    stub.annotations[7] = {**stub.annotations[1], "id": 7}  # an answer was lost once
    sent(stub, [opened])
    assert stub.annotations.keys() == {1}


def test_trouble_of_our_own_is_a_region_too(stub: Stub) -> None:
    trouble = hostile_trouble("no records")
    sent(stub, [trouble, trouble])
    (region,) = stub.annotations.values()
    assert region["tags"][0] == f"trouble:{trouble.key}"
    assert region["timeEnd"] > region["time"]


def test_a_wrong_token_is_refused_and_a_busy_grafana_told_later(stub: Stub) -> None:
    with pytest.raises(Refused, match="401"):
        sent(stub, life()[:1], token="glsa_wrong")
    stub.next_answers = [JSONResponse({"message": "database is locked"}, 500)]
    with pytest.raises(Unsent, match="database is locked"):
        sent(stub, life()[:1])
    assert not stub.annotations
