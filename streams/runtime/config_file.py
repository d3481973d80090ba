"""How every command reads the configuration file: the settings, or an exit that names each error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


def read_config(path: Path, check: Callable[[Settings], list[str]] | None = None) -> Settings:
    """The settings, or exit 2 with every error; `check` finds those of settings that can be read."""
    from streams.runtime.section import SettingsError
    from streams.runtime.settings import load_settings

    try:
        settings = load_settings(path)
        problems = check(settings) if check else []
    except SettingsError as error:
        problems = error.problems
    if problems:
        click.echo(f"{path}: {len(problems)} {'error' if len(problems) == 1 else 'errors'}", err=True)
        for line in problems:
            click.echo(f"  {line}", err=True)
        sys.exit(2)
    return settings
