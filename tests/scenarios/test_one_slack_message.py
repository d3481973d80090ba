"""Through the store and restarts: an incident stays one message in Slack, and one that could not be edited in time is not lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alerting.model import Incident
from streams.runtime.store.migrations import open_store
from tests.alerting.notify.cases.slack import Slack, SlackCase
from tests.alerting.notify.receiver import Answer
from tests.streams.runtime.test_deliver import Desk, revision

GREW = revision("a", 3, "confirmed", reason="grew", people=50)
ENDED = revision("a", 4, "resolved", people=60, confirmed_at=2.0, resolved_at=9.0)


async def told(folder: Path, slack: Slack, *incidents: Incident) -> None:
    """Written and delivered by a process of its own."""
    engine = open_store(f"sqlite:///{folder / 'store.sqlite'}")
    desk = Desk(engine, chat=SlackCase().channel(slack))
    desk.write(*incidents)
    await desk.deliver()
    engine.dispose()


def test_each_revision_told_after_a_restart_edits_the_first_message(tmp_path: Path) -> None:
    async def go() -> Slack:
        async with Slack(limited=True) as slack:
            for one in (revision("a", 1), revision("a", 2, "confirmed"), GREW, ENDED):
                await told(tmp_path, slack, one)
            return slack

    first, *replies = asyncio.run(go()).posted
    assert first.header.startswith("RESOLVED trouble a after 9 s")
    assert [one.thread for one in replies] == [first.ts] * 3
    assert [one.loud for one in replies] == [True, False, False]


def test_what_slack_did_not_take_is_told_once_it_does(tmp_path: Path) -> None:
    async def go() -> Slack:
        async with Slack() as slack:
            slack.script = [Answer(429, b"", (("Retry-After", "1"),)), Answer(200, b"<html>")]
            await told(tmp_path, slack, revision("a", 1))
            slack.errors = ["internal_error"]
            await told(tmp_path, slack, ENDED)
            return slack

    first, reply = asyncio.run(go()).posted
    assert first.header.startswith("RESOLVED")
    assert reply.thread == first.ts
