"""What pages and API stand on, in one hand."""

from __future__ import annotations

from typing import NamedTuple

from alerting.policy import Policy
from dashboards.acts import Acts
from dashboards.catalogue import Catalogue
from dashboards.live import Live
from dashboards.settings import PageSettings
from streams.runtime.store.reader import Reader
from streams.runtime.why_then import Answer, answer


class Site(NamedTuple):
    """Reader and live board, acts, names, settings; `policy`: what incidents are judged by."""

    reader: Reader
    live: Live
    acts: Acts
    catalogue: Catalogue
    settings: PageSettings
    policy: Policy

    def why(self, place: str, keyword: str, at: float) -> Answer:
        """Why, or why not, at a place, for a keyword, at a time."""
        return answer(self.reader, self.catalogue.asked(place, keyword, at), self.policy, self.live.now())
