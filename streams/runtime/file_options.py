"""Options of the commands that read files of complaints: how a CSV file's columns become fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from streams.runtime.files import CsvOptions

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--map",
        "mapped",
        multiple=True,
        metavar="FIELD=COLUMN",
        help="CSV: the column of a field; id='*' makes ids from rows.",
    ),
    click.option("--source", help="CSV: the source of rows that name none, such as 311:houston."),
    click.option("--time-format", help="CSV: how created_at is written, as in strptime, where it is not ISO 8601."),
)


def csv_options(command: Command) -> Command:
    """--map, --source, --time-format."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_csv_options(given: dict[str, Any]) -> CsvOptions:
    """What was given for them. Raises click.BadParameter."""
    return CsvOptions(_columns(given["mapped"]), given["source"], given["time_format"])


def _columns(mapped: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for one in mapped:
        field, equals, column = one.partition("=")
        if not equals or not column:
            raise click.BadParameter(
                f"{one!r}: FIELD=COLUMN is wanted, as in created_at='Created At'", param_hint="--map"
            )
        columns[field.strip()] = column
    return columns
