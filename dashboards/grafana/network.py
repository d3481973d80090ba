"""Places and problems that suffer together, as a graph and as a list: who leads whom, how often, how often by chance."""

from __future__ import annotations

from grafana_foundation_sdk.builders import nodegraph
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Panel

from dashboards.grafana.board import WITHIN
from dashboards.grafana.panels import arranged, dashboard, keyword_variable, listing, number, place_variable
from dashboards.grafana.sql import STORE, Sql, chosen

LEADS = f"({WITHIN} AND {chosen('keyword', 'keyword')})"
FOLLOWS = f"({WITHIN.replace('IN within', 'IN other_within')} AND {chosen('keyword', 'other_keyword')})"
LINKS = f"FROM operations.graph_edges WHERE {LEADS} OR {FOLLOWS}"  # one end is chosen
KNOWN = "(SELECT value::float8 FROM operations.status WHERE key = 'network_{}')"


def build() -> Dashboard:
    """The dashboard."""
    made = dashboard(
        "network", "overheard · Network", "What suffers together, over the last weeks.", refresh="15m", since="now-7d"
    )
    made = made.with_variable(place_variable()).with_variable(keyword_variable())
    return arranged(made, [*_numbers(), _graph(), _list()])


def _numbers() -> list[Builder[Panel]]:
    return [
        number(
            "Links",
            "Pairs whose excesses begin within two hours of each other more often than chance brings.",
            f"SELECT count(*) AS n {LINKS}",
        ),
        number(
            "History",
            "So long are excesses known; with fewer than three weeks nothing is linked, more than eight are not looked at.",
            f"SELECT {KNOWN.format('until')} - {KNOWN.format('since')} AS seconds",
            unit="s",
        ),
        number(
            "As of",
            "The network is made anew when a day (UTC) has ended.",
            f"SELECT {KNOWN.format('until')} * 1000 AS at",
            unit="dateTimeFromNow",
        ),
    ]


def _graph() -> nodegraph.Panel:
    nodes = f"""SELECT id, title, subtitle, mainstat, secondarystat, arc__together, arc__alone, place, keyword FROM operations.graph_nodes
                WHERE id IN (SELECT source {LINKS} UNION SELECT target {LINKS}) ORDER BY mainstat DESC, id LIMIT 200"""
    edges = f"SELECT id, source, target, mainstat, secondarystat, thickness, detail__by_chance {LINKS} ORDER BY p_value LIMIT 1000"
    says = (
        "A circle is a place, or a problem at a place, with its number of excesses; its red part are those that came with an excess of one "
        "it is linked to. A line leads from what suffers first. A place and what lies in it are never linked: they have the same people."
    )
    link = "/d/overheard-place?var-place=${__data.fields.place}&var-keyword=${__data.fields.keyword}"
    return (
        nodegraph.Panel()
        .title("What suffers together")
        .description(says)
        .datasource(STORE)
        .with_target(Sql(nodes, "nodes"))
        .with_target(Sql(edges, "edges"))
        .nodes(
            nodegraph.NodeOptions().arcs(
                [
                    nodegraph.ArcOption().field("arc__together").color("red"),
                    nodegraph.ArcOption().field("arc__alone").color("blue"),
                ]
            )
        )
        .override_by_name("mainstat", [DynamicConfigValue("displayName", "excesses")])
        .data_links([DashboardLink("Look at it over time").url(link)])
        .unit("short")
        .height(18)
        .span(24)
    )


def _list() -> Builder[Panel]:
    sql = f"""SELECT leads AS "first", follows AS "then", times, by_chance AS "by chance", lag_seconds AS "after", p_value AS chance
              {LINKS} ORDER BY p_value, times DESC LIMIT 200"""
    panel = listing("Who with whom", "The same as a list, the least likely by chance first.", sql)
    return (
        panel.override_by_name("after", [DynamicConfigValue("unit", "s")])
        .override_by_name("by chance", [DynamicConfigValue("decimals", 1)])
        .override_by_name("chance", [DynamicConfigValue("unit", "sci")])
        .height(12)
    )
