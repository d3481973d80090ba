"""The report of a replay: one file that needs nothing else, true words, nothing from outside unescaped."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from alerting.model import Gate, Incident, Part, Scope
from dashboards.report import in_short, render
from dashboards.report_chart import ticks_of
from dashboards.report_data import Card, Report, gaps
from dashboards.series import Bar
from streams.evaluation import PlacePeople, evaluate
from streams.labels import Label
from streams.part import SourceCount

HOUR = 3600
START = 1_767_596_400.0
HOSTILE = "<script>alert(1)</script>\"'&"


def incident(id="abc", **more):
    values = {
        "revision": 2,
        "state": "resolved",
        "onset": START,
        "opened_at": START + 300,
        "suspected_at": START + 600,
        "confirmed_at": START + 900,
        "resolved_at": START + 3 * HOUR,
        "updated_at": START + 3 * HOUR,
        "scope": Scope("city:1", "Houston", "city", ("Houston", "Texas", "United States", "everywhere")),
        "keywords": ("outage",),
        "title": "power outage at Houston",
        "people": 41,
        "messages": 50,
        "expected": 2.9,
        "factor": 14.1,
        "p_value": 1e-7,
        "channels": {"posts": 41},
        "terms": (("transformer", 7),),
        "examples": ("[user] lights out on our street",),
        "why": (Gate("people", True, "41 people, 3 needed"), Gate("channels", False, "1 channel; a second would help")),
        "places": (
            Part("city:2", "Katy", "city", ("Katy", "Texas"), 6),
            Part("city:3", "Bellaire", "city", ("Bellaire",), 3),
        ),
    }
    return Incident(id=id, **(values | more))


def report(incidents=(), labels=(), **more):
    people = [
        PlacePeople("everywhere", ("everywhere",), {int(START // HOUR): 41}),
        PlacePeople("Houston", ("Houston", "everywhere"), {int(START // HOUR): 41}),
    ]
    evaluation = evaluate(labels, incidents, 4.0, people)
    bars = [Bar(int(START) + i * 600, 600, i % 7, i % 7, 1.0, 0.0, 3.0, 0.5) for i in range(24)]
    values = {
        "pack": "Electric power",
        "zone": "America/Chicago",
        "first": START - 14 * 86400,
        "last": START + 14 * 86400,
        "weeks": 4.0,
        "records": 9653,
        "people": 41,
        "places": 9,
        "signals": 3,
        "evaluation": evaluation,
        "incidents": list(incidents),
        "cards": [Card(one, bars, "America/Chicago", "power outage", evaluation.rows) for one in incidents],
        "dead": [],
        "sources": [("twitter:x", SourceCount(records=9653, complaints=50, placed=40, authors=9653))],
        "gaps": [],
        "notices": [],
        "volume": [(START + i * 86400.0, i) for i in range(-14, 14)],
        "settings": [("pack", "power")],
        "command": "overheard replay a.jsonl --pack power --out DIR",
    }
    return Report(**(values | more))


def label(at=-1.0, where="Texas: Harris County", what="Severe storms"):
    return Label(
        datetime.fromtimestamp(START + at * HOUR, UTC).isoformat(), where, what, None, "", "Texas", ("Houston",)
    )


class Outside(HTMLParser):
    """Collects whatever would be fetched or run."""

    def __init__(self):
        super().__init__()
        self.found, self.depth, self.open = [], 0, []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "iframe", "link", "img", "object", "embed", "base", "form"):
            self.found.append(tag)
        self.found += [
            f"{name}={value}" for name, value in attrs if name in ("src", "srcset", "action") or name.startswith("on")
        ]
        self.found += [value for name, value in attrs if name == "href" and not value.startswith("#")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outside(html):
    parser = Outside()
    parser.feed(html)
    assert parser.open == []
    return parser.found + re.findall(r"url\(|@import", html)


def test_the_file_asks_nobody_and_runs_nothing():
    assert outside(render(report([incident()], [label()]))) == []


def test_what_came_from_outside_is_escaped_everywhere():
    scope = Scope("x", HOSTILE, "city", (HOSTILE, "everywhere"))
    one = incident(
        id="id" + HOSTILE, title=HOSTILE, scope=scope, keywords=(HOSTILE,), terms=((HOSTILE, 2),), examples=(HOSTILE,), marks=(HOSTILE,),
        why=(Gate(HOSTILE, True, HOSTILE),), places=(Part("y", HOSTILE, "city", (HOSTILE,), 2),), channels={HOSTILE: 3},
    )  # fmt: skip
    labels = [label(where=HOSTILE, what=HOSTILE), label(900, HOSTILE, HOSTILE)]
    more = {
        "dead": [(HOSTILE, 2)],
        "sources": [(HOSTILE, SourceCount(records=3))],
        "notices": [HOSTILE],
        "settings": [(HOSTILE, HOSTILE)],
    }
    html = render(report([one], labels, pack=HOSTILE, command=HOSTILE, **more))
    assert "<script" not in html
    assert outside(html) == []


def test_in_short_says_what_was_found_how_soon_and_at_what_price():
    told = in_short(report([incident(), incident("b", scope=Scope("z", "Lyon", "city", ("Lyon",)))], [label()]))
    assert told == (
        "4 weeks, 9,653 complaints, 9 places: 1 of 1 reachable disruption found, median 1 h 10 min after the stated start, "
        "0.25 unanswered incidents a week."
    )


def test_without_labels_nothing_is_called_found_or_missed():
    html = render(report([incident()]))
    assert "No known disruptions to compare with." in html
    assert "No labels were given" in html


def test_a_calm_replay_says_so_in_a_sentence():
    html = render(report())
    assert "Nothing unusual: 9,653 records, 41 people" in html
    assert "3 signals stayed below the gates" in html


def test_a_card_tells_what_where_since_when_why_and_which_label_it_answers():
    html = render(report([incident()], [label()]))
    told = (
        "Power outage at Houston: 41 people, 14 × the usual",
        "41 people, 3 needed",
        "transformer",
        "lights out on our street",
    )
    for words in (*told, "Katy", "<b>1 h 10 min after</b> the stated start", "Severe storms", "(3 h)"):
        assert words in html
    assert 'title="2026-01-05 07:00 UTC">Mon 5 Jan 2026, 01:00' in html


def test_misses_are_listed_with_the_gate_that_decided():
    signal = incident(
        "s",
        state="signal",
        suspected_at=None,
        confirmed_at=None,
        resolved_at=None,
        why=(Gate("people", False, "2 people, 3 needed"),),
    )
    people = [PlacePeople("Houston", ("Houston",), {int(START // HOUR): 9})]
    evaluation = evaluate([label()], [signal], 4.0, people)
    html = render(report(evaluation=evaluation))
    assert "Missed, though enough people spoke: 1" in html
    assert "stayed a signal; 2 people, 3 needed" in html


def test_records_that_could_not_be_counted_are_told_with_their_share():
    html = render(report(dead=[("not_json", 40), ("bad_time", 8)]))
    assert "48 of 9,653 records (0.497 %) could not be counted: 40 not json, 8 bad time." in html


def test_a_long_silence_is_a_gap_and_a_quiet_night_is_not():
    hours = {hour: 10 for hour in range(1000) if hour % 24 not in (2, 3, 4) and not 500 <= hour < 520}
    (gap,) = gaps([SourceCount(seen_by_hour=hours)])
    assert (gap.start, gap.end) == (500 * HOUR, 520 * HOUR)
    assert 100 < gap.usual < 200


@pytest.mark.parametrize("days", [0.02, 0.3, 1, 5, 20, 100, 400, 1600, 8000])
def test_every_span_has_a_few_round_ticks(days):
    ticks = ticks_of(START, START + days * 86400, "America/Chicago")
    assert 2 <= len(ticks) <= 14
    assert len({text for _, text in ticks}) >= len(ticks) - 1
