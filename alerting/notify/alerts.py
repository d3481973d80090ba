"""A message as an alert of Alertmanager: who it is in labels, all that varies in annotations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from alerting.message import Facts, Message, facts, grade_of
from alerting.messages import plain, shortened
from alerting.model import Incident, iso, shared_keyword

Alert = dict[str, Any]
INCIDENT, TROUBLE = "ServiceDisruption", "OverheardTrouble"
MOST_LETTERS = 1024  # of a label's value or an annotation
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
ANGLES = str.maketrans(
    "<>", "‹›"
)  # Alertmanager's templates pass text on unescaped, to Slack too: "<!channel>" would live


def labels_of(message: Message) -> dict[str, str]:
    """The identity of the alert. An incident's may change with its scope, keywords and severity, never with its figures."""
    labels: dict[str, str] = {"severity": grade_of(message)}
    if message.trouble is not None:
        labels |= {"alertname": TROUBLE, "trouble": message.key}
    if (one := message.incident) is not None:
        labels |= {
            "alertname": INCIDENT,
            "incident": one.id,
            "place": one.scope.place,
            "region": one.scope.region,
            "keyword": shared_keyword(one.keywords),
            "team": one.team or "",
            "drill": "true" if one.drill else "",
        }
    told = ((name, shortened(plain(value), MOST_LETTERS)) for name, value in labels.items())
    return {name: value for name, value in told if value}


def alert_of(message: Message, labels: dict[str, str], now: float, lasts_seconds: float) -> Alert:
    """The alert as it stands at `now`; going on for `lasts_seconds` unless it is told again, or over."""
    told = facts(message, now)
    one = message.incident
    over = message.action == "resolve"
    begin = one.onset if one is not None else message.trouble.since if message.trouble is not None else now
    end = min(_end_of(one), now) if over else now + lasts_seconds
    alert = {
        "labels": labels,
        "annotations": _annotations(told, one),
        "startsAt": iso(min(begin, end)),
        "endsAt": iso(end),
    }
    page = dict(told.links).get("Incident", message.links.page)
    return alert if page is None else {**alert, "generatorURL": page}


def ended(alert: Alert, labels: dict[str, str], now: float) -> Alert:
    """The same alert under the labels it had before, over."""
    begin = min(datetime.fromisoformat(alert["startsAt"]).timestamp(), now)
    return {**alert, "labels": labels, "startsAt": iso(begin), "endsAt": iso(now)}


def fault(alert: Alert) -> str | None:
    """Why Alertmanager would refuse it; None if it would not."""
    if not alert["labels"].get("alertname"):
        return "no alertname"
    for kind in ("labels", "annotations"):
        for name, value in alert[kind].items():
            if not NAME.fullmatch(name):
                return f"{kind}: {name!a} is not a name"
            if not value:
                return f"{kind}: {name} is empty"
            if plain(value) != value or len(value) > MOST_LETTERS:
                return f"{kind}: {name} is not a line of {MOST_LETTERS} characters"
    begin, end = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))
    return "it ends before it begins" if begin > end else None


def _end_of(one: Incident | None) -> float:
    if one is None:
        return float("inf")
    return one.resolved_at if one.resolved_at is not None else one.updated_at


def _annotations(told: Facts, one: Incident | None) -> dict[str, str]:
    links = dict(told.links)
    found = {
        "summary": told.headline,
        "description": " · ".join(f"{label}: {text}" for label, text in told.rows),
        "evidence": " · ".join(told.why),
        "runbook_url": links.get("Runbook", ""),
        "dashboard_url": links.get("Grafana", ""),
        "acknowledged_by": (one.acked_by or "") if one is not None else "",
        **{f"sample_{number}": quote for number, quote in enumerate(told.quotes, 1)},
    }
    lines = {name: shortened(plain(text).translate(ANGLES), MOST_LETTERS) for name, text in found.items()}
    return {name: text for name, text in lines.items() if text}
