"""Is it any good? Precision by what people said, what nobody answered, how early it told."""

from __future__ import annotations

from grafana_foundation_sdk.builders import barchart
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.panels import arranged, dashboard, incidents, listing, number
from dashboards.grafana.sql import STORE, Sql

TOLD = """suspected_at IS NOT NULL AND merged_into IS NULL AND NOT drill
          AND suspected_at >= $__timeFrom()::timestamptz AND suspected_at < $__timeTo()::timestamptz"""


def build() -> Dashboard:
    """The dashboard."""
    made = dashboard(
        "quality", "overheard · Quality", "What people made of what they were told.", refresh="5m", since="now-90d"
    )
    return arranged(made, [*_numbers(), *_more()])


def _numbers() -> list[Builder[Panel]]:
    return [
        number(
            "Told",
            "Incidents suspected in the time shown.",
            f"SELECT count(*) AS n FROM operations.incidents WHERE {TOLD}",
        ),
        number(
            "Precision",
            "Real or a known event, of those that people judged.",
            f"""SELECT count(*) FILTER (WHERE verdict IN ('real', 'known_event'))::float8 / nullif(count(verdict), 0) AS share
                FROM operations.incidents WHERE {TOLD}""",
            unit="percentunit",
        ),
        number(
            "Unanswered a week",
            "Told, and judged by nobody.",
            f"""SELECT count(*) FILTER (WHERE verdict IS NULL) / greatest(($__unixEpochTo() - $__unixEpochFrom()) / 604800.0, 1) AS n
                FROM operations.incidents WHERE {TOLD}""",
        ),
        number(
            "Budget a week",
            "False incidents that are accepted.",
            "SELECT value::float8 AS n FROM operations.status WHERE key = 'budget_per_week'",
        ),
        number(
            "Told after, median",
            "From onset until anybody was told.",
            f"""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM suspected_at - onset)) AS seconds
                FROM operations.incidents WHERE {TOLD}""",
            unit="s",
        ),
        number(
            "Ahead of the first intervention, median",
            "From when it was told to what was first done about it, where that was noted.",
            f"""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.first - i.suspected_at)) AS seconds
                FROM operations.incidents i JOIN (SELECT incident, min("time") AS first FROM operations.acts WHERE kind = 'intervention'
                GROUP BY 1) a ON a.incident = i.id WHERE {TOLD}""",
            unit="s",
        ),
    ]


def _more() -> list[Builder[Panel]]:
    weeks = f"""SELECT to_char(date_trunc('week', suspected_at), 'YYYY-MM-DD') AS week,
                       count(*) FILTER (WHERE verdict = 'real') AS real, count(*) FILTER (WHERE verdict = 'known_event') AS "known event",
                       count(*) FILTER (WHERE verdict = 'not_real') AS "not real", count(*) FILTER (WHERE verdict IS NULL) AS unanswered
                FROM operations.incidents WHERE {TOLD} GROUP BY 1 ORDER BY 1"""
    return [
        barchart.Panel()
        .title("Week by week")
        .description("Incidents told, by what people made of them.")
        .datasource(STORE)
        .with_target(Sql(weeks))
        .unit("short")
        .height(9)
        .span(24),
        listing(
            "By problem",
            "What people made of what they were told, by top-level problem.",
            f"""SELECT split_part(keyword, '/', 1) AS problem, count(*) AS told, count(*) FILTER (WHERE verdict = 'real') AS real,
                       count(*) FILTER (WHERE verdict = 'known_event') AS "known event", count(*) FILTER (WHERE verdict = 'not_real') AS "not real",
                       count(*) FILTER (WHERE verdict IS NULL) AS unanswered
                FROM operations.incidents WHERE {TOLD} GROUP BY 1 ORDER BY 2 DESC""",
        ).span(12),
        incidents(
            "Judged not real", "Look here for phrases to take out of a pack.", f"verdict = 'not_real' AND {TOLD}"
        ).span(12),
    ]
