"""The front door: collects each package's commands under one name."""

from __future__ import annotations

import click
from dashboards.commands import commands as dashboard_commands
from streams.runtime.commands import commands as stream_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="overheard")
def main() -> None:
    """Hears disruptions in public complaints before the dashboards turn red."""


for command in (*stream_commands, *dashboard_commands):
    main.add_command(command)

if __name__ == "__main__":
    main()
