"""Promotion: the words of an unnamed incident become a keyword of the user's own pack, as a block of its text; undone, the block goes again.

A block is a function of its act alone, so that it is found again. The text around it is left byte for byte as people wrote it.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import msgspec

from alerting.case import UNNAMED
from alerting.controls import phrases_of
from alerting.model import Control, Incident
from streams.pack import Keyword, Pack, PackError, parse_pack

BOM = "\ufeff"


class PromotionError(ValueError):
    """A promotion, or its undoing, that cannot be; the message is for the person."""


class Suggestion(NamedTuple):
    """What a new keyword might be called and listen for."""

    keyword: str
    label: str
    phrases: tuple[str, ...]


def suggestion(incident: Incident) -> Suggestion:
    """From the terms of an unnamed incident, the strongest first."""
    terms = tuple(term for term, _ in incident.terms)
    label = terms[0] if terms else ""
    return Suggestion(re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-"), label, terms)


def check_promotable(incident: Incident) -> None:
    """Raises PromotionError where nothing asks for a name."""
    if UNNAMED not in incident.marks:
        raise PromotionError("only an unnamed incident is promoted: this one has its keywords")


def keyword_of(control: Control) -> Keyword:
    """The keyword a promotion makes."""
    return Keyword(id=control.keywords[0], name=control.label, phrases=phrases_of(control))


def block(control: Control) -> str:
    """The lines of the pack that make the keyword; they begin with the end of the line before."""
    keyword = keyword_of(control)
    phrases = "".join(f"  {_quoted(phrase)},\n" for phrase in keyword.phrases)
    return (
        f"\n# promoted from incident {control.incident}\n[[keywords]]\nid = {_quoted(keyword.id)}\n"
        f"name = {_quoted(keyword.name)}\nphrases = [\n{phrases}]\n"
    )


def promoted(text: str, control: Control, file: str) -> str:
    """The pack's text with the block after it. Raises PromotionError; what loads afterwards is the pack before and this keyword, no more."""
    before, wanted = _read(text, file), keyword_of(control)
    if wanted.id in {one.id for one in before.keywords} | {one.id for one in before.subjects}:
        raise PromotionError(
            f"{wanted.id!r} is in {file} already: choose another id, or add the phrases to that one by hand"
        )
    after = text + block(control)
    try:
        made = parse_pack(after.removeprefix(BOM), file)
    except PackError as error:
        raise PromotionError(f"the pack would not load with it: {error}") from None
    if made != msgspec.structs.replace(before, keywords=(*before.keywords, wanted)):
        raise PromotionError(f"{file} would not read as it did with the keyword after it; add it by hand")
    return after


def demoted(text: str, control: Control, file: str) -> str | None:
    """The pack's text without the block; None where the keyword is gone already. Raises PromotionError where people have changed the block."""
    before, gone = _read(text, file), keyword_of(control)
    if not any(one.id == gone.id for one in before.keywords):
        return None
    if text.count(block(control)) != 1:
        raise PromotionError(f"{gone.id!r} was changed in {file} since it was promoted: take it out by hand, then undo")
    after = text.replace(block(control), "")
    try:
        parse_pack(after.removeprefix(BOM), file)
    except PackError as error:
        raise PromotionError(f"the pack would not load without it: {error}") from None
    return after


def _read(text: str, file: str) -> Pack:
    try:
        return parse_pack(text.removeprefix(BOM), file)
    except PackError as error:
        raise PromotionError(f"the pack cannot be read as it stands, mend it first: {error}") from None


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
