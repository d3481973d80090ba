"""What the commands on Kafka share: the configuration file, which must have a section `kafka`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

CONFIG = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The deployment's TOML file."
)


def read_kafka_config(path: Path) -> Settings:
    """The settings, which must have a section `kafka`; or exit 2 with every error."""
    from streams.runtime.settings import SettingsError, load_settings

    try:
        settings = load_settings(path)
        problems = [] if settings.kafka else ["kafka: this section is missing"]
    except SettingsError as error:
        problems = error.problems
    if problems:
        click.echo(f"{path}: {len(problems)} {'error' if len(problems) == 1 else 'errors'}", err=True)
        for line in problems:
            click.echo(f"  {line}", err=True)
        sys.exit(2)
    return settings
