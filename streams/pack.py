"""Packs: what to listen for, written in TOML by people. Reading one finds every error at once, naming file and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streams.text import normalise

SHIPPED = Path(__file__).parent / "packs"
MAX_NODES = 1 << 14
MAX_PHRASE_CHARACTERS = 120

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PACK_KEYS = {"name", "title", "window_seconds", "language"}
_SUBJECT_KEYS = {"id", "name", "phrases", "sources"}
_KEYWORD_KEYS = {"id", "name", "team", "runbook_url", "first_question", "phrases", "unless", "needs"}


class PackError(ValueError):
    """A pack that cannot be used; `problems` has one line for each error, naming file and key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Subject(msgspec.Struct, frozen=True):
    """A brand, line or service that complaints are about."""

    id: str
    name: str
    phrases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Keyword(msgspec.Struct, frozen=True):
    """A node of the keyword tree; `id` is its slug path. Only leaves have phrases."""

    id: str
    name: str
    team: str | None = None
    runbook_url: str | None = None
    first_question: str | None = None
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class Pack(msgspec.Struct, frozen=True):
    """A checked pack; keywords stand in the order of the file."""

    name: str
    title: str
    window_seconds: int
    language: str
    subjects: tuple[Subject, ...]
    keywords: tuple[Keyword, ...]


def load_pack(path_or_name: str | Path) -> Pack:
    """The pack of a file, or the shipped one of that name. Raises PackError with every error found."""
    path = pack_file(path_or_name)
    return parse_pack(read_pack(path), str(path))


def pack_file(path_or_name: str | Path) -> Path:
    """Where a pack lies. Raises PackError for a name that no shipped pack has."""
    path = Path(path_or_name)
    if path.suffix != ".toml" and len(path.parts) == 1:
        path = SHIPPED / f"{path_or_name}.toml"
        if not path.is_file():
            shipped = ", ".join(sorted(found.stem for found in SHIPPED.glob("*.toml")))
            raise PackError(
                [f"{path_or_name}: no such pack; shipped are {shipped}, any other is given as a path ending in .toml"]
            )
    return path


def read_pack(path: Path) -> str:
    """The text of a pack's file. Raises PackError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PackError([f"{path}: cannot be read: {error}"]) from error


def parse_pack(text: str, file: str) -> Pack:
    """The pack written in `text`; `file` is named in errors. Raises PackError with every error found."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackError([f"{file}: not TOML: {error}"]) from error
    reader = _Reader(file)
    pack = reader.pack(data)
    if reader.problems:
        raise PackError(reader.problems)
    return pack


class _Reader:
    """Reads a pack key by key and collects what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[str] = []

    def pack(self, data: dict[str, Any]) -> Pack:
        self._known("", data, {"pack", "subjects", "keywords"})
        head = data.get("pack", {})
        if not isinstance(head, dict):
            self._wrong("pack", "must be a table: [pack]")
            head = {}
        self._known("pack", head, _PACK_KEYS)
        name = self._text("pack", head, "name", required=True)
        if name and not _SLUG.fullmatch(name):
            self._wrong("pack.name", f"{name!r} is not a slug such as 'my-pack'")
        seconds = head.get("window_seconds", 60)
        if type(seconds) is not int or not 10 <= seconds <= 86_400:
            self._wrong("pack.window_seconds", f"{seconds!r} is not a whole number from 10 to 86400")
            seconds = 60
        subjects = tuple(self._subject(where, table) for where, table in self._tables(data, "subjects"))
        keywords = tuple(self._keyword(where, table) for where, table in self._tables(data, "keywords"))
        self._check_tree(keywords)
        self._check_subjects(subjects, keywords)
        return Pack(
            name,
            self._text("pack", head, "title") or name,
            seconds,
            self._text("pack", head, "language") or "en",
            subjects,
            keywords,
        )

    def _tables(self, data: Mapping[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
        tables = data.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._wrong(key, f"must be tables: [[{key}]]")
            return []
        return [
            (f"{key}[{table['id']}]" if isinstance(table.get("id"), str) else f"{key}[{n}]", table)
            for n, table in enumerate(tables)
        ]

    def _subject(self, where: str, table: dict[str, Any]) -> Subject:
        self._known(where, table, _SUBJECT_KEYS)
        slug = self._text(where, table, "id", required=True)
        if slug and not _SLUG.fullmatch(slug):
            self._wrong(f"{where}.id", f"{slug!r} is not a slug such as 'red-line'")
        phrases = self._phrases(where, table, "phrases")
        sources = self._texts(where, table, "sources")
        if not phrases and not sources:
            self._wrong(where, "has neither phrases nor sources, so nothing is ever about it")
        return Subject(slug, self._text(where, table, "name", required=True), phrases, sources)

    def _keyword(self, where: str, table: dict[str, Any]) -> Keyword:
        self._known(where, table, _KEYWORD_KEYS)
        path = self._text(where, table, "id", required=True)
        if path and not all(_SLUG.fullmatch(slug) for slug in path.split("/")):
            self._wrong(f"{where}.id", f"{path!r} is not a path of slugs such as 'baggage/lost-bag'")
        url = self._text(where, table, "runbook_url") or None
        if url and not url.startswith(("http://", "https://")):
            self._wrong(f"{where}.runbook_url", f"{url!r} is not a web address")
        phrases, unless = self._phrases(where, table, "phrases"), self._phrases(where, table, "unless")
        cancelled = {" ".join(normalise(one)) for one in phrases} & {" ".join(normalise(one)) for one in unless}
        for phrase in sorted(cancelled):
            self._wrong(f"{where}.unless", f"{phrase!r} is among the phrases too")
        return Keyword(
            id=path,
            name=self._text(where, table, "name", required=True),
            team=self._text(where, table, "team") or None,
            runbook_url=url,
            first_question=self._text(where, table, "first_question") or None,
            phrases=phrases,
            unless=unless,
            needs=self._phrases(where, table, "needs"),
        )

    def _check_tree(self, keywords: tuple[Keyword, ...]) -> None:
        if not keywords:
            self._wrong("keywords", "there are none")
        ids = [keyword.id for keyword in keywords]
        parents = {path.rpartition("/")[0] for path in ids}
        for path in sorted({path for path in ids if path and ids.count(path) > 1}):
            self._wrong(f"keywords[{path}].id", "is used twice")
        for keyword in keywords:
            parent = keyword.id.rpartition("/")[0]
            if parent and parent not in ids:
                self._wrong(f"keywords[{keyword.id}].id", f"its parent {parent!r} does not exist")
            if keyword.id in parents and keyword.phrases:
                self._wrong(f"keywords[{keyword.id}].phrases", "only leaves have phrases: give them to a child")
            elif keyword.id not in parents and not keyword.phrases:
                self._wrong(f"keywords[{keyword.id}].phrases", "a keyword without children needs phrases")

    def _check_subjects(self, subjects: tuple[Subject, ...], keywords: tuple[Keyword, ...]) -> None:
        taken = {keyword.id for keyword in keywords}
        for subject in subjects:
            if subject.id in taken:
                self._wrong(f"subjects[{subject.id}].id", "is used by another subject or keyword")
            taken.add(subject.id)
        tops = sum("/" not in keyword.id for keyword in keywords)
        nodes = 1 + len(keywords) + len(subjects) * (1 + tops)
        if nodes > MAX_NODES:
            self._wrong("subjects", f"keywords and subjects make {nodes} nodes; at most {MAX_NODES}")

    def _text(self, where: str, table: Mapping[str, Any], key: str, required: bool = False) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._wrong(f"{where}.{key}", f"{value!r} is not a text")
            return ""
        if required and not value.strip():
            self._wrong(f"{where}.{key}", "is missing")
        return value.strip()

    def _texts(self, where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self._wrong(f"{where}.{key}", "is not a list of texts")
            return ()
        return tuple(values)

    def _phrases(self, where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        phrases = self._texts(where, table, key)
        for phrase in phrases:
            if not normalise(phrase):
                self._wrong(f"{where}.{key}", f"{phrase!r} has no letter or digit")
            elif len(phrase) > MAX_PHRASE_CHARACTERS:
                self._wrong(f"{where}.{key}", f"{phrase[:30]!r}… is longer than {MAX_PHRASE_CHARACTERS} characters")
        return phrases

    def _known(self, where: str, table: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(set(table) - known):
            self._wrong(f"{where}.{key}".lstrip("."), f"unknown key; known are {', '.join(sorted(known))}")

    def _wrong(self, key: str, what: str) -> None:
        self.problems.append(f"{self.file}: {key}: {what}")
