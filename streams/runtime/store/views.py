"""What others may read on PostgreSQL: the schema `operations` for Grafana, `published` for anybody; each with a role that reads nothing else.

Operations sees exact counts and redacted examples, never what a person wrote whole, an author or a record's id. The public sees one grid of
whole hours, regions and top-level problems; counts below K are hidden, others rounded to ROUND_TO.

Of the tiers of cells the public sees hours alone. A day beside its hours would tell the sum of those that are hidden, and five minutes beside
an hour, or a city beside its region, what is left when the others are taken away. Hours that are no longer kept are shown in no other form. A
late row can carry a cell from hidden to K or over a step of rounding, never below K: it is seen then that somebody came, among at least K.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

import structlog
from sqlalchemy import Connection, select, text

from streams.runtime.store import graph, tables
from streams.runtime.store.tiers import TIERS

log = structlog.get_logger(__name__)
K, ROUND_TO = 10, 5
DIGEST = "views"
OPERATIONS_ROLE, PUBLIC_ROLE = "overheard_operations", "overheard_public"
ROLES: Final = {"operations": OPERATIONS_ROLE, "published": PUBLIC_ROLE}

_CELLS = """
    SELECT to_timestamp(c.start) AS "time", c.start, c.seconds, p.place, p.name AS place_name, p.level, p.within, p.lat, p.lon,
           k.keyword, k.name AS keyword_name, c.voices AS people, c.messages, c.expected, c.upper, c.p_value,
           CASE WHEN c.p_value > 0 THEN -log(c.p_value) END AS unusual
    FROM public.{table} c JOIN public.place_names p ON p.number = c.place JOIN public.keyword_names k ON k.number = c.keyword
"""

_INCIDENT = """
    SELECT i.id, i.revision, i.state, b->>'title' AS title, b->>'reason' AS reason,
           to_timestamp(i.onset) AS onset, to_timestamp(i.updated_at) AS updated_at, to_timestamp(i.resolved_at) AS resolved_at,
           to_timestamp((b->>'opened_at')::float8) AS opened_at, to_timestamp((b->>'suspected_at')::float8) AS suspected_at,
           to_timestamp((b->>'confirmed_at')::float8) AS confirmed_at,
           b->'scope'->>'place' AS place, b->'scope'->>'name' AS place_name, b->'scope'->>'level' AS level,
           (b->'scope'->>'lat')::float8 AS lat, (b->'scope'->>'lon')::float8 AS lon,
           (SELECT '|' || coalesce(string_agg(v, '|'), '') || '|' FROM jsonb_array_elements_text(b->'scope'->'within') v) AS within,
           b->'keywords'->>0 AS keyword,
           (SELECT string_agg(v, ', ') FROM jsonb_array_elements_text(b->'keywords') v) AS keywords,
           (b->>'people')::int AS people, (b->>'messages')::int AS messages, (b->>'expected')::float8 AS expected,
           (b->>'factor')::float8 AS factor, (b->>'p_value')::float8 AS p_value, (b->>'peak')::int AS peak, b->>'trend' AS trend,
           (SELECT string_agg(key || ' ' || value, ', ' ORDER BY value::int DESC, key) FROM jsonb_each_text(b->'channels')) AS channels,
           (SELECT string_agg(v->>0, ', ') FROM jsonb_array_elements(b->'terms') v) AS terms,
           (SELECT string_agg(v, E'\\n') FROM jsonb_array_elements_text(b->'examples') v) AS examples,
           (SELECT string_agg(v, ', ') FROM jsonb_array_elements_text(b->'marks') v) AS marks,
           (b->>'drill')::boolean AS drill, b->>'team' AS team, b->>'acked_by' AS acked_by, b->>'assigned_to' AS assigned_to,
           b->>'verdict' AS verdict, b->>'merged_into' AS merged_into,
           to_timestamp((b->>'silenced_until')::float8) AS silenced_until,
           (b->>'unanswered')::int AS unanswered, (b->>'budget_per_week')::float8 AS budget_per_week
    FROM public.{table} i CROSS JOIN LATERAL (SELECT i.body::jsonb AS b) body
"""

VIEWS: Final[dict[str, str]] = {
    **{f"operations.{tier.table.name}": _CELLS.format(table=tier.table.name) for tier in TIERS},
    "operations.incidents": _INCIDENT.format(table="incidents"),
    "operations.revisions": _INCIDENT.format(table="incident_revisions"),
    "operations.incident_places": """
    SELECT i.id AS incident, v->>'place' AS place, v->>'name' AS place_name, v->>'level' AS level, (v->>'people')::int AS people
    FROM public.incidents i CROSS JOIN LATERAL jsonb_array_elements(i.body::jsonb->'places') v
""",
    "operations.gates": """
    SELECT i.id AS incident, v.ordinality AS number, v.value->>'gate' AS gate, (v.value->>'passed')::boolean AS passed, v.value->>'text' AS text
    FROM public.incidents i CROSS JOIN LATERAL jsonb_array_elements(i.body::jsonb->'why') WITH ORDINALITY v
""",
    "operations.acts": """
    SELECT c.id, to_timestamp(c.at) AS "time", c.kind, c.incident, b->>'author' AS person, b->>'reason' AS reason, b->>'value' AS value,
           to_timestamp((b->>'until')::float8) AS until
    FROM public.controls c CROSS JOIN LATERAL (SELECT c.body::jsonb AS b) body
""",
    "operations.sources": """
    SELECT source, channel, CASE WHEN last_event > 0 THEN to_timestamp(last_event) END AS last_event, to_timestamp(last_arrival) AS last_arrival,
           records, complaints, voices, placed, duplicates, copies, old, late, usual_per_hour, to_timestamp(blind_since) AS blind_since
    FROM public.sources
""",
    "operations.dead_letters": """
    SELECT to_timestamp(floor(arrived_at / 3600) * 3600) AS "time", reason, source, count(*) AS letters
    FROM public.dead_letters GROUP BY 1, 2, 3
""",
    "operations.places": "SELECT place, name, level, lat, lon, within FROM public.place_names",
    "operations.keywords": "SELECT keyword, name FROM public.keyword_names",
    "operations.status": """
    SELECT key, value FROM public.meta WHERE key IN ('last_close', 'window_seconds', 'budget_per_week', 'budget_spent', 'learning_until',
                                                     'network_since', 'network_until',
                                                     'cells_from', 'fives_from', 'hours_from',
                                                     'fives_until', 'hours_until', 'days_until')
""",
    **graph.VIEWS,
    "published.hours": f"""
    SELECT to_timestamp(c.start) AS "time", p.place, p.name AS place_name, k.keyword, k.name AS keyword_name,
           CASE WHEN c.voices >= {K} THEN (round(c.voices / {ROUND_TO}.0) * {ROUND_TO})::int END AS people,
           CASE WHEN c.voices < {K} THEN 'fewer than {K}' ELSE (round(c.voices / {ROUND_TO}.0) * {ROUND_TO})::text END AS told,
           CASE WHEN c.voices >= {K} THEN round(c.expected) END AS expected
    FROM public.hours c JOIN public.place_names p ON p.number = c.place JOIN public.keyword_names k ON k.number = c.keyword
    WHERE p.level = 'region' AND position('/' IN k.keyword) = 0 AND c.voices > 0
""",
    "published.incidents": f"""
    SELECT i.id, i.state, to_timestamp(i.onset) AS onset, to_timestamp(i.resolved_at) AS resolved_at, b->'scope'->>'place' AS place,
           b->'scope'->>'name' AS place_name, b->'keywords'->>0 AS keyword,
           (round((b->>'people')::int / {ROUND_TO}.0) * {ROUND_TO})::int AS people
    FROM public.incidents i CROSS JOIN LATERAL (SELECT i.body::jsonb AS b) body
    WHERE i.state IN ('suspected', 'confirmed', 'resolved') AND (b->>'people')::int >= {K} AND NOT (b->>'drill')::boolean
          AND b->>'suspected_at' IS NOT NULL
""",
}


def drop_views(connection: Connection) -> None:
    """Tables can be altered when no view reads them."""
    for schema in ROLES:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    for name in VIEWS:
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    connection.execute(tables.meta.delete().where(tables.meta.c.key == DIGEST))


def make_views(connection: Connection) -> None:
    """Make all views where they are not these, and give each role its own; on PostgreSQL.

    Where roles may not be made, that is said, and done by a person.
    """
    digest = hashlib.blake2b(repr(VIEWS).encode(), digest_size=8).hexdigest()
    known = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == DIGEST)).scalar()
    if known == json.dumps(digest):
        return
    drop_views(connection)
    connection.execute(tables.meta.insert().values(key=DIGEST, value=json.dumps(digest)))
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query.replace('%', '%%')}")
    may = connection.execute(
        text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    ).scalar()
    for schema, role in ROLES.items():
        there = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
        if not there and not may:
            log.warning(
                "no role for readers", role=role, do=f"CREATE ROLE {role} as an administrator, then start again"
            )
            continue
        if not there:
            connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"))
