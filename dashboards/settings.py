"""Settings of the page and the API."""

from __future__ import annotations

from ipaddress import ip_address
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator


class PageSettings(BaseModel):
    """Where the page is served, to whom, and how it speaks. Tokens come by environment or file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "overheard"
    host: str = "127.0.0.1"
    port: int = 8080
    token: SecretStr | None = None  # role operations; required unless host is a loopback address
    public_token: SecretStr | None = None  # role public: rounded counts, nothing to change
    timezone: str = "UTC"  # used until the viewer's own zone is known, and for "today"
    author: str = "operator"  # signs acts of viewers who gave no name
    refresh_seconds: float = 1.0
    lateness_seconds: float = 60.0  # the service's own: which windows had closed at a past moment
    hosts: tuple[str, ...] = ()  # further names the page is reached by, besides host and loopback

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no such time zone: {name!r}") from error
        return name

    @model_validator(mode="after")
    def _token_off_loopback(self) -> PageSettings:
        if not self.loopback and self.token is None:
            raise ValueError(f"token: required because {self.host} can be reached from other machines")
        return self
