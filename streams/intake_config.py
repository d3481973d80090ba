"""What INTAKE needs besides its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import NamedTuple

from streams.evidence import Describer
from streams.resolver import Resolver
from streams.taxonomy import Taxonomy
from streams.words import WordCounter


class IntakeConfig(NamedTuple):
    """As of the pack in use."""

    taxonomy: Taxonomy
    resolver: Resolver
    describer: Describer
    words: WordCounter
    window_seconds: int
    lateness_seconds: float
    channel: Mapping[str, int]  # of a source, 0..7
    zone: Callable[[str], tzinfo | None]  # of a source's times without zone
    secret: bytes
    config: str
