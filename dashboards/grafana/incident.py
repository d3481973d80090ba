"""One incident: how many against the usual, where, how sure and why, what was done, and what people wrote."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.panels import arranged, dashboard, incidents, listing, number, people_band, variable

THIS = "('${incident:pipe}' = '.*' OR id = ANY(string_to_array('${incident:pipe}', '|')))"
OF_THIS = THIS.replace("id =", "incident =")
SCOPE = f"SELECT place FROM operations.incidents WHERE {THIS}"
MAIN = f"SELECT keyword FROM operations.incidents WHERE {THIS}"


def build() -> Dashboard:
    """The dashboard."""
    made = dashboard("incident", "overheard · Incident", "One incident with its evidence.", since="now-24h")
    choices = """SELECT title || ', ' || to_char(onset, 'DD Mon HH24:MI') AS __text, id AS __value FROM operations.incidents
                 WHERE suspected_at IS NOT NULL ORDER BY onset DESC LIMIT 500"""
    made = made.with_variable(variable("incident", "Incident", choices))
    panels: list[Builder[Panel]] = [
        number("People", "Since its onset.", f"SELECT sum(people) AS people FROM operations.incidents WHERE {THIS}"),
        number(
            "Usual",
            "People expected in that time.",
            f"SELECT sum(expected) AS usual FROM operations.incidents WHERE {THIS}",
        ),
        number(
            "Times the usual",
            "People over what is usual.",
            f"SELECT max(factor) AS factor FROM operations.incidents WHERE {THIS}",
        ),
        number("Peak", "Most people in any hour.", f"SELECT max(peak) AS peak FROM operations.incidents WHERE {THIS}"),
        number(
            "Heard before it was told",
            "From onset to the first time anybody was told.",
            f"SELECT avg(extract(epoch FROM suspected_at - onset)) AS seconds FROM operations.incidents WHERE {THIS}",
            unit="s",
        ),
        number(
            "Until someone took it on",
            "From the first time anybody was told to the first acknowledgement.",
            f"""SELECT extract(epoch FROM min(a."time") - min(i.suspected_at)) AS seconds FROM operations.acts a
                JOIN operations.incidents i ON i.id = a.incident WHERE a.kind = 'ack' AND {THIS.replace("id =", "i.id =")}""",
            unit="s",
        ),
        incidents("The incident", "As last told.", THIS),
        people_band("People over time", "At its place, of its problem, over the band of what is usual.", SCOPE, MAIN),
        listing(
            "How sure, and why",
            "Every gate of the decision, with its figure.",
            f"SELECT gate, passed, text AS says, incident FROM operations.gates WHERE {OF_THIS} ORDER BY incident, number",
        ).span(12),
        listing(
            "Where",
            "Places in it, most people first.",
            f"SELECT place_name AS place, level, people FROM operations.incident_places WHERE {OF_THIS} ORDER BY people DESC",
        ).span(12),
        listing(
            "What people wrote",
            "Words said more than usual, and up to three texts without names, addresses and numbers.",
            f"SELECT channels, terms AS words, examples FROM operations.incidents WHERE {THIS}",
        ),
        listing(
            "What happened",
            "Every revision of it, and what people did.",
            f"""SELECT updated_at AS "time", reason AS what, NULL AS who, people || ' people' AS says FROM operations.revisions WHERE {THIS}
                UNION ALL
                SELECT "time", kind, person, concat_ws(': ', value, reason) FROM operations.acts WHERE {OF_THIS} ORDER BY 1 DESC""",
        ),
    ]
    return arranged(made, panels)
