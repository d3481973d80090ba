"""The command `produce`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress

from streams.runtime.file_options import csv_options, read_csv_options
from streams.runtime.files import CsvOptions, FileError, Input
from streams.runtime.kafka.options import CONFIG, read_kafka_config

if TYPE_CHECKING:
    from streams.runtime.produce import Produced
    from streams.runtime.settings import Settings


class Rate(click.ParamType):
    """`max`, or how many times faster than real time."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Times real time; None for `max`."""
        if value is None or value == "max" or isinstance(value, float):
            return None if value == "max" else value
        try:
            rate = float(value.removesuffix("x"))
        except ValueError:
            rate = 0.0
        if not 0 < rate < float("inf"):
            self.fail(f"{value!r}: max, or times real time, such as 1 or 60", param, ctx)
        return rate


@click.command("produce")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@CONFIG
@click.option(
    "--rate",
    type=Rate(),
    default="max",
    help="How fast: 1 is as it happened, 60 a minute a second, max (if not given) as fast as it goes.",
)
@click.option("--no-end", is_flag=True, help="More will follow: leave the last windows open.")
@csv_options
def produce_command(files: tuple[Path, ...], config: Path, rate: float | None, no_end: bool, **given: Any) -> None:
    """Send FILES to the deployment's topic of complaints, in order of event time, each record where its key belongs.

    Workers make of it the incidents that `replay --partitions N` makes of the files. They are told that it is history.
    """
    from aiokafka.errors import KafkaError

    from streams.pack import PackError
    from streams.runtime.kafka.cluster import TopicsMissingError

    settings = read_kafka_config(config)
    try:
        done = asyncio.run(_produced(files, settings, rate, not no_end, read_csv_options(given)))
    except (FileError, PackError, KafkaError, TopicsMissingError, OSError) as error:
        click.echo(f"overheard: {error or type(error).__name__}", err=True)
        sys.exit(2)
    click.echo(f"{done.records:,} records sent" + ("" if done.end is None else ", and the end of the input told"))
    if done.refused:
        click.echo(
            f"{done.refused:,} larger than the topic takes were not sent, the first: {done.first_refused}", err=True
        )


async def _produced(
    files: tuple[Path, ...], settings: Settings, rate: float | None, end: bool, options: CsvOptions
) -> Produced:
    from streams.pipeline import Pipeline
    from streams.runtime.embedded import pipeline_config
    from streams.runtime.kafka.cluster import KafkaCluster
    from streams.runtime.kafka.topics import COMPLAINTS
    from streams.runtime.produce import produce
    from streams.runtime.sender import Sender

    assert settings.kafka is not None
    cluster = KafkaCluster(settings.kafka)
    await cluster.begin()  # makes the topics
    await cluster.end()
    config = Pipeline(pipeline_config(settings)).intakes[0].config
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(transient=True, console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("sending", total=None)
        async with Sender(settings.kafka.client(), COMPLAINTS.full(settings.kafka.prefix)) as sender:
            return await produce(
                [Input(path, options) for path in files],
                sender,
                config,
                Path(folder),
                speed=rate,
                end=end,
                progress=lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total),
            )
