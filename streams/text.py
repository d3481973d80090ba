"""Texts as people and hostile people write them, made into plain words: Unicode TR 36 and 39, with a table of our own.

`normalise` serves the matching; `redact` (`streams/redaction.py`) makes what people get to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from streams.redaction import redact

__all__ = ["fold", "normalise", "redact", "without_handles_and_links"]

MAX_CHARACTERS = 4_096
MAX_WORDS = 50_000  # remembered, of those that are not ASCII
MAX_WORD_CHARACTERS = 64

_APOSTROPHES = "'`´‘’‛′ʹʻʼʽˈ＇"
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters and symbols that show nothing
_SPACE = " "

# Lower-case letters read as a Latin one. Wholly foreign words are folded only when each letter is of this first table.
_LIKE = {
    "a": "аɑα", "c": "сϲ", "d": "ԁ", "e": "еҽ", "g": "ɡ", "h": "һ", "i": "іιɩ", "j": "јϳ", "l": "ӏ", "n": "ո",
    "o": "оοօσ", "p": "рρ", "q": "ԛ", "s": "ѕ", "u": "սυ", "v": "ѵν", "w": "ԝω", "x": "хχ", "y": "уүγ",
}  # fmt: skip
# Read as Latin only beside Latin letters: letters whose capitals look alike, and loose likenesses.
_LOOSE = {
    "b": "вβьƅ", "d": "ժ", "e": "εє", "f": "ϝ", "g": "ց", "h": "нηհ", "k": "кκ", "m": "мμ", "n": "пη", "r": "гᴦ",
    "t": "тτ", "w": "шщѡա", "x": "ж", "z": "ζ",
}  # fmt: skip
# Latin letters of another form, without a decomposition: small capitals, strokes, hooks.
_FORMS = {
    "a": "ᴀ", "b": "ʙƀ", "c": "ᴄ", "d": "ᴅđ", "e": "ᴇɛ", "f": "ꜰƒ", "g": "ɢ", "h": "ʜħ", "i": "ɪıɨ", "j": "ᴊ", "k": "ᴋ",
    "l": "ʟł", "m": "ᴍ", "n": "ɴ", "o": "ᴏøɵ", "p": "ᴘ", "r": "ʀ", "s": "ꜱ", "t": "ᴛŧ", "u": "ᴜʊʉ", "v": "ᴠ", "w": "ᴡ",
    "y": "ʏ", "z": "ᴢƶ",
}  # fmt: skip
_STRICT_FOLD = {ord(like): latin for latin, likes in _LIKE.items() for like in likes}
_FOLD = {ord(like): latin for latin, likes in _LOOSE.items() for like in likes} | _STRICT_FOLD
_LATIN = {form: latin for latin, forms in _FORMS.items() for form in forms}

_SEAM = " \0 "  # between texts that are folded as one
_ASCII_TABLE = bytes(
    code + 32 if 65 <= code <= 90 else code if chr(code).isalnum() or not code else 32 for code in range(128)
).ljust(256)
_ASCII_DROP = b"'`"


class _Characters(dict[int, str]):
    """What a casefolded character becomes: itself, a plain letter, nothing, or a space; worked out once for each."""

    def __missing__(self, code: int) -> str:
        if len(self) > 20_000:
            self.clear()  # all of Unicode would not fit
        self[code] = made = _plain(chr(code))
        return made


def _plain(character: str) -> str:
    if character in _APOSTROPHES or character in _FILLERS:
        return ""
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        return ""
    base = unicodedata.normalize("NFD", character)[0]
    if base.isascii() and base.isalnum():
        return base  # a Latin letter with its marks
    if character.isalnum() or category == "Mc":
        return _LATIN.get(character, character)
    code = ord(character)
    for first in (0x1F150, 0x1F170):  # white letters on black
        if first <= code < first + 26:
            return chr(97 + code - first)
    return _SPACE


_CHARACTERS = _Characters()
_BEFORE = {ord(character): None for character in _APOSTROPHES + _FILLERS}  # NFKC would make some of them a space


def normalise(text: str) -> list[str]:
    """The words of a text for matching: lower case, no marks or apostrophes, look-alikes folded; 4,096 code points."""
    return fold(text).split()


def fold(text: str) -> str:
    """The words of `normalise` with one space between them and one at either end: " no power ", the form that is scanned."""
    return fold_all([text])[0]


def fold_all(texts: Sequence[str]) -> list[str]:
    """`fold` of each: those that are ASCII, or become so word by word, are worked on as one."""
    if max(map(len, texts), default=0) > MAX_CHARACTERS:
        texts = [text[:MAX_CHARACTERS] for text in texts]
    joined = _SEAM.join(texts)
    if not joined.isascii():
        texts = [text if text.isascii() else " ".join(map(_WORDS.__getitem__, text.split())) for text in texts]
        joined = _SEAM.join(texts)
    if not joined.isascii() or joined.count("\0") >= len(texts):
        return [_fold_one(text) for text in texts]
    plain = f" {joined.encode('ascii').translate(_ASCII_TABLE, _ASCII_DROP).decode('ascii')} "
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return plain.split("\0")


def _fold_one(text: str) -> str:
    """A text with letters of another script, or with a NUL."""
    words = " ".join(_normalise_any(text) if not text.isascii() else text.replace("\0", " ").split())
    if text.isascii():
        words = " ".join(words.encode("ascii").translate(_ASCII_TABLE, _ASCII_DROP).decode("ascii").split())
    return f" {words} " if words else " "


def _normalise_any(text: str) -> list[str]:
    """The same for any text; on ASCII it gives what the fast path gives."""
    text = text.translate(_BEFORE)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = text.translate(_CHARACTERS)
    if plain.isascii():
        return plain.split()
    return [word if word.isascii() else _fold(unicodedata.normalize("NFC", word)) for word in plain.split()]


def _fold(word: str) -> str:
    """Read look-alike letters as Latin in a word that has Latin letters too, or that is nothing but look-alikes."""
    if any("a" <= letter <= "z" for letter in word):
        return word.translate(_FOLD)
    folded = word.translate(_STRICT_FOLD)
    return folded if folded.isascii() and not folded.isdigit() else word


class _Words(dict[str, str]):
    """What a word becomes: ASCII stays as it is, others are normalised, worked out once for each."""

    def __missing__(self, word: str) -> str:
        if word.isascii():
            return word
        made = " ".join(_normalise_any(word))
        if len(self) >= MAX_WORDS:
            self.clear()
        if len(word) <= MAX_WORD_CHARACTERS:
            self[word] = made
        return made


_WORDS = _Words()


_HANDLES_AND_LINKS = re.compile(r"^\s*RT\b[\s:]*|(?:https?://|www\.)\S+|[@＠﹫]\w+:?|\b(?:t\.co|bit\.ly|fb\.me)/\S+")


def without_handles_and_links(text: str) -> str:
    """The text without the sign of a repost, handles and links: what is left is compared to find copies."""
    return _HANDLES_AND_LINKS.sub(" ", text)
