"""How a message looks in Slack: Block Kit, within its limits, with nothing in it that Slack would obey.

Slack has no way to escape its formatting marks, so look-alikes stand for them; `& < >` are escaped as its documentation says ("Escaping
text"), in plain text objects too, and `verbatim` keeps it from making links and mentions of words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from alerting.digest import Digest, digest
from alerting.message import Facts, Message, facts

MOST_HEADER, MOST_TEXT, MOST_FIELDS = 150, 3000, 10  # Slack's
MOST_URL, MOST_BUTTONS = 3000, 5
MOST_LETTERS = 12_000  # in all; over some 13,000 Slack answers msg_blocks_too_long
MOST_HEADLINE, MOST_FACT, MOST_QUOTE, MOST_WHY, MOST_LINE = (
    1000,
    600,
    300,
    1500,
    250,
)  # ours, so that a message is never more
SHORT = 40  # letters of a fact that fits half the width
MENTION = re.compile(r"@(?=\w)")
BESIDE_AT = "\u2060"  # no width: "@here" is no name any more
MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})
NEWS = {
    "suspected": "Again only suspected",
    "confirmed": "Now confirmed",
    "grew": "It grew",
    "widened": "It reached more places",
    "narrowed": "It is fewer places now",
    "unsilenced": "The silence ended",
}

Block = dict[str, Any]


def words(text: str, most: int = MOST_TEXT) -> str:
    """A text as Slack shows it letter by letter, at most so many characters when escaped."""
    safe = MENTION.sub(f"@{BESIDE_AT}", text).translate(MARKS)
    if len(safe) <= most:
        return safe
    cut = safe[: most - 1]
    if (begun := cut.rfind("&", most - 6)) >= 0 and ";" not in cut[begun:]:
        cut = cut[:begun]
    return f"{cut}…"


def content(messages: Sequence[Message], now: float) -> dict[str, Any]:
    """`blocks` and `text`, the fallback that notifications show."""
    if len(messages) > 1:
        told = digest(messages, now)
        return {"text": words(told.headline, MOST_HEADLINE), "blocks": _digest_blocks(told)}
    said = facts(messages[0], now)
    return {"text": words(said.headline, MOST_HEADLINE), "blocks": _blocks(said)}


def reply(message: Message, now: float) -> str:
    """The line in the thread that says what changed."""
    headline = words(facts(message, now).headline, MOST_HEADLINE)
    reason = message.incident.reason if message.incident is not None and message.action == "update" else ""
    return f"{NEWS[reason]}: {headline}" if reason in NEWS else headline


def _blocks(said: Facts) -> list[Block]:
    short = [(label, text) for label, text in said.rows if len(text) <= SHORT][:MOST_FIELDS]
    long = [row for row in said.rows if row not in short]
    blocks = [_header(said.headline)]
    if len(words(said.headline)) > MOST_HEADER:
        blocks.append(_section([words(said.headline, MOST_HEADLINE)]))
    if short:
        blocks.append({"type": "section", "fields": [_mrkdwn(_labelled("\n", *row)) for row in short]})
    blocks += [_section(part) for part in _parted(_labelled(" ", *row) for row in long)]
    blocks += [_section(part) for part in _parted(f">“{words(quote, MOST_QUOTE)}”" for quote in said.quotes)]
    if said.why and not said.over:
        gates = f"How sure: {words(' · '.join(said.why), MOST_WHY)}"
        blocks.append({"type": "context", "elements": [_mrkdwn(gates)]})
    buttons = [_button(label, url) for label, url in said.links if len(url) <= MOST_URL][:MOST_BUTTONS]
    return blocks + ([{"type": "actions", "elements": buttons}] if buttons else [])


def _digest_blocks(told: Digest) -> list[Block]:
    lines = [f"• {_linked(words(line, MOST_LINE), url)}" for line, url in told.lines]
    fits = sum(total <= MOST_LETTERS for total in accumulate(map(len, lines)))
    told = told.first(fits)
    blocks = [_header(told.headline), *(_section(part) for part in _parted(lines[:fits]))]
    if rest := told.rest():
        blocks.append({"type": "context", "elements": [_mrkdwn(words(rest))]})
    if told.board is not None:
        blocks.append({"type": "actions", "elements": [_button("Board", told.board)]})
    return blocks


def _parted(lines: Iterable[str]) -> Iterable[list[str]]:
    """Lines by as many as one text holds."""
    part: list[str] = []
    for line in lines:
        if part and sum(map(len, part)) + len(part) + len(line) > MOST_TEXT:
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def _labelled(between: str, label: str, text: str) -> str:
    return f"*{words(label, 100)}*{between}{words(text, MOST_FACT)}"


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": words(text, MOST_HEADER), "emoji": False}}


def _section(lines: Sequence[str]) -> Block:
    return {"type": "section", "text": _mrkdwn("\n".join(lines))}


def _mrkdwn(text: str) -> Block:
    assert len(text) <= MOST_TEXT
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _button(label: str, url: str) -> Block:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": words(label, 75), "emoji": False},
        "url": url,
        "action_id": f"open-{label.lower()}",
    }


def _linked(text: str, url: str | None) -> str:
    """What would end the address in it is written otherwise."""
    if url is None or len(url) > MOST_LINE:
        return text
    address = url.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    return f"<{address}|{text}>"
