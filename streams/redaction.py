"""What on-call people may read of a complaint: its meaning, without who wrote it, whom it names, or how to reach them.

Masks `[user]`, `[email]`, `[phone]`, `[number]`, `[link]`, `[address]`. It errs on the side of masking.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 4_096

_LINK = re.compile(
    r"(?:h(?:tt|xx)ps?\s?:\s?//|www\.)\S+|\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|edu|gov|co|ly|me|io|gl|be|uk|de|info|app)\b(?:/\S*)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    r"[\w.+%'-]{1,64}(?:@|\s@\s|\s?[(\[{]\s?at\s?[)\]}]\s?)[\w-]{1,63}"
    r"(?:(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)[\w-]{1,63}){1,4}"
    r"|[\w.+%'-]{1,64}\s+at\s+[\w-]{1,63}\s+dot\s+(?:com|org|net|edu|gov|co|uk|de)\b",
    re.IGNORECASE,
)
_EMAIL_HINT = re.compile(r"[\w.+%'-]@\w|\s@\s|[(\[{]\s?at\s?[)\]}]|\bdot\b", re.IGNORECASE)
_HANDLE = re.compile(r"@\w+(?:[.\-]\w+)*(?:@[\w.-]+)?|(?<![\w/])/?u/[\w-]{3,}")
_DIGITS = re.compile(r"\+?\(?\d(?:[ .\-()/_*·‐‑‒–—]{0,3}\d|,\d)*\)?")
_CODE = re.compile(
    r"\b(?=[A-Z0-9]*\d)(?![A-Z]{2}\d{4}\b)(?=(?:\d*[A-Z]){2})[A-Z0-9]{6}\b"
)  # a booking's, unless a flight's
_NAMED_CODE = re.compile(
    r"\b((?i:confirmation|locator|reservation|booking|record|pnr|conf)\W{1,3}(?:\w{2,9}\W{1,3}){0,2}?)([A-Z0-9]{6})\b"
)
_CODE_NAMES = ("conf", "locator", "reservation", "booking", "record", "pnr")  # what _NAMED_CODE begins with
_DIGIT = re.compile(r"\d")
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,?\s+(?!(?:hours?|hrs?|mins?|minutes?|days?|people|times)\b)(?:[\w.'-]{1,20}\s+){1,3}?"
    r"(?:st|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|pkwy|parkway|terrace|crescent|hwy|highway)\b\.?",
    re.IGNORECASE,
)
_STREET_NAMED = re.compile(
    r"\b\d{1,5}[A-Za-z]?,?\s+(?:[A-Z0-9][\w.'-]{0,19}\s+){1,3}(?:Dr|Drive|Ct|Court|Pl|Place|Way|Square|Sq|Circle|Cir|Trail|Loop)\b\.?"
)
_GERMAN_STREET = re.compile(r"\b[\w-]{2,30}(?:straße|strasse|weg|platz|gasse)\s+\d{1,4}[a-z]?\b", re.IGNORECASE)
_UNIT = re.compile(r"\b(?:apt|apartment|suite|unit)\b\.?\s*#?\s*\d\w{0,4}\b|#\s?\d{1,4}[a-z]\b", re.IGNORECASE)
_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d)\b")


def redact(text: str, limit: int = 200) -> str:
    """The text on one line of at most `limit` characters; handles, addresses, phones, long numbers, codes, links masked."""
    text = _visible(text[:MAX_CHARACTERS])
    low = text.lower() if text.isascii() else None  # letters of other scripts may be other ones in small
    if (low is None or "@" in low or "dot" in low or _opens(low)) and _EMAIL_HINT.search(text):
        text = _EMAIL.sub("[email]", text)
    if "." in text or "//" in text:
        text = _LINK.sub("[link]", text)
    if "@" in text or "u/" in text:
        text = _HANDLE.sub("[user]", text)
    if low is None or any(name in low for name in _CODE_NAMES):
        text = _NAMED_CODE.sub(r"\1[number]", text)
    if _DIGIT.search(text):
        text = _mask_numbers(text)
    return _cut(text, limit)


def _opens(text: str) -> bool:
    return "(" in text or "[" in text or "{" in text


def _mask_numbers(text: str) -> str:
    for address in (_STREET, _STREET_NAMED, _GERMAN_STREET, _UNIT, _POSTCODE):
        text = address.sub("[address]", text)
    return _DIGITS.sub(_number, _CODE.sub("[number]", text))


def _number(found: re.Match[str]) -> str:
    """A mask for five digits and more, however they are spaced."""
    digits = sum(character.isdecimal() for character in found[0])
    if digits < 5:
        return found[0]
    return (
        "[phone]"
        if digits >= 9 or (digits == 7 and len(found[0]) > 7) or (found[0][0] in "+(" and digits > 6)
        else "[number]"
    )


def _visible(text: str) -> str:
    """The text as it looks: compatibility forms made plain, the invisible dropped, one space for any white space."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    if not text.isascii():
        text = unicodedata.normalize(
            "NFKC", "".join([one for one in text if unicodedata.category(one) not in ("Cf", "Me", "Cs", "Co")])
        )
        text = "".join([one for one in text if not (unicodedata.category(one) == "Mn" and "\ufe00" <= one <= "\ufe0f")])
    return " ".join("".join([one if one.isprintable() else " " for one in text]).split())


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, never the half of a mask."""
    if len(text) <= limit:
        return text
    text = text[: limit - 1]
    start = text.rfind("[")
    if start > text.rfind("]") and len(text) - start <= len("[address]"):
        text = text[:start]
    return text.rstrip() + "…"
