"""Fifty texts people might write to do harm in what we send, and the largest incident there could be."""

from __future__ import annotations

import msgspec

from alerting.message import Message, Trouble
from alerting.model import Gate, Incident, Part, Scope, Similar
from tests.alerting.test_message import BAGGAGE, LINKS

MARKUP = (
    "<!channel> all planes",
    "<!here|here>",
    "<!everyone>",
    "<@U024BE7LH>",
    "<#C024BE7LR|general>",
    "<!subteam^S012345>",
    "<https://evil.example|sign in>",
    "*bold* _italic_ ~struck~ `code`",
    "```\nrm -rf /\n```",
    "> quoted\n>>> all of it",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "@channel @here @everyone",
    "@all @room",
    "<at>everyone</at>",
    "[click me](https://evil.example)",
    "![pixel](https://evil.example/pixel.png)",
    "[x](javascript:alert(1))",
    "# heading\n- list",
    "| a | b |\n|---|---|",
)
PAGES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\"><script src='//evil.example/x.js'></script>",
    "' onmouseover='alert(1)",
    "<a href='https://evil.example'>here</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<!-- comment",
    "</td></table><h1>gone",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    '{{ .Labels.secret }} {{ template "x" . }}',
)
LINES = (
    "line\r\nBcc: everyone@example.org",
    "line\nSubject: other",
    "line\n2026-01-01T00:00:00Z [error] all is well",
    '\n{"event": "incident", "line": "forged"}',
    "\r\n\r\n<html>body",
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "nul\x00nul",
    "\x08\x08\x08\x7f",
    "\u202eesrever\u202c",
    "\u2066isolated\u2069 \u200bzero\ufeff",
    "lines\u2028and\u2029paragraphs\x85next",
    '=HYPERLINK("https://evil.example","x")',
    '", "severity": "info", "x": "',
    'a="b",alertname="Other"} 1',
    "half \ud83d a pair",
    "👩‍🚀🇺🇸 " * 400,
    "very long " * 2000,
)
PAYLOADS = (*MARKUP, *PAGES, *LINES)


def hostile(payload: str) -> Message:
    """A message with the payload in each text that comes from outside: from people, from names, from operators."""
    one = msgspec.structs.replace(
        BAGGAGE,
        title=f"baggage {payload}",
        scope=Scope("airport:JFK", payload, "airport", (payload, "New York"), within=("airport:JFK", "region:US-NY")),
        places=(Part("spot:t4", payload, "spot", (payload,), 30), Part("spot:t5", "Terminal 5", "spot", (), 11)),
        terms=((payload, 12), ("carousel", 5)),
        examples=(payload, f"before {payload} after"),
        channels={"tweets": 30, payload[:80]: 11},
        why=(Gate("people", True, payload),),
        first_question=payload,
        acked_by=payload,
        similar=(Similar("b7", payload, BAGGAGE.onset - 86_400, BAGGAGE.onset - 79_200, 30, "real"),),
    )
    return message(one)


def hostile_trouble(payload: str) -> Message:
    trouble = Trouble(key="blind:notes", line=payload, advice=payload, since=BAGGAGE.onset)
    return msgspec.structs.replace(message(), key=trouble.key, incident=None, trouble=trouble)


def huge() -> Message:
    """A thousand places, fifty keywords, a day of everything."""
    places = tuple(Part(f"spot:{n:04}", f"Terminal number {n} of many", "spot", ("a", "b"), 40) for n in range(1000))
    similar = tuple(
        Similar(f"b{n}", f"baggage at airport {n}", BAGGAGE.onset - 86_400, BAGGAGE.onset, 30, "real")
        for n in range(50)
    )
    one = msgspec.structs.replace(
        BAGGAGE,
        places=places,
        keywords=tuple(f"baggage/problem-{n}" for n in range(50)),
        title="baggage, " + ", ".join(f"problem {n}" for n in range(50)) + " at JFK",
        terms=tuple((f"term-{n}" * 10, n) for n in range(200)),
        examples=tuple("ä" * 200 for _ in range(50)),
        why=tuple(Gate("people", True, f"{n} people, 5 needed " * 10) for n in range(50)),
        similar=similar,
        people=40_000,
    )
    return message(one)


def message(one: Incident = BAGGAGE) -> Message:
    return Message(
        channel="ops",
        key=one.id,
        sequence=one.revision,
        action="open",
        created_at=one.updated_at,
        incident=one,
        links=LINKS,
    )
