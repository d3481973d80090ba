"""What each channel sends, letter by letter: a page, its growth, its end, many at once, trouble of our own.

`python tests/alerting/notify/test_golden.py` writes the files anew, after which the difference is to be read.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest

from alerting.message import Message, Trouble
from alerting.model import Gate, Incident, LatePeople, Part, Scope, Similar
from tests.alerting.notify.cases import CASES
from tests.alerting.notify.cases.base import Case
from tests.alerting.test_message import BAGGAGE, LINKS
from tests.alerting.test_messages import SEVEN_O_THREE

GOLDEN = Path(__file__).parent / "golden"
PAGE = msgspec.structs.replace(
    BAGGAGE,
    id="3f9c2a7be1d04c55",
    scope=Scope("spot:t4", "JFK Terminal 4", "spot", ("JFK Terminal 4", "JFK", "New York"), within=("region:US-NY",)),
    places=(),
    title="baggage at JFK Terminal 4",
    terms=(("belt 3", 12), ("carousel", 5), ("nobody here", 4)),
    examples=(
        "[user] stuck 50 min at belt 3, nobody here & no word <since> 7",
        "bags from [number] still not out, kids asleep on the floor",
    ),
    why=(
        Gate("people", True, "41 people, 5 needed"),
        Gate("channels", True, "tweets and tickets agree"),
        Gate("chance", True, "about 1 time in 1,000,000,000 had nothing happened"),
    ),
    first_question="Is belt 3 running, and since when not?",
    similar=(Similar("b7", "baggage at JFK Terminal 4", SEVEN_O_THREE - 86_400, SEVEN_O_THREE - 79_200, 30, "real"),),
)
GREW = msgspec.structs.replace(
    PAGE,
    revision=4,
    reason="grew",
    people=86,
    updated_at=PAGE.updated_at + 1500,
    acked_by="ana",
    places=(Part("spot:t4", "Terminal 4", "spot", (), 70), Part("spot:t5", "Terminal 5", "spot", (), 16)),
)
END = SEVEN_O_THREE + 130 * 60
CORRECTED = msgspec.structs.replace(
    GREW,
    revision=5,
    reason="late",
    people=98,
    late=LatePeople(12, SEVEN_O_THREE + 17 * 60, SEVEN_O_THREE + 22 * 60),
)
OVER = msgspec.structs.replace(GREW, revision=9, state="resolved", reason="resolved", resolved_at=END, updated_at=END)
BLIND = Trouble(
    key="blind:call-notes",
    line="overheard is BLIND for call notes since 07:17: no records, usually 40 an hour. Incidents there stay open until it returns.",
    advice="See whether call notes still come.",
    since=SEVEN_O_THREE + 14 * 60,
)


def _message(action: str, one: Incident, thread: str | None = None) -> Message:
    return Message(
        channel="ops", key=one.id, sequence=one.revision, action=action, created_at=one.updated_at,
        incident=one, links=LINKS, thread=thread,
    )  # fmt: skip


def _suspected(number: int) -> Message:
    own = {"id": f"{number:016x}", "title": f"app login at airport {number}", "people": 9 + number, "revision": 2}
    return _message(
        "open", msgspec.structs.replace(PAGE, state="suspected", confirmed_at=None, reason="suspected", **own)
    )


def told(thread: str | None) -> dict[str, tuple[list[Message], float]]:
    """By name: the messages sent as one, and when. `thread`: of the page, as the channel gave it."""
    trouble = Message(
        channel="ops", key=BLIND.key, sequence=1, action="open", created_at=BLIND.since, trouble=BLIND, links=LINKS
    )
    many = [_message("open", PAGE), *map(_suspected, range(52)), trouble]
    return {
        "page": ([_message("open", PAGE)], PAGE.updated_at + 9),
        "update": ([_message("update", GREW, thread)], GREW.updated_at + 9),
        "late": ([_message("update", CORRECTED, thread)], CORRECTED.updated_at + 9),
        "resolve": ([_message("resolve", OVER, thread)], OVER.updated_at + 9),
        "trouble": ([trouble], BLIND.since + 1500),
        "digest": (many, PAGE.updated_at + 90),
    }


async def _sent(case: Case) -> dict[str, str]:
    async with case.receiver() as receiver:
        channel = case.channel(receiver)
        found: dict[str, str] = {}
        thread: str | None = None
        for name in told(None):
            messages, now = told(thread)[name]
            if len(messages) > 1 and not channel.digests:
                continue
            before = len(receiver.requests)
            answer = await channel.send(messages, now)
            thread = answer.thread if name == "page" else thread
            found[f"{name}.{case.suffix}"] = case.shown(receiver, before)
        await channel.close()
        return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_sent_is_what_was_read_over(case: Case) -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in (GOLDEN / case.name).iterdir()}
    assert asyncio.run(_sent(case)) == kept


def _write() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for case in CASES.values():
        (GOLDEN / case.name).mkdir(parents=True)
        for name, text in asyncio.run(_sent(case)).items():
            (GOLDEN / case.name / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
