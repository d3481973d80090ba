"""Queries on the store's views, for Grafana's PostgreSQL data source; the SDK has no type of its own for them."""

from __future__ import annotations

from typing import Any, Self

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

STORE = DataSourceRef(type_val="grafana-postgresql-datasource", uid="overheard-store")
METRICS = DataSourceRef(type_val="prometheus", uid="overheard-metrics")
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
    step = "greatest(300, ($__unixEpochTo() - $__unixEpochFrom()) / 300 / 300 * 300)"
    shift = f" + {back_seconds}" if back_seconds else ""
    wanted = f"place IN ({place}) AND keyword IN ({keyword})"
    within = (
        f"start >= $__unixEpochFrom() - {back_seconds} AND start < $__unixEpochTo() - {back_seconds}"
        if back_seconds
        else "start >= $__unixEpochFrom() AND start < $__unixEpochTo()"
    )
    return f"""
        WITH each AS (
          SELECT start / {step} * {step}{shift} AS bucket, place, keyword, sum(people) AS people,
                 avg(expected) * {step} / max(seconds) AS expected, avg(upper) * {step} / max(seconds) AS upper
          FROM operations.cells WHERE {wanted} AND {within}
            AND $__unixEpochTo() - $__unixEpochFrom() <= 259200
          GROUP BY 1, 2, 3
          UNION ALL
          SELECT start / greatest(3600, {step}) * greatest(3600, {step}){shift}, place, keyword, sum(people), sum(expected), sum(upper)
          FROM operations.hours WHERE {wanted} AND {within}
            AND $__unixEpochTo() - $__unixEpochFrom() > 259200
          GROUP BY 1, 2, 3
        )
        SELECT to_timestamp(bucket) AS "time", sum(people) AS people, sum(expected) AS usual, sum(upper) AS "usual at most"
        FROM each GROUP BY 1 ORDER BY 1
    """
