"""`overheard learn`: history through the pipeline, and what it taught into the file that `run` begins with."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import msgspec
from rich.progress import Progress

from streams.runtime.garbage import collect_rarely
from streams.runtime.section import SettingsError
from streams.runtime.settings import Settings, load_settings

BASELINES = "baselines"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The service's TOML file."
)
def learn(files: tuple[Path, ...], config: Path) -> None:
    """Learn what is usual from FILES, so that `run` need not begin from nothing: writes the file that `baselines` names."""
    from streams.pipeline import Pipeline
    from streams.runtime.embedded import pipeline_config
    from streams.runtime.files import FileError, Input
    from streams.runtime.replay import replay

    try:
        settings = load_settings(config, missing_baselines=True)
    except SettingsError as error:
        for line in error.problems:
            click.echo(f"  {line}", err=True)
        sys.exit(2)
    if settings.baselines is None:
        click.echo(f"{config}: set `baselines` to the file that is to be written", err=True)
        sys.exit(2)
    pipeline = Pipeline(msgspec.structs.replace(pipeline_config(_unprimed(settings)), partitions=1))
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder, Progress(transient=True) as progress:
        task = progress.add_task("learning", total=None)
        try:
            heard = replay(
                [Input(path) for path in files],
                pipeline,
                Path(folder),
                progress=lambda _, done, total: progress.update(task, completed=done, total=total or None),
            )
        except FileError as error:
            click.echo(f"overheard: {error}", err=True)
            sys.exit(2)
        learnt = pipeline.baselines()
    partial = settings.baselines.with_name(settings.baselines.name + ".partial")
    partial.write_bytes(learnt)
    partial.replace(settings.baselines)
    click.echo(
        f"{heard.records:,} records over {heard.weeks:.1f} weeks: {settings.baselines} ({len(learnt) / 1024:,.0f} KiB)"
    )


def _unprimed(settings: Settings) -> Settings:
    return settings.model_copy(update={"baselines": None})
