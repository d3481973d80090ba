"""Queries on the store's views, for Grafana's PostgreSQL data source; the SDK has no type of its own for them."""

from __future__ import annotations

from typing import Any, Self

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

STORE = DataSourceRef(type_val="grafana-postgresql-datasource", uid="overheard-store")
METRICS = DataSourceRef(type_val="prometheus", uid="overheard-metrics")
FROM, TO = "$__unixEpochFrom()", "$__unixEpochTo()"
LENGTH = f"({TO} - {FROM})"
COARSE = (("fives", 300), ("hours", 3600), ("days", 86_400))  # views, and the seconds of what they hold
LONGEST = {
    ("cells", 60): 86_400,
    COARSE[0]: 4 * 86_400,
    COARSE[1]: 100 * 86_400,
}  # range for which each is asked, in seconds; beyond, days
HOURS_LONGEST = 14 * 86_400  # for lists of everything
ANY = ".*"  # the value of All: Grafana inserts it as it is, whatever the format


class SqlQuery(Dataquery):
    """One query; `form` is table or time_series."""

    def __init__(self, sql: str, ref: str = "A", form: str = "table") -> None:
        self.sql, self.ref_id, self.form = " ".join(sql.split()), ref, form

    def to_json(self) -> dict[str, object]:
        return {
            "refId": self.ref_id,
            "datasource": STORE.to_json(),
            "format": self.form,
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(data["rawSql"], data["refId"], data["format"])


class Sql(Builder[SqlQuery]):
    """What panels take."""

    def __init__(self, sql: str, ref: str = "A", form: str = "table") -> None:
        self._query = SqlQuery(sql, ref, form)

    def build(self) -> SqlQuery:
        return self._query


def chosen(variable: str, column: str) -> str:
    """Whether a column is among the values chosen, one, several or All."""
    return f"('${{{variable}:pipe}}' = '{ANY}' OR {column} = ANY(string_to_array('${{{variable}:pipe}}', '|')))"


def band(place: str, keyword: str, *, back_seconds: int = 0) -> str:
    """People against what is usual, by steps that fit the panel; windows in which nobody spoke are counted with what is usual in them.

    `place`, `keyword`: SQL expressions; `back_seconds`: so much earlier, drawn over the time shown.
    """
    begin, end = (f"{one} - {back_seconds}" if back_seconds else one for one in (FROM, TO))
    wanted = f"place IN ({place}) AND keyword IN ({keyword}) AND start >= {begin} AND start < {end}"
    told = " UNION ALL ".join(
        f"""SELECT start, seconds, place, keyword, people, expected, upper FROM operations.{view} WHERE {wanted}
            AND start >= (SELECT CASE seconds {since} END FROM tier) AND start < (SELECT CASE seconds {until} END FROM tier)"""
        for view, since, until in (
            ("cells", "WHEN 60 THEN 0 WHEN 300 THEN whole WHEN 3600 THEN whole", f"WHEN 86400 THEN 0 ELSE {end}"),
            ("fives", "WHEN 300 THEN 0", "WHEN 300 THEN whole"),
            ("hours", "WHEN 3600 THEN 0 WHEN 86400 THEN whole", f"WHEN 3600 THEN whole ELSE {end}"),
            ("days", "WHEN 86400 THEN 0", "WHEN 86400 THEN whole"),
        )
    )
    return f"""
        WITH tier AS ({_tier(begin, end)}), told AS ({told}),
        each AS (
          SELECT start / step * step + {back_seconds} AS bucket, sum(people) AS people,
                 sum(expected) * step / sum(told.seconds) FILTER (WHERE expected IS NOT NULL) AS expected,
                 sum(upper) * step / sum(told.seconds) FILTER (WHERE expected IS NOT NULL) AS upper
          FROM told CROSS JOIN tier GROUP BY start / step, step, place, keyword
        )
        SELECT to_timestamp(bucket) AS "time", sum(people) AS people, sum(expected) AS usual, sum(upper) AS "usual at most"
        FROM each GROUP BY 1 ORDER BY 1
    """


def _tier(begin: str, end: str) -> str:
    """Which cells to ask for: their seconds, until when they are whole (then come finer ones), and the seconds of a point of the chart."""
    cases = " ".join(
        f"WHEN {LENGTH} <= {longest} AND {begin} >= {_reach(f'{view}_from')} THEN {seconds}"
        for (view, seconds), longest in LONGEST.items()
    )
    whole = " ".join(f"WHEN {seconds} THEN {_reach(f'{view}_until')}" for view, seconds in COARSE)
    return f"""SELECT seconds, greatest(300, seconds, {LENGTH} / 300 / 300 * 300)::bigint AS step,
                      least({end} / seconds * seconds, CASE seconds {whole} END)::bigint AS whole
               FROM (SELECT CASE {cases} ELSE 86400 END AS seconds) c"""


def _reach(key: str) -> str:
    return f"coalesce((SELECT value::float8 FROM operations.status WHERE key = '{key}'), 0)"


def hours_or_days() -> str:
    """What FROM takes: cells in the time shown, by the hour; over more than two weeks by the day, the last day's by the hour."""
    midnight = f"(SELECT least({TO} / 86400 * 86400, {_reach('days_until')})::bigint)"
    inside = f"start >= {FROM} AND start < {TO}"
    long = f"{LENGTH} > {HOURS_LONGEST}"
    return f"""(SELECT * FROM operations.hours WHERE {inside} AND NOT ({long} AND start < {midnight})
               UNION ALL SELECT * FROM operations.days WHERE {inside} AND {long} AND start < {midnight}) told"""
