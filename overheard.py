"""The front door: collects each package's commands, and puts runner, page and store together."""

from __future__ import annotations

import click

from dashboards.commands import commands as dashboard_commands
from dashboards.service_page import problems, put_on
from streams.runtime.commands import Page
from streams.runtime.commands import commands as stream_commands
from streams.runtime.learn import learn
from streams.runtime.produce_command import produce_command
from streams.runtime.simulate import simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="overheard")
@click.pass_context
def main(context: click.Context) -> None:
    """Hears disruptions in public complaints before the dashboards turn red."""
    context.obj = Page(problems, put_on)


for command in (*stream_commands, learn, produce_command, simulate, *dashboard_commands):
    main.add_command(command)

if __name__ == "__main__":
    main()
