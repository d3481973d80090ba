"""The kinds under conformance."""

from __future__ import annotations

from typing import Final

from tests.alerting.notify.cases.alertmanager import AlertmanagerCase
from tests.alerting.notify.cases.apprise import AppriseCase
from tests.alerting.notify.cases.base import Case
from tests.alerting.notify.cases.email import EmailCase
from tests.alerting.notify.cases.grafana import GrafanaCase
from tests.alerting.notify.cases.log import LogCase
from tests.alerting.notify.cases.pagerduty import PagerDutyCase
from tests.alerting.notify.cases.slack import SlackCase, SlackWebhookCase
from tests.alerting.notify.cases.teams import TeamsCase
from tests.alerting.notify.cases.webhook import WebhookCase

CASES: Final[dict[str, Case]] = {
    case.name: case
    for case in (
        AppriseCase(),
        AlertmanagerCase(),
        EmailCase(),
        GrafanaCase(),
        LogCase(),
        PagerDutyCase(),
        SlackCase(),
        SlackWebhookCase(),
        TeamsCase(),
        WebhookCase(),
    )
}
