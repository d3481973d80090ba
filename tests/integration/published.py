"""The schemas as the page about the topics gives them to others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "topics.md"
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##|\Z)", re.S | re.M)
BLOCK = re.compile(r"```json\n(.*?)```", re.S)


def published() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Example and schema by record type."""
    found = {}
    for name, text in SECTION.findall(PAGE.read_text(encoding="utf-8")):
        example, schema = (json.loads(block) for block in BLOCK.findall(text))
        found[name] = (example, schema)
    return found


def without_examples(page: str) -> str:
    """What decides whether the page is up to date: an example may be any."""
    return re.sub(r"^(Key `[^\n]*|No key), value:\n\n```json\n.*?```\n", "", page, flags=re.S | re.M)
