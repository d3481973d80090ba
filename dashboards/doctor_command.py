"""`overheard doctor`: every configured server and channel, a line each: what is wrong and what to do."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboards.service_page import problems
from streams.runtime.config_file import read_config

if TYPE_CHECKING:
    from streams.runtime.doctor import Finding
    from streams.runtime.settings import Settings


@click.command("doctor")
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The service's TOML file."
)
def doctor_command(config: Path) -> None:
    """Check all that the configuration names, and say in a line each what is wrong and what to do. Changes and sends nothing.

    Exit code 0: all is well; 1: something is not; 2: the configuration cannot be read.
    """
    settings = read_config(config, problems)
    found = asyncio.run(_looked_at(settings))
    for one in found:
        click.echo(f"{'ok   ' if one.good else 'WRONG'} {one.what}: {one.says}")
    wrong = sum(not one.good for one in found)
    click.echo("all is well" if not wrong else f"{wrong} of {len(found)} {'is' if wrong == 1 else 'are'} wrong")
    sys.exit(1 if wrong else 0)


async def _looked_at(settings: Settings) -> list[Finding]:
    from streams.runtime import doctor, doctor_servers

    found = [doctor.clock(time.time()), doctor.pack(settings.pack), doctor.disk(settings), await doctor.port(settings)]
    found += doctor.readable(settings.baselines, "baselines")
    found += [doctor.source(one) for one in settings.files]
    asked = [doctor.channel(name, one) for name, one in settings.notify.channels.items()]
    if settings.kafka is not None:
        asked.append(doctor_servers.kafka(settings.kafka))
    asked.append(_grafana(settings))
    found += await asyncio.to_thread(doctor_servers.store, settings.service.store_url)
    return found + [one for answers in await asyncio.gather(*asked) for one in answers]


async def _grafana(settings: Settings) -> list[Finding]:
    """Whether Grafana answers and takes the token; nothing where none is configured."""
    from dashboards.grafana.server import GrafanaError, Server
    from dashboards.grafana.settings import grafana_settings
    from streams.runtime.doctor import Finding
    from streams.runtime.section import SettingsError

    grafana = grafana_settings(settings)
    if grafana is None:
        return []
    try:
        async with Server(grafana, grafana.read_token()) as server:
            await server.listed("its folders", server.client.GET("/folders", params={"limit": "1"}))
    except SettingsError as error:
        return [Finding("grafana", False, line) for line in error.problems]
    except GrafanaError as error:
        return [Finding("grafana", False, str(error))]
    return [Finding("grafana", True, f"{grafana.url} takes the token")]
