"""The kinds of channels: another one is a file and a line here."""

from __future__ import annotations

from typing import Final

from alerting.notify.alertmanager import AlertmanagerSettings
from alerting.notify.apprise import AppriseSettings
from alerting.notify.base import ChannelSettings
from alerting.notify.email import EmailSettings
from alerting.notify.grafana import GrafanaSettings
from alerting.notify.log import LogSettings
from alerting.notify.pagerduty import PagerDutySettings
from alerting.notify.slack import SlackSettings
from alerting.notify.teams import TeamsSettings
from alerting.notify.webhook import WebhookSettings

KINDS: Final[dict[str, type[ChannelSettings]]] = {
    "alertmanager": AlertmanagerSettings,
    "apprise": AppriseSettings,
    "email": EmailSettings,
    "grafana": GrafanaSettings,
    "log": LogSettings,
    "pagerduty": PagerDutySettings,
    "slack": SlackSettings,
    "teams": TeamsSettings,
    "webhook": WebhookSettings,
}
