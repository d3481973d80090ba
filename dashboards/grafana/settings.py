"""Where Grafana is and how it is spoken to: the section `grafana`. Its token comes by environment or file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator

from streams.runtime.section import Section, SettingsError, error_line
from streams.runtime.settings import Settings


class GrafanaSettings(Section):
    """`[grafana]`."""

    url: str
    token: SecretStr | None = None  # of a service account that may edit; only by OVERHEARD_GRAFANA_TOKEN
    token_file: Path | None = None
    folder: str = Field(default="overheard", min_length=1)  # the title of the dashboards' folder
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            found = urlsplit(url)
            port = found.port
        except ValueError as error:
            raise ValueError(f"not an address: {error}") from None
        if found.scheme not in ("http", "https") or not found.hostname or port == 0:
            raise ValueError("an address such as https://grafana.example.org is needed")
        if found.username or found.password or found.query or found.fragment:
            raise ValueError("scheme, host, port and path only: no user, password, ? or #")
        return url.rstrip("/")

    def read_token(self) -> str:
        """The token. Raises SettingsError when there is none or it cannot be read."""
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is None:
            raise SettingsError(
                ["grafana.token_file: required: a service account's token (or OVERHEARD_GRAFANA_TOKEN)"]
            )
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError([f"grafana.token_file: {self.token_file}: {error.strerror}"]) from None
        if not token.isascii() or not token.isprintable() or not token or " " in token:
            raise SettingsError([f"grafana.token_file: {self.token_file}: not one token on one line"])
        return token


def grafana_settings(settings: Settings, **given: object) -> GrafanaSettings | None:
    """The section with what was given beside it; None where neither says anything. Raises SettingsError."""
    said = {**settings.grafana, **{name: value for name, value in given.items() if value is not None}}
    if not said.keys() - {"token"}:
        return None
    try:
        return GrafanaSettings.model_validate(said)
    except ValidationError as error:
        lines = [error_line(("grafana", *one["loc"]), one["msg"], one["input"]) for one in error.errors()]
        raise SettingsError(lines) from None
