"""Settings of the service: a TOML file, then `OVERHEARD_SECTION_KEY` variables. Every error at once, each naming its key.

Secrets come by environment or by file (`token_file`), never from the TOML itself.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from streams.channels import CHANNELS
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.notify_settings import NotifySettings, read_notify
from streams.runtime.section import PREFIX, Section, SettingsError, error_line, zone_name

SECTIONS = frozenset({"service", "page", "grafana", "kafka", "notify", "heartbeat", "channels"})
LISTS = frozenset({"routes", "sources", "spots"})  # of sections


class ServiceSettings(Section):
    """Where the service keeps its things, where it listens, how it decides."""

    data: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    token_file: Path | None = None
    token: SecretStr | None = None  # only by OVERHEARD_SERVICE_TOKEN
    secret: SecretStr | None = (
        None  # key of author tokens; only by OVERHEARD_SERVICE_SECRET; made and kept in `data` when not given
    )
    store: str | None = None  # a database URL; SQLite in `data` when not given
    budget_per_week: float = Field(default=0.25, gt=0)  # one false incident a month
    timezone: str = "UTC"
    lateness_seconds: float = Field(default=60.0, ge=0, le=3600)
    detector: str = "default"
    idle_tick_seconds: float = Field(default=10.0, ge=0)  # 0: never; then only records move time
    snapshot_seconds: float = Field(default=10.0, gt=0)
    journal_days: float = Field(default=7.0, ge=7)
    cell_days: float = Field(default=35.0, ge=1)
    records_per_second: int = Field(default=5000, ge=1)  # one client, over HTTP
    backlog_megabytes: float = Field(
        default=2048, gt=0
    )  # of the journal, in whole files of 64: accepted and not in the store yet, before clients are asked to wait
    min_free_megabytes: int = Field(default=64, ge=0)

    _zone = field_validator("timezone")(lambda name: zone_name(name))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def store_url(self) -> str:
        """The database."""
        return self.store or f"sqlite:///{self.data / 'store.sqlite'}"

    def read_token(self) -> str | None:
        """The bearer token, from the environment or its file. Raises OSError."""
        if self.token is not None:
            return self.token.get_secret_value()
        return self.token_file.read_text(encoding="utf-8").strip() if self.token_file else None


class SourceSettings(Section):
    """One way in. A followed file is a partition of its own; `timezone` is that of times without zone."""

    kind: Literal["http", "file", "stdin", "kafka"]
    name: str = Field(min_length=1)  # as records say `source`; may end in * for a prefix
    channel: str | None = None
    path: Path | None = None
    format: Literal["jsonl", "csv"] | None = None
    timezone: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)  # csv: field = column
    time_format: str | None = None  # csv: of created_at

    _zone = field_validator("timezone")(lambda name: zone_name(name) if name is not None else None)

    @field_validator("channel")
    @classmethod
    def _known_channel(cls, name: str | None) -> str | None:
        if name is not None and name not in CHANNELS:
            raise ValueError(f"{name!r} is none of {', '.join(CHANNELS)}")
        return name

    @model_validator(mode="after")
    def _path_of_files(self) -> SourceSettings:
        if self.kind == "file" and self.path is None:
            raise ValueError("path: required for kind = 'file'")
        if self.kind != "file" and (self.path or self.format or self.columns or self.time_format):
            raise ValueError("path, format, columns and time_format belong to kind = 'file'")
        return self

    @property
    def file_format(self) -> str:
        """jsonl or csv, by the file's name where it is not said."""
        named = self.path is not None and self.path.suffix.lower() in (".csv", ".tsv")
        return self.format or ("csv" if named else "jsonl")


class Settings(Section):
    """All of it. `page` is the live page's own section, read by the front door."""

    service: ServiceSettings = ServiceSettings()
    pack: str = "power"
    baselines: Path | None = None
    sources: tuple[SourceSettings, ...] = ()
    spots: tuple[dict[str, Any], ...] = ()
    page: dict[str, Any] = Field(default_factory=dict)
    grafana: dict[str, Any] = Field(default_factory=dict)  # also the dashboards' own
    kafka: KafkaSettings | None = None  # of `worker` and `produce`
    notify: NotifySettings = NotifySettings()  # out of `[channels.…]`, `[[routes]]` and `[notify]`

    @model_validator(mode="after")
    def _sources_fit(self) -> Settings:
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sources: {', '.join(twice)} named twice")
        if sum(source.kind == "stdin" for source in self.sources) > 1:
            raise ValueError("sources: one of kind = 'stdin' at most")
        return self

    @property
    def files(self) -> tuple[SourceSettings, ...]:
        """The followed files, by partition from 1."""
        return tuple(source for source in self.sources if source.kind == "file")


def load_settings(path: Path, environ: Mapping[str, str] = os.environ, *, missing_baselines: bool = False) -> Settings:
    """The settings of a TOML file and the environment; paths are relative to the file. Raises SettingsError.

    `missing_baselines`: the file named by `baselines` need not exist, because it is about to be written.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not TOML: {error}"]) from None
    problems = _misshapen(data)
    problems += [f"service.{key}: a secret: set {PREFIX}SERVICE_{key.upper()}{' or token_file' if key == 'token' else ''} instead"
                for key in ("token", "secret") if key in _table(data, "service")]  # fmt: skip
    if "password" in _table(data, "kafka"):
        problems.append(f"kafka.password: a secret: set {PREFIX}KAFKA_PASSWORD or password_file instead")
    if "token" in _table(data, "grafana"):
        problems.append(f"grafana.token: a secret: set {PREFIX}GRAFANA_TOKEN or token_file instead")
    _overlay(data, environ)
    notify, wrong = read_notify(data, environ, path.parent)
    problems += wrong
    try:
        settings = Settings.model_validate({**data, "notify": notify})
    except ValidationError as error:
        raise SettingsError(
            problems + [error_line(one["loc"], one["msg"], one["input"]) for one in error.errors()]
        ) from None
    settings = _beside(settings, path.parent)
    problems += _checked(settings, missing_baselines)
    if problems:
        raise SettingsError(problems)
    return settings


def _misshapen(data: dict[str, Any]) -> list[str]:
    """What should be a section and is not; it is taken out, so that all else can be checked."""
    single = {name: f"{name}: a section is meant: [{name}{'.NAME' if name == 'channels' else ''}]"
              for name in SECTIONS & data.keys() if not isinstance(data[name], dict)}  # fmt: skip
    several = {name: f"{name}: each is a section of its own: [[{name}]]"
               for name in LISTS & data.keys() if not all(isinstance(one, dict) for one in _listed(data[name]))}  # fmt: skip
    for name in (*single, *several):
        del data[name]
    return sorted((single | several).values())


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _table(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name, {})
    return found if isinstance(found, dict) else {}


def _overlay(data: dict[str, Any], environ: Mapping[str, str]) -> None:
    """OVERHEARD_PACK, OVERHEARD_SERVICE_PORT, OVERHEARD_PAGE_TITLE … over what the file says."""
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX):
            continue
        key = name.removeprefix(PREFIX).lower()
        section, _, rest = key.partition("_")
        if section in ("service", "page", "kafka", "notify", "grafana") and rest:
            data[section] = {**_table(data, section), rest: value}
        elif key in ("pack", "baselines"):
            data[key] = value


def _beside(settings: Settings, folder: Path) -> Settings:
    """Relative paths are meant from where the file lies."""

    def at(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    service = settings.service
    service = service.model_copy(update={"data": at(service.data), "token_file": at(service.token_file)})
    sources = tuple(source.model_copy(update={"path": at(source.path)}) for source in settings.sources)
    pack = settings.pack
    pack = str(folder / pack) if pack.endswith(".toml") else pack
    kafka = settings.kafka
    if kafka is not None:
        files = ("password_file", "ca_file", "certificate_file", "key_file")
        kafka = kafka.model_copy(update={name: at(getattr(kafka, name)) for name in files})
    grafana = dict(settings.grafana)
    if isinstance(grafana.get("token_file"), str):
        grafana["token_file"] = at(Path(grafana["token_file"]))
    update = {
        "grafana": grafana,
        "kafka": kafka,
        "service": service,
        "sources": sources,
        "baselines": at(settings.baselines),
        "pack": pack,
    }
    return settings.model_copy(update=update)


def _checked(settings: Settings, missing_baselines: bool) -> list[str]:
    """What only the machine can tell: files that must be there, a token where others can reach the service."""
    problems = []
    service = settings.service
    try:
        token = service.read_token()
    except OSError as error:
        token = ""
        problems.append(f"service.token_file: {error.filename}: {error.strerror}")
    if token is None and not service.loopback:
        problems.append(f"service.token_file: required because {service.host} can be reached from other machines")
    if token is not None and 0 < len(token) < 16:
        problems.append("service.token_file: the token is shorter than 16 characters")
    if settings.kafka is not None:
        problems += settings.kafka.problems()
        if not settings.kafka.loopback and service.secret is None:
            problems.append(f"service.secret: all workers must have the same: set {PREFIX}SERVICE_SECRET")
    if settings.baselines is not None and not missing_baselines and not settings.baselines.is_file():
        problems.append(f"baselines: no such file: {settings.baselines}")
    return problems
