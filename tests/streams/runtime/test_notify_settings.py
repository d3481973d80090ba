"""Who is told, out of a file: channels with their secrets, routes, links; every error at once with its key, and no secret is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import SecretStr

from alerting.notify.base import ChannelSettings
from alerting.notify.log import LogChannel
from alerting.notify.registry import KINDS
from alerting.routing import LOG_ROUTES
from streams.runtime.section import SettingsError
from streams.runtime.settings import Settings, load_settings


class ChatSettings(ChannelSettings):
    """A kind with a secret."""

    kind: Literal["chat"] = "chat"
    room: str
    webhook: SecretStr
    secret_fields: ClassVar = {"webhook": "the address that the chat gave"}

    def make(self, name: str) -> LogChannel:
        if self.room == "none":
            raise ValueError("there is no such room")
        return LogChannel()


@pytest.fixture(autouse=True)
def chat() -> Iterator[None]:
    KINDS["chat"] = ChatSettings
    yield
    del KINDS["chat"]


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "overheard.toml"
    path.write_text(text)
    return load_settings(path, environ or {})


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(folder, text, environ)
    return caught.value.problems


def test_without_channels_the_log_is_told(tmp_path: Path) -> None:
    notify = load(tmp_path, "").notify
    assert list(notify.make()) == ["log"]
    assert notify.routes == LOG_ROUTES
    assert notify.trouble_channels == ("log",)


def test_one_channel_is_enough(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://chat.example/abc\n")
    text = '[channels.ops-chat]\nkind = "chat"\nroom = "ops"\nwebhook_file = "hook"\n'
    notify = load(tmp_path, text).notify
    assert notify.channels["ops-chat"].webhook.get_secret_value() == "https://chat.example/abc"  # type: ignore[attr-defined]
    assert [route.channels for route in notify.routes] == [("ops-chat",)]
    assert "abc" not in repr(notify)


def test_routes_links_and_secrets_of_the_environment(tmp_path: Path) -> None:
    text = """
        [service]
        timezone = "America/New_York"
        [notify]
        page_url = "http://localhost:8080/"
        grafana_url = "https://grafana.example"
        [channels.ops-chat]
        kind = "chat"
        room = "ops"
        [channels.log]
        kind = "log"
        [[routes]]
        channels = ["ops-chat"]
        tier = "confirmed"
        places = ["airport:JFK"]
        days = ["mon", "tue"]
        begin = "08:00"
        end = 18:00:00
        [[routes]]
        channels = ["log"]
        troubles = false
        timezone = "UTC"
    """
    environ = {"OVERHEARD_CHANNELS_OPS_CHAT_WEBHOOK": "s3cret", "OVERHEARD_NOTIFY_GRAFANA_URL": "https://other.example"}
    notify = load(tmp_path, text, environ).notify
    first, second = notify.routes
    assert (first.tier, first.places, first.days) == ("confirmed", ("airport:JFK",), ("mon", "tue"))
    assert (first.begin, first.end, first.timezone) == (time(8), time(18), "America/New_York")
    assert (second.channels, second.timezone) == (("log",), "UTC")
    assert notify.trouble_channels == ("ops-chat",)
    assert (notify.links.page, notify.links.grafana) == ("http://localhost:8080", "https://other.example")
    assert "s3cret" not in repr(notify)


def test_every_error_is_told_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
        pakc = "power"
        [notify]
        page_url = "ftp://page"
        timezone = "Mars/Olympus"
        [channels.pigeon]
        kind = "pigeon"
        [channels.a]
        kind = "chat"
        [channels.b]
        kind = "chat"
        room = "x"
        webhook = "https://told.example/s3cret"
        [channels.c]
        kind = "chat"
        room = "none"
        colour = "red"
        webhook_file = "nowhere"
        [channels.D]
        kind = "log"
        [[routes]]
        channels = ["ops", "a"]
        tier = "awful"
        [[routes]]
        channels = ["ops", "a"]
        days = ["noday"]
        [[routes]]
        channels = ["ops", "a"]
        [[routes]]
        channels = []
    """
    found = "\n".join(problems(tmp_path, text))
    for line in (
        "channels.pigeon.kind: one of alertmanager, ",
        "channels.a.webhook_file: required: the address that the chat gave (or OVERHEARD_CHANNELS_A_WEBHOOK)",
        "channels.a.room: field required",
        "channels.b.webhook: a secret: set OVERHEARD_CHANNELS_B_WEBHOOK or webhook_file instead",
        "channels.c.webhook_file: nowhere: No such file or directory",
        "channels.c.colour: extra inputs are not permitted",
        "channels.D: a name is of a-z, 0-9 and -, at most 32",
        "notify.page_url: an https address is needed",
        "notify.timezone: no such time zone: 'Mars/Olympus'",
        "routes.1.tier: input should be 'suspected' or 'confirmed'",
        "routes.2.days.0: input should be 'mon'",
        "routes.3.channels: no channel is named 'ops': D, a, b, c, pigeon",
        "routes.4.channels: tuple should have at least 1 item",
        "pakc: extra inputs are not permitted",
    ):
        assert line in found, found
    assert "s3cret" not in found


def test_a_channel_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    text = '[channels.a]\nkind = "chat"\nroom = "none"\n'
    assert problems(tmp_path, text, {"OVERHEARD_CHANNELS_A_WEBHOOK": "x"}) == ["channels.a: there is no such room"]


@pytest.mark.parametrize("name", ["service", "page", "grafana", "kafka", "notify", "heartbeat", "channels"])
@pytest.mark.parametrize("given", ['"x"', "3", "[]", "[1]", "true", "2024-01-01"])
def test_what_should_be_a_section_and_is_not_is_named(tmp_path: Path, name: str, given: str) -> None:
    environ = {
        "OVERHEARD_SERVICE_PORT": "1",
        "OVERHEARD_KAFKA_PREFIX": "a",
        "OVERHEARD_HEARTBEAT_URL": "https://a.example",
    }
    section = f"[{name}.NAME]" if name == "channels" else f"[{name}]"
    text = f"nonsense = 1\n{name} = {given}\n"
    assert problems(tmp_path, text, environ) == [
        f"{name}: a section is meant: {section}",
        "nonsense: extra inputs are not permitted (given: 1)",
    ]


@pytest.mark.parametrize("name", ["routes", "sources", "spots"])
@pytest.mark.parametrize("given", ['"x"', "3", '["x"]', "[[]]"])
def test_what_should_be_sections_and_are_not_is_named(tmp_path: Path, name: str, given: str) -> None:
    assert problems(tmp_path, f"{name} = {given}\n") == [f"{name}: each is a section of its own: [[{name}]]"]


def test_a_kind_or_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, '[channels.a]\nkind = ["log"]\n')[0].startswith("channels.a.kind: one of ")
    text = '[channels.a]\nkind = "chat"\nroom = "ops"\nwebhook_file = 3\n'
    assert problems(tmp_path, text) == ["channels.a.webhook_file: a path is meant (given: 3)"]


def test_a_secret_that_is_missing_is_said_where_to_put(tmp_path: Path) -> None:
    found = problems(tmp_path, '[channels.ops-slack]\nkind = "slack"\nchannel = "C1"\n')
    assert "set OVERHEARD_CHANNELS_OPS_SLACK_WEBHOOK or OVERHEARD_CHANNELS_OPS_SLACK_TOKEN" in found[-1]
