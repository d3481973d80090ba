"""One place, and one problem: the same questions asked of either: how many against the usual, what makes it up, what was there before."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.board import ABOUT, WITHIN
from dashboards.grafana.panels import (
    arranged,
    dashboard,
    incidents,
    keyword_variable,
    listing,
    people_band,
    place_variable,
)
from dashboards.grafana.sql import hours_or_days

TOLD = hours_or_days()
CHOSEN_PLACES = (
    "SELECT place FROM operations.places WHERE CASE WHEN '${place:pipe}' = '.*' THEN place IN ('everywhere', 'nowhere') "
    "ELSE place = ANY(string_to_array('${place:pipe}', '|')) END"
)
CHOSEN_KEYWORDS = (
    "SELECT keyword FROM operations.keywords WHERE CASE WHEN '${keyword:pipe}' = '.*' THEN keyword = '*' "
    "ELSE keyword = ANY(string_to_array('${keyword:pipe}', '|')) END"
)
SUMS = "sum(people) AS people, sum(expected) AS usual, sum(people) / greatest(sum(expected), 0.1) AS factor, max(unusual) AS unusual"
HAPPENED = f"""suspected_at IS NOT NULL AND merged_into IS NULL AND onset < $__timeTo()::timestamptz
               AND coalesce(resolved_at, now()) > $__timeFrom()::timestamptz - interval '90 days' AND {WITHIN} AND {ABOUT}"""


def place() -> Dashboard:
    """The dashboard of a place."""
    made = dashboard("place", "overheard · Place", "What is heard from a place.", since="now-24h")
    made = made.with_variable(place_variable()).with_variable(keyword_variable())
    panels: list[Builder[Panel]] = [
        people_band("People at the place", "Over the band of what is usual.", CHOSEN_PLACES, CHOSEN_KEYWORDS),
        listing(
            "Problems there",
            "In the time shown, the most unusual first. Unusual: digits of the p-value.",
            f"""SELECT keyword_name AS problem, {SUMS} FROM {TOLD} WHERE place IN ({CHOSEN_PLACES})
                GROUP BY 1 ORDER BY max(unusual) DESC NULLS LAST, 2 DESC LIMIT 50""",
        ).span(12),
        listing(
            "Places in it",
            "In the time shown, of the problem chosen.",
            f"""SELECT place_name AS place, level, {SUMS} FROM {TOLD} WHERE keyword IN ({CHOSEN_KEYWORDS})
                AND {WITHIN} AND place NOT IN ({CHOSEN_PLACES})
                GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 50""",
        ).span(12),
        incidents("Incidents there", "Of the last three months before the end of the time shown.", HAPPENED),
    ]
    return arranged(made, panels)


def keyword() -> Dashboard:
    """The dashboard of a problem."""
    made = dashboard("keyword", "overheard · Problem", "What is heard about a problem.", since="now-24h")
    made = made.with_variable(keyword_variable()).with_variable(place_variable())
    panels: list[Builder[Panel]] = [
        people_band("People with the problem", "Over the band of what is usual.", CHOSEN_PLACES, CHOSEN_KEYWORDS),
        listing(
            "Where",
            "Cities and airports in the time shown, the most unusual first.",
            f"""SELECT place_name AS place, level, {SUMS} FROM {TOLD} WHERE keyword IN ({CHOSEN_KEYWORDS})
                AND level IN ('city', 'airport') AND {WITHIN}
                GROUP BY 1, 2 ORDER BY max(unusual) DESC NULLS LAST, 3 DESC LIMIT 50""",
        ).span(12),
        listing(
            "Its parts",
            "What it is made of, everywhere, in the time shown.",
            f"""SELECT keyword_name AS problem, {SUMS} FROM {TOLD} WHERE place IN ('everywhere', 'nowhere')
                AND (EXISTS (SELECT 1 FROM ({CHOSEN_KEYWORDS}) c WHERE told.keyword LIKE c.keyword || '/%') OR '${{keyword:pipe}}' = '.*')
                GROUP BY 1 ORDER BY 2 DESC LIMIT 50""",
        ).span(12),
        incidents("Incidents about it", "Of the last three months before the end of the time shown.", HAPPENED),
    ]
    return arranged(made, panels)
