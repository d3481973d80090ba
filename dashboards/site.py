"""What pages and API stand on, in one hand."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.acts import Acts
from dashboards.catalogue import Catalogue
from dashboards.live import Live
from dashboards.settings import PageSettings
from streams.runtime.store.reader import Reader
from streams.runtime.why_then import Answer, WhyNot, answer


class Site(NamedTuple):
    """Reader and live board, acts, names, settings; `why_not` where DETECT runs in this process."""

    reader: Reader
    live: Live
    acts: Acts
    catalogue: Catalogue
    settings: PageSettings
    why_not: WhyNot | None

    def why(self, place: str, keyword: str, at: float) -> Answer:
        """Why, or why not, at a place, for a keyword, at a time."""
        within = (place, *self.catalogue.above(place))
        return answer(self.reader, self.why_not, place, keyword, at, within, self.live.now())
