"""A promotion's block in the text of a pack: what loads is the pack before and one keyword, whatever people write; undone, it is as before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.controls import check, clean
from alerting.model import Control
from streams.pack import Keyword, PackError, parse_pack
from streams.promotion import PromotionError, demoted, promoted
from tests.alerting.notify.hostile import PAYLOADS

PACK = '[pack]\nname = "own"\ntitle = "Own"\n[[keywords]]\nid = "delay"\nname = "delays"\nphrases = ["late again"]\n'
HOSTILE = [
    'x"]\n[[keywords]]\nid = "evil"\nname = "evil"\nphrases = ["a',
    '"""', "'''", "\\", "\\u0041", 'a\\"]', "# comment", "a\u2028b", "a\x00b", "\x7f", "\ud800 half", "tab\there", "]]",
]  # fmt: skip


def act(*phrases: str, keyword: str = "kiosk-frozen", **more: Any) -> Control:
    given: dict[str, Any] = {
        "label": "kiosk frozen",
        "incident": "abc",
        "keywords": (keyword,),
        "author": "anna",
    } | more
    return clean(Control(id="c1", kind="promote", at=1.0, value="\n".join(phrases), **given))


def test_the_keyword_is_added_and_taken_out_to_the_byte() -> None:
    for text in (PACK, PACK.rstrip(), PACK.replace("\n", "\r\n"), "\ufeff" + PACK, PACK + "# the end"):
        after = promoted(text, act("kiosk frozen", "frozen kiosk"), "own.toml")
        added = parse_pack(after.removeprefix("\ufeff"), "own.toml").keywords[-1]
        assert added == Keyword("kiosk-frozen", "kiosk frozen", phrases=("kiosk frozen", "frozen kiosk"))
        assert after.startswith(text)
        assert demoted(after, act("kiosk frozen", "frozen kiosk"), "own.toml") == text


@pytest.mark.parametrize("text", [*HOSTILE, *PAYLOADS])
def test_no_words_of_people_write_anything_but_a_phrase_or_a_label(text: str) -> None:
    control = act("kiosk", text[:100], label=text[:80] or "x", incident=text[:40] or "i", reason=text, author=text)
    try:
        check(control)
        after = promoted(PACK, control, "own.toml")
    except ValueError:
        return  # refused: nothing is written
    pack = parse_pack(after, "own.toml")
    assert [one.id for one in pack.keywords] == ["delay", "kiosk-frozen"]
    assert pack.keywords[-1].name == control.label
    assert demoted(after, control, "own.toml") == PACK


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.text(min_size=1, max_size=40))
def test_whatever_is_not_refused_reads_back_as_it_was_meant(phrases: list[str], label: str) -> None:
    control = act(*phrases, label=label)
    try:
        check(control)
        after = promoted(PACK, control, "own.toml")
    except ValueError:
        return
    before = parse_pack(PACK, "own.toml")
    made = parse_pack(after, "own.toml")
    assert msgspec.structs.replace(made, keywords=made.keywords[:-1]) == before
    assert demoted(after, control, "own.toml") == PACK


def test_two_promotions_are_taken_back_in_any_order() -> None:
    one, two = act("kiosk frozen"), act("gate shut", keyword="gate-shut", label="gate shut", incident="def")
    both = promoted(promoted(PACK, one, "f"), two, "f")
    assert demoted(both, one, "f") == promoted(PACK, two, "f")
    assert demoted(demoted(both, two, "f") or "", one, "f") == PACK


@pytest.mark.parametrize(
    ("pack", "control", "said"),
    [
        (PACK, act("x", keyword="delay"), "'delay' is in f already"),
        (PACK, act("x", keyword="Kiosk Frozen"), "not a path of slugs"),
        (PACK, act("x", keyword="delay/kiosk"), "only leaves have phrases"),
        (PACK, act("x", keyword="gates/kiosk"), "its parent 'gates' does not exist"),
        (PACK, act("!!!"), "has no letter or digit"),
        (PACK + "[[broken", act("x"), "mend it first"),
        ('keywords = [{id = "a", name = "a", phrases = ["b"]}]\n[pack]\nname = "own"\n', act("x"), "would not load"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(pack: str, control: Control, said: str) -> None:
    with pytest.raises(PromotionError, match=said):
        promoted(pack, control, "f")


def test_what_people_changed_since_is_left_to_them() -> None:
    after = promoted(PACK, act("kiosk frozen"), "f")
    edited = after.replace('"kiosk frozen",\n', '"kiosk frozen", "dead kiosk",\n')
    with pytest.raises(PromotionError, match="was changed in f since"):
        demoted(edited, act("kiosk frozen"), "f")
    assert demoted(PACK, act("kiosk frozen"), "f") is None  # taken out by hand
    around = after.replace("late again", "so late") + "\n# a note below\n"
    assert demoted(around, act("kiosk frozen"), "f") == PACK.replace("late again", "so late") + "\n# a note below\n"
    with pytest.raises(PackError):
        parse_pack(PACK + "[[broken", "f")


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (act("x", keyword=""), "keywords: the id"),
        (act("x", keywords=("a", "b")), "keywords: the id"),
        (act("x", label=" \x00 "), "label: what people call"),
        (act(" ", "\n"), "value: the new keyword's phrases"),
        (act(*map(str, range(51))), "50 at most"),
        (act("x", incident=None), "about one incident"),
    ],
)
def test_a_promotion_names_one_keyword_its_label_and_phrases(control: Control, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(control)
