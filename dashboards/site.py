"""What pages and API stand on, in one hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dashboards.acts import Acts
from dashboards.catalogue import Catalogue
from dashboards.live import Live
from dashboards.settings import PageSettings
from streams.runtime.store.reader import Reader

WhyNot = Callable[
    [str, str, float], Any
]  # (place id, keyword id, Unix seconds) -> alerting's answer, None if not known


class Site(NamedTuple):
    """Reader and live board, acts, names, settings; `why_not` where DETECT runs in this process."""

    reader: Reader
    live: Live
    acts: Acts
    catalogue: Catalogue
    settings: PageSettings
    why_not: WhyNot | None
