"""Who is told, out of the configuration: `[channels.NAME]` with its `kind`, `[[routes]]` and `[notify]`.

A channel's secrets come by `OVERHEARD_CHANNELS_NAME_FIELD` or by `FIELD_file`, never from the TOML itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from alerting.message import Links
from alerting.notify.base import Channel, ChannelSettings
from alerting.notify.heartbeat import HeartbeatSettings
from alerting.notify.http import AddressError, checked
from alerting.notify.log import LogSettings
from alerting.notify.registry import KINDS
from alerting.routing import LOG, LOG_ROUTES, Route, Tier
from streams.runtime.section import PREFIX, Section, error_line, zone_name

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
Model = TypeVar("Model", bound=BaseModel)


class RouteSettings(Section):
    """`[[routes]]`: incidents that match every condition given go to `channels`."""

    channels: tuple[str, ...] = Field(min_length=1)
    tier: Tier = "suspected"
    places: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    begin: time = time(0)
    end: time = time(0)
    timezone: str | None = None
    troubles: bool = True  # whether its channels hear of overheard's own troubles

    _zone = field_validator("timezone")(lambda name: zone_name(name) if name is not None else None)

    def route(self, timezone: str) -> Route:
        """As `alerting.routing` takes it; `timezone` where it names none."""
        own = self.model_dump(exclude={"troubles", "timezone"})
        return Route(**own, timezone=self.timezone or timezone)


class WordsSettings(Section):
    """`[notify]`: what messages link to, and by whose clock they tell time."""

    page_url: str | None = None
    grafana_url: str | None = None
    timezone: str | None = None  # as `service.timezone` where it is not said

    _zone = field_validator("timezone")(lambda name: zone_name(name) if name is not None else None)

    @field_validator("page_url", "grafana_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        host = re.sub(r"^[a-z]+://([^/:]*).*", r"\1", url)
        try:
            checked(url, (host,))  # people's browsers go there, not we: any host will do
        except AddressError as error:
            raise ValueError(str(error)) from None
        return url.rstrip("/")


class NotifySettings(BaseModel):
    """All of it, checked. Without a channel the log is told everything suspected."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    channels: Mapping[str, ChannelSettings] = {LOG: LogSettings()}
    routes: tuple[Route, ...] = LOG_ROUTES
    trouble_channels: tuple[str, ...] = (LOG,)
    links: Links = Links()
    timezone: str = "UTC"
    heartbeat: HeartbeatSettings | None = None

    def make(self) -> dict[str, Channel]:
        """The channels, each made anew."""
        return {name: one.make(name) for name, one in self.channels.items()}


def read_notify(data: dict[str, Any], environ: Mapping[str, str], folder: Path) -> tuple[NotifySettings, list[str]]:
    """Takes its sections out of `data`; the settings as far as they can be used, and what is wrong with them."""
    given, routes_given, words_given = data.pop("channels", {}), data.pop("routes", []), data.pop("notify", {})
    problems: list[str] = []
    channels: dict[str, ChannelSettings] = {}
    for name, section in _sections(given, "channels", problems).items():
        channel = _channel(name, section, environ, folder, problems)
        if channel is not None:
            channels[name] = channel
    heartbeat = _heartbeat(data.pop("heartbeat", None), environ, folder, problems)
    words = _validated(WordsSettings, words_given, ("notify",), problems) or WordsSettings()
    timezone = words.timezone or str(_service(data).get("timezone", "UTC"))
    routes = []
    for number, section in enumerate(routes_given if isinstance(routes_given, list) else [routes_given], 1):
        route = _validated(RouteSettings, section, ("routes", number), problems)
        if route is not None:
            routes.append(route)
            known = ", ".join(sorted(given)) or "none is configured"
            problems += [f"routes.{number}.channels: no channel is named {name!r}: {known}"
                         for name in route.channels if name not in given]  # fmt: skip
    if problems or not channels:
        return NotifySettings(links=Links(words.page_url, words.grafana_url), heartbeat=heartbeat), problems
    routes = routes or [RouteSettings(channels=tuple(channels))]
    told = {name for route in routes if route.troubles for name in route.channels}
    return NotifySettings(
        channels=channels,
        routes=tuple(route.route(timezone) for route in routes),
        trouble_channels=tuple(sorted(told or {name for route in routes for name in route.channels})),
        links=Links(words.page_url, words.grafana_url),
        timezone=timezone,
        heartbeat=heartbeat,
    ), []


def _heartbeat(given: Any, environ: Mapping[str, str], folder: Path, problems: list[str]) -> HeartbeatSettings | None:
    """Where we say that we are alive; None where nobody is to know."""
    if given is None and f"{PREFIX}HEARTBEAT_URL" not in environ:
        return None
    before = len(problems)
    section = _with_secrets(("heartbeat",), HeartbeatSettings, given or {}, environ, folder, problems)
    return _validated(HeartbeatSettings, section, ("heartbeat",), problems) if len(problems) == before else None


def _sections(given: Any, place: str, problems: list[str]) -> dict[str, dict[str, Any]]:
    if not isinstance(given, dict) or not all(isinstance(section, dict) for section in given.values()):
        problems.append(f"{place}: each is a section of its own: [{place}.NAME]")
        return {}
    problems += [
        f"{place}.{name}: a name is of a-z, 0-9 and -, at most 32" for name in given if not NAME.fullmatch(name)
    ]
    return given


def _channel(
    name: str, section: dict[str, Any], environ: Mapping[str, str], folder: Path, problems: list[str]
) -> ChannelSettings | None:
    """One channel with its secrets; None where it cannot be used."""
    named = section.get("kind", "")
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        known = ", ".join(sorted(KINDS))
        problems.append(f"channels.{name}.kind: one of {known} (given: {named!r})")
        return None
    before = len(problems)
    place = ("channels", name)
    complete = _with_secrets(place, kind, section, environ, folder, problems)
    made = _validated(kind, complete, place, problems)
    if made is None and kind.secret_fields and not kind.secret_fields.keys() & complete.keys():
        ways = " or ".join(_variable(place, field) for field in kind.secret_fields)
        problems.append(
            f"channels.{name}: no secret is given: set {ways}, or name a file ({'_file, '.join(kind.secret_fields)}_file)"
        )
    if made is None or len(problems) > before:
        return None
    try:
        made.make(name)
    except ValueError as error:
        problems.append(f"channels.{name}: {error}")
        return None
    return made


def _with_secrets(
    place: tuple[str, ...],
    kind: type[ChannelSettings],
    section: dict[str, Any],
    environ: Mapping[str, str],
    folder: Path,
    problems: list[str],
) -> dict[str, Any]:
    """The section with each secret from where it may come from."""
    found, key = dict(section), ".".join(place)
    for field, what in kind.secret_fields.items():
        variable = _variable(place, field)
        file = found.pop(f"{field}_file", None)
        if field in found:
            problems.append(f"{key}.{field}: a secret: set {variable} or {field}_file instead")
        elif variable in environ:
            found[field] = environ[variable]
        elif isinstance(file, str):
            try:
                found[field] = (folder / Path(file).expanduser()).read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{key}.{field}_file: {file}: {error.strerror}")
                found[field] = "x"
        elif file is not None:
            problems.append(f"{key}.{field}_file: a path is meant (given: {file!r})")
            found[field] = "x"
        elif kind.model_fields[field].is_required():
            problems.append(f"{key}.{field}_file: required: {what} (or {variable})")
            found[field] = "x"  # told once; what else is wrong is told too
    return found


def _variable(place: tuple[str, ...], field: str) -> str:
    """Of the environment: where a secret may stand."""
    return f"{PREFIX}{'_'.join((*place, field))}".upper().replace("-", "_")


def _validated(model: type[Model], given: Any, place: tuple[str | int, ...], problems: list[str]) -> Model | None:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        secret = getattr(model, "secret_fields", {})
        problems += [
            error_line((*place, *one["loc"]), one["msg"], None if set(one["loc"]) & set(secret) else one["input"])
            for one in error.errors()
        ]
        return None


def _service(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("service", {})
    return found if isinstance(found, dict) else {}
