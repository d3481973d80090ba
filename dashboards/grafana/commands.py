"""`overheard dashboards`: write Grafana's dashboards as files, put them and the incidents into a Grafana."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from alerting.model import Incident
    from dashboards.grafana.settings import GrafanaSettings
    from streams.runtime.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)
DAYS = 7


@click.group("dashboards")
def dashboards() -> None:
    """Grafana's dashboards as code."""


@dashboards.command("build")
@click.option("--out", type=FOLDER, help="Where to; those that come with overheard when not given.")
def build_command(out: Path | None) -> None:
    """Write the dashboards as JSON, for those who change them."""
    try:
        from dashboards.grafana.build import GENERATED, write
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is missing: make test installs it (requirements-dev.lock)") from None
    for path in write(out or GENERATED):
        click.echo(path)


@dashboards.command("push")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The service's TOML file.")
@click.option("--url", help="Of Grafana; [grafana] url of the configuration when not given.")
@click.option("--folder", type=FOLDER, help="Of dashboards; those that come with overheard when not given.")
@click.option("--incidents", is_flag=True, help=f"The incidents of the last {DAYS} days too, a region each.")
def push_command(config: Path | None, url: str | None, folder: Path | None, incidents: bool) -> None:
    """Put the dashboards into a Grafana; what was there under their uids is replaced.

    The token of a service account comes by OVERHEARD_GRAFANA_TOKEN or [grafana] token_file.
    """
    from dashboards.grafana.push import GENERATED
    from streams.runtime.config_file import read_config
    from streams.runtime.settings import Settings

    settings = read_config(config) if config else Settings()
    if incidents and config is None:
        raise click.UsageError("--incidents needs --config: it says where the store is")
    grafana, token = _grafana(settings, url)
    files = sorted((folder or GENERATED).glob("*.json"))
    if not files:
        raise click.ClickException(f"{folder}: no dashboards (*.json) there: overheard dashboards build --out {folder}")
    told = _told(settings) if incidents else []
    for line in asyncio.run(_push(grafana, token, files, told)):
        click.echo(line)


def _grafana(settings: Settings, url: str | None) -> tuple[GrafanaSettings, str]:
    import os

    from dashboards.grafana.settings import grafana_settings
    from streams.runtime.section import SettingsError

    try:
        token = os.environ.get("OVERHEARD_GRAFANA_TOKEN")
        found = grafana_settings(settings, url=url, token=token)
        if found is None:
            raise SettingsError(["grafana.url: required (or --url)"])
        return found, found.read_token()
    except SettingsError as error:
        raise click.ClickException("; ".join(error.problems)) from None


def _told(settings: Settings) -> list[Incident]:
    from sqlalchemy.exc import SQLAlchemyError

    from streams.runtime.store.migrations import StoreError, open_store
    from streams.runtime.store.reader import Reader

    try:
        engine = open_store(settings.service.store_url)
        found = Reader(engine).incidents(since=time.time() - DAYS * 86_400)
    except (StoreError, SQLAlchemyError) as error:
        raise click.ClickException(f"service.store: {str(error).splitlines()[0]}") from None
    return [one for one in found if one.suspected_at is not None and one.merged_into is None]


async def _push(grafana: GrafanaSettings, token: str, files: list[Path], incidents: list[Incident]) -> list[str]:
    from dashboards.grafana.push import push
    from dashboards.grafana.regions import upsert
    from dashboards.grafana.server import GrafanaError, Server

    try:
        async with Server(grafana, token) as server:
            lines = [
                f"{one.title}: {one.url} (version {one.version})" for one in await push(server, grafana.folder, files)
            ]
            for one in incidents:
                await upsert(server, one)
    except GrafanaError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, ValueError) as error:
        raise click.ClickException(f"not a dashboard: {error}") from None
    return lines + ([f"{len(incidents)} incidents as regions"] if incidents else [])
