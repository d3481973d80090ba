"""Panels of one kind look alike on every dashboard: the band, numbers, tables of incidents, lists."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as board
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueTextMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.grafana.sql import ANY, METRICS, STORE, Sql, band

TAG = "overheard"
WIDTH = 24
INCIDENT_LINK = (
    "/d/overheard-incident?var-incident=${__data.fields.id}&from=${__data.fields.from_ms}&to=${__data.fields.to_ms}"
)
SPAN = """(extract(epoch FROM onset) * 1000 - 3600000)::bigint AS from_ms,
          (extract(epoch FROM coalesce(resolved_at, updated_at)) * 1000 + 1800000)::bigint AS to_ms"""
INCIDENTS = f"""SELECT state, title, people, expected AS usual, factor, trend, onset AS since, place_name AS place, team, acked_by AS acknowledged,
                verdict, terms AS words, id, {SPAN} FROM operations.incidents"""
Thresholds = tuple[tuple[float | None, str], ...]
CALM: Thresholds = ((None, "green"),)


def thresholds(steps: Thresholds) -> board.ThresholdsConfig:
    """Colours from values on; the first has none."""
    made = [Threshold(value=value, color=color) for value, color in steps]
    return board.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def prom(expr: str, legend: str = "", ref: str = "A", *, instant: bool = False) -> prometheus.Dataquery:
    """A query on our own metrics."""
    query = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref).datasource(METRICS)
    query = query.format(PromQueryFormat.TABLE if instant else PromQueryFormat.TIME_SERIES)
    return query.instant() if instant else query.range()


def number(title: str, says: str, sql: str, *, unit: str = "short", steps: Thresholds = CALM) -> stat.Panel:
    """One number out of the store."""
    return _figure(title, says, unit, steps).datasource(STORE).with_target(Sql(sql))


def metric(title: str, says: str, expr: str, *, unit: str = "short", steps: Thresholds = CALM) -> stat.Panel:
    """One number out of our metrics."""
    return _figure(title, says, unit, steps).datasource(METRICS).with_target(prom(expr, instant=True))


def _figure(title: str, says: str, unit: str, steps: Thresholds) -> stat.Panel:
    return (
        stat.Panel()
        .title(title)
        .description(says)
        .unit(unit)
        .thresholds(thresholds(steps))
        .color_mode(BigValueColorMode.BACKGROUND if len(steps) > 1 else BigValueColorMode.NONE)
        .text_mode(BigValueTextMode.VALUE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(4)
        .span(4)
    )


def lines(title: str, says: str, queries: list[prometheus.Dataquery], *, unit: str = "short") -> timeseries.Panel:
    """Our metrics over time."""
    panel = timeseries.Panel().title(title).description(says).datasource(METRICS).unit(unit).min(0).height(8).span(12)
    for query in queries:
        panel = panel.with_target(query)
    return panel


def people_band(title: str, says: str, place: str, keyword: str) -> timeseries.Panel:
    """People over the band of what is usual, the same hours last week behind it."""
    hidden = [DynamicConfigValue("custom.lineWidth", 0), DynamicConfigValue("custom.fillOpacity", 0)]
    filled = [
        DynamicConfigValue("custom.lineWidth", 0),
        DynamicConfigValue("custom.fillBelowTo", "usual"),
        DynamicConfigValue("custom.fillOpacity", 15),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "blue"}),
    ]
    week = [
        DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [4, 6]}),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "gray"}),
        DynamicConfigValue("custom.fillOpacity", 0),
    ]
    earlier = f'SELECT "time", people AS "last week" FROM ({band(place, keyword, back_seconds=604_800)}) earlier'
    return (
        timeseries.Panel()
        .title(title)
        .description(says)
        .datasource(STORE)
        .with_target(Sql(band(place, keyword)))
        .with_target(Sql(earlier, "B"))
        .override_by_name("usual", hidden)
        .override_by_name("usual at most", filled)
        .override_by_name("last week", week)
        .override_by_name("people", [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "red"})])
        .unit("short")
        .min(0)
        .height(9)
        .span(24)
    )


def incidents(title: str, says: str, where: str, *, order: str = "onset DESC") -> table.Panel:
    """Incidents, each with a link to its dashboard."""
    link = [DynamicConfigValue("links", [{"title": "Look at the incident", "url": INCIDENT_LINK}])]
    hide = [DynamicConfigValue("custom.hidden", True)]
    colours = {"confirmed": "red", "suspected": "orange", "signal": "blue", "resolved": "green"}
    mapped = {state: {"color": color, "index": number} for number, (state, color) in enumerate(colours.items())}
    state = [
        DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        DynamicConfigValue("mappings", [{"type": "value", "options": mapped}]),
        DynamicConfigValue("custom.width", 110),
    ]
    panel = listing(title, says, f"{INCIDENTS} WHERE {where} ORDER BY {order} LIMIT 200")
    panel = panel.override_by_name("title", link).override_by_name("state", state)
    for column in ("id", "from_ms", "to_ms"):
        panel = panel.override_by_name(column, hide)
    return panel.override_by_name("usual", [DynamicConfigValue("decimals", 1)]).override_by_name(
        "factor", [DynamicConfigValue("unit", "suffix: ×"), DynamicConfigValue("decimals", 1)]
    )


def listing(title: str, says: str, sql: str) -> table.Panel:
    """Rows out of the store."""
    panel = table.Panel().title(title).description(says).datasource(STORE).with_target(Sql(sql))
    return panel.unit("short").height(9).span(24)


def variable(name: str, label: str, sql: str, *, several: bool = True) -> board.QueryVariable:
    """Values to choose from: `__text` is shown, `__value` is used."""
    made = (
        board.QueryVariable(name)
        .label(label)
        .datasource(STORE)
        .query({"rawSql": " ".join(sql.split()), "refId": name, "format": "table", "rawQuery": True})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
    )
    if not several:
        return made
    everything = VariableOption(text="All", value="$__all", selected=True)
    return made.multi(True).include_all(True).all_value(ANY).current(everything)


def place_variable() -> board.QueryVariable:
    """Places that complaints named."""
    return variable(
        "place",
        "Place",
        """SELECT coalesce(name, place) || CASE WHEN level IN ('city', 'airport', 'spot') THEN '' ELSE ' (' || level || ')' END AS __text,
           place AS __value FROM operations.places ORDER BY 1""",
    )


def keyword_variable() -> board.QueryVariable:
    """Problems that complaints named."""
    return variable(
        "keyword",
        "Problem",
        "SELECT coalesce(name, keyword) AS __text, keyword AS __value FROM operations.keywords ORDER BY keyword",
    )


def told_incidents() -> board.AnnotationQuery:
    """Incidents as regions on every chart."""
    sql = """SELECT onset AS "time", coalesce(resolved_at, now()) AS "timeEnd", title AS text, state || ',' || coalesce(keyword, '') AS tags
             FROM operations.incidents WHERE suspected_at IS NOT NULL AND merged_into IS NULL
             AND onset < $__timeTo()::timestamptz AND coalesce(resolved_at, now()) > $__timeFrom()::timestamptz LIMIT 200"""
    made = board.AnnotationQuery().name("Incidents").datasource(STORE).enable(True).icon_color("red")
    return made.target(Sql(sql, "incidents"))


def dashboard(uid: str, title: str, says: str, *, refresh: str = "30s", since: str = "now-6h") -> board.Dashboard:
    """What all dashboards have: the same tags, links to each other, incidents on their charts."""
    others = board.DashboardLink("overheard").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    return (
        board.Dashboard(title)
        .uid(f"overheard-{uid}")
        .description(says)
        .tags([TAG])
        .refresh(refresh)
        .time(since, "now")
        .timezone("browser")
        .annotation(told_incidents())
        .link(others.keep_time(True))
    )


def arranged(made: board.Dashboard, panels: Sequence[Builder[Panel]]) -> board.Dashboard:
    """Panels in rows from left to right, numbered in that order."""
    x = y = tallest = 0
    for number, builder in enumerate(panels, 1):
        panel = builder.build()
        at = panel.grid_pos
        assert at is not None
        if x + at.w > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        at.x, at.y = x, y
        x, tallest = x + at.w, max(tallest, at.h)
        panel.id_val = number
        made = made.with_panel(_Built(panel))
    return made


class _Built(Builder[Panel]):
    """A panel that needs no more building."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def build(self) -> Panel:
        return self._panel
