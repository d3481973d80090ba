"""What the commands on Kafka share: the configuration file, which must have a section `kafka`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.runtime.config_file import read_config

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

CONFIG = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The deployment's TOML file."
)


def read_kafka_config(path: Path) -> Settings:
    """The settings, which must have a section `kafka`; or exit 2 with every error."""
    return read_config(path, lambda settings: [] if settings.kafka else ["kafka: this section is missing"])
