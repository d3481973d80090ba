"""The made-up storm after eight weeks in which places suffered together, and people judged what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select, update

from alerting.model import Control, Incident
from alerting.routing import Route
from detectors.network import WEEK
from streams.runtime.store import graph, tables
from streams.runtime.store.network import MOST_WEEKS, SINCE, UNTIL, refresh
from streams.runtime.store.planner import Planner
from streams.runtime.store.reader import Reader
from streams.runtime.store.writer import Work, Writer, write_meta
from tests.dashboards.made_up import DAY, DAYS, NOW, Day, Keywords, Places, incident, revisions, storm

ROUTES = (Route(channels=("chat",)), Route(channels=("pager",), tier="confirmed"))
AIR = ("airport:JFK", "airport:LGA", "airport:EWR", "airport:BOS")
BANDS = (  # who suffers together, each so many minutes after the first
    tuple((place, "*", 12.0 * number) for number, place in enumerate(AIR)),
    (("airport:ORD", "*", 0.0), ("airport:DEN", "*", 47.0)),
    (("airport:DFW", "delay", 0.0), ("airport:DFW", "staff", 2.0), ("airport:ATL", "delay", 95.0)),
)
VERDICTS = ("real", "real", "known_event", "real", None, "not_real", "real", None)


@dataclass
class Weeks(Day):
    """A day with the weeks before it."""

    def store(self, path: Path) -> Reader:
        reader = super().store(path)
        writer = Writer(
            reader.engine, Places(), Keywords(), lambda name: "posts", planner=Planner(reader.engine, ROUTES)
        )
        told, acts = _told()
        writer.commit(Work(incidents=told, controls=acts))
        end = NOW // DAY * DAY
        with reader.engine.begin() as connection:
            connection.execute(update(tables.outbox).values(state="sent"))
            places = dict(connection.execute(select(tables.place_names.c.place, tables.place_names.c.number)).all())
            words = dict(
                connection.execute(select(tables.keyword_names.c.keyword, tables.keyword_names.c.number)).all()
            )
            connection.execute(graph.excesses.insert(), _excesses(int(end - MOST_WEEKS * WEEK), places, words))
            write_meta(connection, {SINCE: end - MOST_WEEKS * WEEK, UNTIL: end - DAY})
        refresh(reader.engine)
        return reader


def _excesses(begin: int, places: dict[str, int], words: dict[str, int]) -> list[dict[str, int]]:
    chance = np.random.default_rng(4)
    found = {}
    for band in BANDS:
        days = chance.choice(
            [day for day in range(MOST_WEEKS * 7 - 1) if (begin // DAY + day + 3) % 7 < 5], 18, replace=False
        )
        for at in begin + days * DAY + chance.uniform(7, 18, 18) * 3600:
            for place, keyword, minutes in band:
                if chance.random() < 0.85:
                    first = int(at + 60 * chance.normal(minutes, 3.0)) // 60 * 60
                    found[places[place], words[keyword], first] = first + 1800
    return [
        {"place": place, "keyword": keyword, "first": first, "last": last, "people": 9}
        for (place, keyword, first), last in found.items()
    ]


def _told() -> tuple[list[Incident], list[Control]]:
    """Two or three a week, each resolved after two hours, most of them judged."""
    chance = np.random.default_rng(6)
    told, acts = [], []
    for number in range(26):
        minutes = 60.0 * 24 * (2 + 3.1 * number)
        state = "resolved"
        place, keyword = chance.choice([*AIR, "airport:ORD"]), chance.choice(["delay", "baggage", "cancellation"])
        confirmed = {} if number % 3 else {"confirmed_at": None}
        marks = {"marks": ("unnamed",), "terms": (("kiosk frozen", 7), ("kiosk", 5))} if number % 9 == 4 else {}
        one = incident(
            f"pa57{number:04}", state, str(place), str(keyword), 12 + number, 2.0, minutes, verdict=VERDICTS[number % len(VERDICTS)],
            channels={"posts": 9} if number % 2 else {"posts": 6, "tickets": 6}, resolved_at=NOW - 60 * minutes + 7200,
            updated_at=NOW - 60 * minutes + 7200, trend="falling", **confirmed, **marks,
        )  # fmt: skip
        told += revisions(one)
        if number % 4 == 0:
            at = one.onset + 300 + 60.0 * float(chance.integers(10, 90))
            acts.append(
                Control(
                    id=f"act{number}", kind="intervention", at=at, author="kim", incident=one.id, value="Sent people."
                )
            )
    return told, acts


def weeks() -> Weeks:
    day = storm()
    return Weeks(**vars(day))


ALL_DAYS = {**DAYS, "weeks": weeks}
