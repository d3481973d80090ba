"""Commands of the service: run it, check its configuration, and what people do about incidents, from a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from streams.runtime.audit_commands import commands as audit_commands
from streams.runtime.config_file import read_config
from streams.runtime.drill_command import drill_command
from streams.runtime.feedback_commands import commands as feedback_commands
from streams.runtime.incident_commands import commands as incident_commands
from streams.runtime.kafka.commands import commands as kafka_commands
from streams.runtime.notify_commands import notify
from streams.runtime.settings import Settings
from streams.runtime.standing_commands import commands as standing_commands

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The service's TOML file.",
)


class Page(NamedTuple):
    """What the front door adds to `run`, as `ctx.obj`: the page's own checks, and how it is put on the app."""

    problems: Callable[[Settings], list[str]]
    mount: Callable[[Any, Any], None]  # (FastAPI, Service)


@click.command("run")
@CONFIG
@click.option(
    "--past-damage", is_flag=True, help="Go on behind damage in the journal; what stood there is not counted."
)
@click.pass_obj
def run_command(page: Page | None, config: Path, past_damage: bool) -> None:
    """Listen to the configured sources, count, tell; the page is on service.host and service.port."""
    settings = read_config(config, page and page.problems)
    from sqlalchemy.exc import SQLAlchemyError

    from streams.runtime.embedded import Service
    from streams.runtime.journal import JournalDamagedError
    from streams.runtime.lock import Lock, LockedError
    from streams.runtime.logs import configure
    from streams.runtime.serving import PortTakenError, bind, run
    from streams.runtime.store.migrations import StoreError

    configure()
    service = settings.service
    try:
        lock = Lock(service.data)
        bound = bind(service.host, service.port)
        built = Service(settings, lock=lock, past_damage=past_damage)
    except (LockedError, PortTakenError, StoreError, JournalDamagedError, ValueError) as error:
        click.echo(f"overheard: {error}", err=True)
        sys.exit(2)
    except (OSError, SQLAlchemyError) as error:
        click.echo(f"overheard: cannot start: {error}", err=True)
        sys.exit(2)
    run(built, bound, page.mount if page else None)


@click.command("serve")
@CONFIG
@click.pass_obj
def serve_command(page: Page | None, config: Path) -> None:
    """Show page and API of a deployment on Kafka, over the store its workers write."""
    settings = read_config(config, page and page.problems)
    if settings.kafka is None:
        raise click.ClickException(
            "serve shows what workers on Kafka write: [kafka] is missing. `overheard run` has a page of its own"
        )
    import asyncio

    from fastapi import FastAPI
    from sqlalchemy.exc import SQLAlchemyError

    from streams.runtime.kafka.page_service import PageService, alive
    from streams.runtime.logs import configure
    from streams.runtime.serving import PortTakenError, bind, serve
    from streams.runtime.store.migrations import StoreError

    configure()
    try:
        bound = bind(settings.service.host, settings.service.port)
        service = PageService(settings)
    except (PortTakenError, StoreError, ValueError, OSError, SQLAlchemyError) as error:
        click.echo(f"overheard: cannot start: {error}", err=True)
        sys.exit(2)
    app = FastAPI(title="overheard", openapi_url=None)
    app.include_router(alive(service))
    if page is not None:
        page.mount(app, service)
    asyncio.run(serve(app, service, bound))


@click.command("check-config")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def check_command(page: Page | None, path: Path) -> None:
    """Tell every error of a configuration at once, each with its key."""
    settings = read_config(path, page and page.problems)
    from streams.pack import PackError, load_pack
    from streams.places import Places
    from streams.runtime.notify_commands import route_problems, told_lines
    from streams.taxonomy import Taxonomy

    try:
        pack = load_pack(settings.pack)
    except (PackError, OSError) as error:
        click.echo(f"{path}: 1 error\n  pack: {error}", err=True)
        sys.exit(2)
    places = Places.load(settings.spots)
    if problems := route_problems(settings.notify.routes, places, Taxonomy(pack)):
        click.echo(
            f"{path}: {len(problems)} error{'s' if len(problems) > 1 else ''}\n  " + "\n  ".join(problems), err=True
        )
        sys.exit(2)
    ways = ", ".join(f"{one.name} ({one.kind})" for one in settings.sources) or "HTTP alone"
    click.echo(f"{path}: good. Pack {pack.name}, sources: {ways}, data in {settings.service.data}.")
    for line in told_lines(settings.notify, places):
        click.echo(f"  {line}")


commands: list[click.Command] = [
    run_command,
    serve_command,
    check_command,
    *incident_commands,
    *standing_commands,
    *feedback_commands,
    *audit_commands,
    notify,
    drill_command,
    *kafka_commands,
]
