"""What sections of the configuration share: strictness, and errors that name their key."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

PREFIX = "OVERHEARD_"


class SettingsError(ValueError):
    """The configuration cannot be used; `problems` has one line for each error, naming its key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    """Unknown keys are errors: a misspelt key must not be a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def zone_name(name: str) -> str:
    """The name of a time zone that exists. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no such time zone: {name!r}") from error
    return name


def error_line(place: tuple[int | str, ...], message: str, given: object) -> str:
    """`service.port: input should be …, not 'x'`; a message of ours already names what is wrong."""
    key = ".".join(str(part) for part in place)
    message = message.removeprefix("Value error, ")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float) and "token" not in key else ""
    return f"{key}: {message[0].lower()}{message[1:]}{shown}" if key else message
