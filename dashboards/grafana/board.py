"""The wall: what is wrong, where, since when, and is anything blind?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, geomap, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import FrameGeometrySourceMode
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from dashboards.grafana.panels import (
    arranged,
    dashboard,
    incidents,
    keyword_variable,
    listing,
    number,
    people_band,
    place_variable,
    thresholds,
)
from dashboards.grafana.sql import STORE, Sql, chosen

WITHIN = (  # in one of the places chosen
    "('${place:pipe}' = '.*' OR EXISTS (SELECT 1 FROM unnest(string_to_array('${place:pipe}', '|')) chosen "
    "WHERE position('|' || chosen || '|' IN within) > 0))"
)
HERE = f"{WITHIN} AND {chosen('keyword', 'keyword')}"
ABOUT = (  # any of its problems is a chosen one or belongs to it
    "('${keyword:pipe}' = '.*' OR EXISTS (SELECT 1 FROM unnest(string_to_array(keywords, ', ')) own, "
    "unnest(string_to_array('${keyword:pipe}', '|')) chosen WHERE own = chosen OR own LIKE chosen || '/%'))"
)
GOING_ON = f"state IN ('confirmed', 'suspected') AND NOT drill AND {WITHIN} AND {ABOUT}"
LAST_HOUR = "start > (SELECT value::float8 FROM operations.status WHERE key = 'last_close') - 3600"


def build() -> Dashboard:
    """The dashboard."""
    made = dashboard("board", "overheard · Board", "What is wrong now, where, since when, and what cannot be seen.")
    made = made.with_variable(place_variable()).with_variable(keyword_variable())
    return arranged(made, [*_numbers(), _open(), _band(), _map(), _matrix(), _rising(), _blind(), _over()])


def _count(state: str) -> str:
    return (
        f"SELECT count(*) AS n FROM operations.incidents WHERE state = '{state}' AND NOT drill AND {WITHIN} AND {ABOUT}"
    )


def _numbers() -> list[stat.Panel]:
    status = "SELECT value::float8 FROM operations.status WHERE key = '{}'"
    return [
        number("Confirmed", "Incidents that paged.", _count("confirmed"), steps=((None, "green"), (1, "red"))),
        number("Suspected", "Incidents told in the chat.", _count("suspected"), steps=((None, "green"), (1, "orange"))),
        number("Signals", "Unusual, but not enough people to tell anybody.", _count("signal")),
        number(
            "Blind sources",
            "Sources whose silence is not chance: what they would report is not seen.",
            "SELECT count(*) AS n FROM operations.sources WHERE blind_since IS NOT NULL",
            steps=((None, "green"), (1, "red")),
        ),
        number(
            "Unanswered this week, of the budget",
            "Incidents of the last seven days that nobody called real, as a share of what is accepted in a week.",
            f"SELECT ({status.format('budget_spent')}) / nullif(({status.format('budget_per_week')}), 0) AS share",
            unit="percentunit",
            steps=((None, "green"), (1, "orange"), (3, "red")),
        ),
        number(
            "Last close",
            "How long ago the newest window was closed. Minutes mean that nothing is being counted.",
            f"SELECT extract(epoch FROM now()) - ({status.format('last_close')}) AS age",
            unit="s",
            steps=((None, "green"), (300, "orange"), (900, "red")),
        ),
    ]


def _open() -> table.Panel:
    order = "(state = 'confirmed') DESC, people DESC"
    return incidents(
        "Open incidents", "Confirmed first, then by people. A row leads to the incident.", GOING_ON, order=order
    )


def _band() -> timeseries.Panel:
    return people_band(
        "Everybody, everywhere",
        "All complaints against the band of what is usual at this hour.",
        "SELECT 'everywhere' UNION SELECT 'nowhere'",
        "SELECT '*'",
    )


def _map() -> geomap.Panel:
    sql = f"""SELECT place_name AS place, lat, lon, people, title, state, factor, id, 0 AS from_ms, 0 AS to_ms FROM operations.incidents
              WHERE state <> 'resolved' AND lat IS NOT NULL AND NOT drill AND {WITHIN} AND {ABOUT}"""
    style = {
        "size": {"field": "people", "min": 6, "max": 30},
        "color": {"field": "factor"},
        "text": {"field": "place", "mode": "field"},
    }
    layer = (
        common.MapLayerOptions()
        .type("markers")
        .name("Incidents")
        .location(common.FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS).latitude("lat").longitude("lon"))
        .config({"showLegend": False, "style": style})
    )
    return (
        geomap.Panel()
        .title("Where")
        .description("Open incidents and signals: larger for more people, redder for further above the usual.")
        .datasource(STORE)
        .with_target(Sql(sql))
        .basemap(common.MapLayerOptions().type("default").name("Base map"))
        .layers([layer])
        .view(geomap.MapViewConfig().id("fit").all_layers(True))
        .thresholds(thresholds(((None, "green"), (3, "orange"), (10, "red"))))
        .unit("short")
        .height(12)
        .span(12)
    )


def _matrix() -> table.Panel:
    sql = f"""SELECT place_name AS place, keyword_name AS problem, sum(people) AS people FROM operations.cells
              WHERE {LAST_HOUR} AND level IN ('city', 'airport') AND keyword <> '*' AND position('/' IN keyword) = 0 AND {HERE}
                AND place IN (SELECT place FROM operations.cells WHERE {LAST_HOUR} AND level IN ('city', 'airport') AND keyword = '*'
                              GROUP BY place ORDER BY sum(people) - sum(expected) DESC LIMIT 15)
              GROUP BY 1, 2 ORDER BY 1, 2"""
    colour = [
        DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
        DynamicConfigValue("color", {"mode": "continuous-YlRd"}),
        DynamicConfigValue("min", 0),
    ]
    options = {"columnField": "problem", "rowField": "place", "valueField": "people", "emptyValue": "zero"}
    return (
        table.Panel()
        .title("Place by problem, last hour")
        .description("People, at the fifteen places furthest above what is usual.")
        .datasource(STORE)
        .with_target(Sql(sql))
        .with_transformation(DataTransformerConfig(id_val="groupingToMatrix", options=options))
        .override_by_field_type("number", colour)
        .unit("short")
        .height(12)
        .span(12)
    )


def _rising() -> table.Panel:
    sql = f"""SELECT place_name AS place, keyword_name AS problem, sum(people) AS people, sum(expected) AS usual, max(unusual) AS unusual
              FROM operations.cells WHERE {LAST_HOUR} AND keyword <> '*' AND level NOT IN ('everywhere', 'nowhere') AND {HERE}
              GROUP BY 1, 2 HAVING sum(people) >= 2 ORDER BY max(unusual) DESC NULLS LAST LIMIT 20"""
    says = "The most unusual series of the last hour, whether or not anybody was told. Unusual: digits of the p-value."
    return listing("Rising", says, sql).span(12)


def _blind() -> table.Panel:
    sql = """SELECT source, channel, blind_since, last_arrival, usual_per_hour FROM operations.sources
             ORDER BY blind_since NULLS LAST, source"""
    return listing("Sources", "Blind ones first, with how much they usually bring an hour.", sql).span(12)


def _over() -> table.Panel:
    where = f"state = 'resolved' AND resolved_at > now() - interval '24 hours' AND NOT drill AND {WITHIN} AND {ABOUT}"
    return incidents("Resolved in the last 24 hours", "What is over.", where, order="resolved_at DESC")
