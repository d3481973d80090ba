"""A thousand handles, addresses, phones and account numbers, planted in complaints: none is found in what the service writes.

Looked at: every table of the store but dead letters, snapshots included, logs down to DEBUG, metrics, and messages to people.
"""

from __future__ import annotations

import json
import logging
import zlib
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import select

from alerting.message import Links, Message, facts
from streams.runtime.embedded import Service
from streams.runtime.store import tables
from tests.streams.runtime.test_service import MINUTE, complaint, complaints, run, settled

EACH = 250
ALWAYS = ("everyonesvictim", "mark.always@mail.example", "(281) 555-0177", "4242424242")  # in every text: strong terms


def planted(number: int) -> dict[str, object]:
    """A complaint with four things nobody else may read, in the text and around it."""
    handle, mail = f"victim{number:04}", f"victim{number:04}.real@mail.example"
    phone, account = f"713-555-{number:04}", f"8844{number:06}"
    text = (
        f"no power in Houston @{handle} write {mail} or call {phone} account {account} "
        f"@{ALWAYS[0]} {ALWAYS[1]} {ALWAYS[2]} account number {ALWAYS[3]}"
    )
    return complaint(number, id=f"{handle}:{account}", author=handle, text=text, created_at=MINUTE + 1.2 * number)


NEEDLES = {
    needle for n in range(EACH) for needle in (f"victim{n:04}", f"victim{n:04}.real", f"555-{n:04}", f"8844{n:06}")
}
NEEDLES |= {"everyonesvictim", "mark.always", "555-0177", "4242424242"}


def found_in(data: bytes) -> set[str]:
    return {needle for needle in NEEDLES if needle.encode() in data.lower()}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_nothing_planted_is_found_outside_the_plane_of_outreach(
    tmp_path: Path, logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(NEEDLES) >= 1000
    with structlog.testing.capture_logs() as events:

        async def test(service: Service, client: httpx.AsyncClient) -> None:
            before = [complaint(n, id=f"h{n}", author=f"h{n}", created_at=MINUTE - 3600 * (48 - n)) for n in range(48)]
            assert (await complaints(client, json.dumps(before))).status_code == 202
            sent = [planted(number) for number in range(EACH)]
            for first in range(0, EACH, 50):
                body = json.dumps(
                    [*sent[first : first + 50], {**sent[first], "created_at": "never", "id": f"bad{first}"}]
                )
                assert (await complaints(client, body)).status_code == 202
            later = complaint(9999, author="other", text="fine again", created_at=MINUTE + 3600)
            assert (await complaints(client, json.dumps(later))).status_code == 202
            await settled(service)
            assert service.reader.incidents(), "nothing was opened: nothing would be told"
            assert sum(one.count for one in service.reader.dead_letters(0.0)) == EACH // 50
            service.runner.snapshot_at = float("-inf")
            assert (await complaints(client, json.dumps({**later, "id": "last"}))).status_code == 202
            await settled(service)
            assert found_in((await client.get("/metrics")).content) == set()
            quotes = [quote for one in service.reader.incidents() for quote in one.examples]
            assert any("[user]" in quote and "[phone]" in quote for quote in quotes), quotes
            for one in [i for known in service.reader.incidents() for i in service.reader.incident(known.id)]:
                message = Message(
                    channel="x",
                    key=one.id,
                    sequence=one.revision,
                    action="open",
                    created_at=0.0,
                    incident=one,
                    links=Links(),
                )
                told = facts(message, one.updated_at)
                assert found_in(f"{told.text()} {told.why} {one.to_json()}".encode()) == set()
            with service.store.connect() as connection:
                for table in tables.metadata.sorted_tables:
                    rows = connection.execute(select(table)).all()
                    text = "\n".join(repr(tuple(row)) for row in rows)
                    if table is tables.dead_letters:
                        assert found_in("\n".join(repr((*row[:5], *row[6:7])) for row in rows).encode()) == set()
                        continue
                    assert found_in(text.encode()) == set(), table.name
                states = [row.state for row in connection.execute(select(tables.snapshots))]
            assert states
            for state in states:
                assert found_in(opened(state)) == set()

        run(tmp_path, test)
    out, err = capfd.readouterr()
    assert found_in(f"{events} {logged.text} {out} {err}".encode()) == set()


def opened(state: bytes) -> bytes:
    """A snapshot as it was before it was compressed, where it was."""
    try:
        return zlib.decompress(state)
    except zlib.error:
        return state
