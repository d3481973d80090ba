"""The dashboards without Grafana: what is committed is what is built, the SDK reads it back whole, and every query runs on real stores."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from sqlalchemy import Engine, text

from dashboards.grafana.build import DASHBOARDS, GENERATED, rendered
from streams.metrics import CATALOGUE, PREFIX
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.views import OPERATIONS_ROLE
from tests.dashboards.filled import TOGETHER, fill
from tests.postgres import new_database

NAMES = sorted(DASHBOARDS)
MOST_SECONDS = 1.0
RULES = GENERATED.parent / "prometheus" / "rules.yml"
UIDS = {f"overheard-{name}" for name in NAMES}


def loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GENERATED / f"overheard-{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_is_built(name: str) -> None:
    assert (GENERATED / f"overheard-{name}.json").read_text(encoding="utf-8") == rendered(name)


def test_no_dashboard_is_left_over() -> None:
    assert {path.stem for path in GENERATED.glob("*.json")} == UIDS


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_model_reads_all_of_it(name: str) -> None:
    register_default_plugins()
    given = _without_queries(loaded(name))
    again = json.loads(json.dumps(Dashboard.from_json(given), cls=JSONEncoder))
    assert _lost(given, again) == []


def _without_queries(data: dict[str, Any]) -> dict[str, Any]:
    """The SDK knows no SQL query; these are checked by running them."""
    for panel in data["panels"]:
        panel["targets"] = [one for one in panel.get("targets", []) if "rawSql" not in one]
    for one in data["annotations"]["list"]:
        one.pop("target", None)
    return data


def _lost(given: Any, again: Any, at: str = "") -> list[str]:
    if isinstance(given, dict):
        found = [f"{at}.{key}" for key in given if not isinstance(again, dict) or key not in again]
        return found + [
            one for key in given.keys() & (again or {}) for one in _lost(given[key], again[key], f"{at}.{key}")
        ]
    if isinstance(given, list):
        if not isinstance(again, list) or len(given) != len(again):
            return [at]
        return [
            one for number, pair in enumerate(zip(given, again, strict=True)) for one in _lost(*pair, f"{at}[{number}]")
        ]
    return [] if given == again else [at]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_is_for_and_lies_apart(name: str) -> None:
    data = loaded(name)
    panels = data["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert data["uid"] == f"overheard-{name}"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_dashboards_that_are_there(name: str) -> None:
    found = set(re.findall(r"/d/([a-z-]+)", json.dumps(loaded(name))))
    assert found <= UIDS


def test_every_metric_asked_for_is_in_the_catalogue() -> None:
    known = {PREFIX + metric.name for metric in CATALOGUE}
    asked = {one for name in NAMES for query in _promql(name) for one in re.findall(r"overheard_[a-z_]+", query)}
    assert asked
    assert asked <= known


def test_every_metric_is_in_a_panel_or_a_rule_or_else_raw() -> None:
    rules = RULES.read_text(encoding="utf-8")
    asked = set(
        re.findall(r"overheard_[a-z_]+", " ".join([rules, *(query for name in NAMES for query in _promql(name))]))
    )
    unasked = {metric.name for metric in CATALOGUE if PREFIX + metric.name not in asked}
    assert unasked == {metric.name for metric in CATALOGUE if metric.raw}


def _promql(name: str) -> list[str]:
    return [one["expr"] for panel in loaded(name)["panels"] for one in panel["targets"] if "expr" in one]


# -- on a real PostgreSQL -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(postgres_server: str) -> Iterator[Engine]:
    engine = open_store(new_database(postgres_server))
    fill(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    yield engine
    engine.dispose()


NEEDED = {
    "geomap": {"lat", "lon"}, "timeseries": {"time"},
    "nodeGraph nodes": {"id", "title", "subtitle", "mainstat"}, "nodeGraph edges": {"id", "source", "target", "mainstat"},
}  # fmt: skip
MAY_BE_EMPTY: set[tuple[str, str]] = set()


def queries(data: dict[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    """(what asks, its SQL, columns it needs)."""
    for panel in data["panels"]:
        for one in panel["targets"]:
            if "rawSql" in one:
                own = NEEDED.get(f"{panel['type']} {one['refId']}", set())
                yield panel["title"], one["rawSql"], NEEDED.get(panel["type"], own)
    for one in data.get("templating", {}).get("list", []):
        yield f"variable {one['name']}", one["query"]["rawSql"], {"__text", "__value"}
    for one in data["annotations"]["list"]:
        yield f"annotation {one['name']}", one["target"]["rawSql"], {"time", "timeEnd", "text", "tags"}


def filled_in(sql: str, values: dict[str, str], begin: float, end: float) -> str:
    """As Grafana's PostgreSQL data source sends it."""
    for name, value in values.items():
        sql = sql.replace(f"${{{name}:pipe}}", value)
    sql = sql.replace("$__unixEpochFrom()", str(int(begin))).replace("$__unixEpochTo()", str(int(end)))
    sql = sql.replace("$__timeFrom()", f"'{_iso(begin)}'").replace("$__timeTo()", f"'{_iso(end)}'")
    assert "$" not in sql, sql
    return sql


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


CHOICES = {
    "all": {"place": ".*", "keyword": ".*", "incident": ".*"},
    "two": {
        "place": "SELECT string_agg(DISTINCT one, '|') FROM operations.incidents, unnest(string_to_array(within, '|')) one"
        " WHERE suspected_at IS NOT NULL AND one LIKE 'region:%'",
        "keyword": "SELECT string_agg(keyword, '|') FROM (SELECT split_part(keyword, '/', 1) AS keyword FROM operations.incidents"
        " WHERE suspected_at IS NOT NULL GROUP BY 1) x",
        "incident": "SELECT string_agg(id, '|') FROM operations.incidents WHERE suspected_at IS NOT NULL",
    },
}


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["place", "keyword"])
def test_people_are_the_same_however_long_the_time_shown(store: Engine, name: str) -> None:
    """All that was heard lies in the last ten days; longer ranges are answered from coarser cells."""
    last = Reader(store).meta()["last_close"]
    end = last // 3600 * 3600  # an hour that goes on is in no tier but the finest
    asked = [
        (title, sql) for title, sql, _ in queries(loaded(name)) if "operations.days" in sql and "last week" not in sql
    ]
    assert len(asked) == 3
    with store.connect() as connection:
        for title, sql in asked:
            told = []
            for days in (10, 60, 200):
                rows = connection.exec_driver_sql(
                    filled_in(sql, CHOICES["all"], end - days * 86_400, end).replace("%", "%%")
                ).mappings()
                told.append(sum(row["people"] for row in rows))
            assert told[0] > 0
            assert told == [told[0]] * 3, title


@pytest.mark.postgres
@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", NAMES)
def test_every_query_gives_rows_with_the_columns_its_panel_needs(
    store: Engine, name: str, choice: str, days: int
) -> None:
    end = time.time()
    wrong = []
    with store.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {OPERATIONS_ROLE}"))
        values = {
            key: value if value == ".*" else connection.execute(text(value)).scalar_one()
            for key, value in CHOICES[choice].items()
        }
        assert choice == "all" or all("|" in values[key] for key in ("place", "keyword", "incident")), values
        for title, sql, needed in queries(loaded(name)):
            began = time.perf_counter()
            result = connection.exec_driver_sql(filled_in(sql, values, end - days * 86_400, end).replace("%", "%%"))
            rows = result.fetchall()
            took = time.perf_counter() - began
            if not rows and (name, title) not in MAY_BE_EMPTY:
                wrong.append(f"{title}: no rows")
            if not needed <= set(result.keys()):
                wrong.append(f"{title}: lacks {needed - set(result.keys())}")
            if took > MOST_SECONDS:
                wrong.append(f"{title}: {took:.2f} s")
    assert not wrong


@pytest.mark.postgres
def test_the_node_graph_has_both_ends_of_each_line_and_whole_circles(store: Engine) -> None:
    (panel,) = [one for one in loaded("network")["panels"] if one["type"] == "nodeGraph"]
    asked = {one["refId"]: filled_in(one["rawSql"], CHOICES["all"], 0, time.time()) for one in panel["targets"]}
    with store.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {OPERATIONS_ROLE}"))
        nodes, edges = (connection.execute(text(asked[ref])).mappings().all() for ref in ("nodes", "edges"))
    assert {end for edge in edges for end in (edge["source"], edge["target"])} == {node["id"] for node in nodes}
    assert [edge["mainstat"] for edge in edges]
    for node in nodes:
        arcs = [share for name, share in node.items() if name.startswith("arc__")]
        assert sum(arcs) == pytest.approx(1.0)
        assert all(0.0 <= share <= 1.0 for share in arcs)
    shown = {(node["title"], node["keyword"]) for node in nodes}
    assert shown >= {end for pair in TOGETHER for end in (pair[:2], pair[2:])}
