"""The command `replay`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from sqlalchemy.engine import make_url

from alerting.model import iso
from dashboards.replay_inputs import FileOrTopic, Moment, Topic, inputs
from dashboards.replay_inputs import controls as read_controls
from dashboards.replay_inputs import labels as read_labels
from streams.pipeline import PipelineConfig
from streams.runtime.event_order import Progress
from streams.runtime.file_options import csv_options
from streams.runtime.files import FileError
from streams.runtime.out_folder import SWEEP, FolderInTheWayError, check_replaceable, out_folder

DEAD_EXIT = 3
SWEEPABLE = {
    "budget": ("budget_per_week", float),
    "lateness": ("lateness_seconds", float),
    "window": ("window_seconds", int),
}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, type=FileOrTopic(), metavar="[FILE...|kafka://TOPIC]")
@click.option(
    "--store", metavar="URL", help="Instead of files: the complaints that the service of this store has kept."
)
@click.option("--from", "since", type=Moment(), help="Store, topic: only what arrived from then on (ISO 8601).")
@click.option("--to", "until", type=Moment(), help="Store, topic: only what arrived before.")
@click.option(
    "--config", "kafka_config", type=FILE, help="Topic: the deployment's TOML, which says where the brokers are."
)
@click.option("--pack", required=True, help="What to listen for: a shipped pack's name, or the path of a pack.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the results; replaced if a replay wrote it.",
)
@click.option("--labels", type=FILE, help="Known disruptions (JSON) to hold the incidents against.")
@click.option(
    "--controls", type=FILE, help="People's acts (JSON lines) to repeat: silences, feedback, planned events …"
)
@csv_options
@click.option("--timezone", help="Zone of times without one, such as America/Chicago; they are refused otherwise.")
@click.option(
    "--partitions",
    type=click.IntRange(1, 256),
    help="Route records as Kafka would: 1 if not given, for a topic as many as it has.",
)
@click.option(
    "--budget",
    default=0.25,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="False alerts allowed a week.",
)
@click.option(
    "--lateness", default=60.0, show_default=True, type=click.FloatRange(0), help="Seconds to wait for late records."
)
@click.option("--window", type=click.IntRange(10, 86400), help="Base window in seconds; the pack's own if not given.")
@click.option("--detector", default="default", show_default=True, help="A registered detector.")
@click.option(
    "--sweep", metavar="NAME=A,B,…", help=f"Replay once per value and compare; NAME is {', '.join(SWEEPABLE)}."
)
def replay(
    files: tuple[Path | Topic, ...],
    out: Path,
    labels: Path | None,
    controls: Path | None,
    sweep: str | None,
    **given: Any,
) -> None:
    """Hear old complaints again and report what would have been told, and when.

    Files are JSON lines or CSV, plain or gzip, in any order; several merge. A topic gives what its records in a file would.
    Writes incidents.jsonl, cells.csv.gz, evaluation.json and report.html.
    """
    from dashboards.replay_results import Job

    with _told(), inputs(files, given) as opened:
        given["partitions"] = given["partitions"] or opened.partitions
        check_replaceable(out)
        acts = opened.controls if controls is None else read_controls(controls)
        settings = _settings(files, labels, controls, given)
        for text in opened.notices:
            click.echo(f"note: {text}", err=True)
        job = Job(opened.sources, _config(given), read_labels(labels), acts, settings)
        warning = _sweep(job, out, sweep) if sweep else _single(job, out)
    if warning:
        click.echo(f"error: {warning}", err=True)
        sys.exit(DEAD_EXIT)


def _single(job: Any, out: Path) -> str | None:
    from dashboards.replay_results import run

    with out_folder(out) as folder, _progress() as progress:
        done = run(job, folder, progress)
    for notice in done.notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(done.sentence)
    click.echo(f"Report: {out / 'report.html'}")
    return done.warning


def _sweep(job: Any, out: Path, sweep: str) -> str | None:
    from dashboards.replay_results import run
    from dashboards.sweep import Swept, show

    name, values = _swept(sweep)
    rows: list[Swept] = []
    warning = None
    with out_folder(out) as folder:
        for value in values:
            within = folder / f"{name}-{value:g}"
            within.mkdir()
            config = msgspec.structs.replace(job.config, **{SWEEPABLE[name][0]: SWEEPABLE[name][1](value)})
            settings = job.settings._replace(command=f"{job.settings.command} --{name} {value:g}")
            with _progress(f"{name} {value:g}: ") as progress:
                done = run(job._replace(config=config, settings=settings), within, progress)
            rows.append(Swept.of(name, value, done.evaluation))
            warning = done.warning or warning
        (folder / SWEEP).write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")
    show(rows)
    click.echo(f"Reports: {out}/{name}-…/report.html")
    return warning


def _swept(sweep: str) -> tuple[str, list[float]]:
    name, _, listed = sweep.partition("=")
    if name not in SWEEPABLE:
        raise click.BadParameter(
            f"{name!r}: one of {', '.join(SWEEPABLE)} can be swept, as in budget=1,3,10", param_hint="--sweep"
        )
    try:
        values = [float(value) for value in listed.split(",")]
    except ValueError:
        raise click.BadParameter(
            f"{listed!r} is not a list of numbers, as in budget=1,3,10", param_hint="--sweep"
        ) from None
    return name, list(dict.fromkeys(values))


def _config(given: dict[str, Any]) -> PipelineConfig:
    if given["timezone"]:
        try:
            ZoneInfo(given["timezone"])
        except (KeyError, ValueError, OSError):
            raise click.BadParameter(f"no such time zone: {given['timezone']!r}", param_hint="--timezone") from None
    return PipelineConfig(
        pack=given["pack"],
        window_seconds=given["window"],
        lateness_seconds=given["lateness"],
        budget_per_week=given["budget"],
        partitions=given["partitions"],
        detector=given["detector"],
        timezone=given["timezone"],
    )


def _settings(
    files: tuple[Path | Topic, ...], labels: Path | None, controls: Path | None, given: dict[str, Any]
) -> Any:
    """The call as it can be repeated: names instead of paths, and only what differs from the defaults."""
    from dashboards.report_data import Settings

    words = ["overheard", "replay", *(path.name for path in files)]
    words += ["--store", make_url(given["store"]).render_as_string()] if given["store"] else []
    for option, moment in (("--from", given["since"]), ("--to", given["until"])):
        words += [] if moment is None else [option, iso(moment)]
    words += ["--pack", given["pack"]]
    for option, path in (("--labels", labels), ("--controls", controls)):
        words += [option, path.name] if path else []
    for one in given["mapped"]:
        words += ["--map", one]
    defaults = {parameter.name: parameter.default for parameter in replay.params} | {"partitions": 1}
    for name in ("source", "time_format", "timezone", "partitions", "budget", "lateness", "window", "detector"):
        if given[name] is not None and given[name] != defaults[name]:
            value = given[name]
            words += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else str(value)]
    return Settings(
        shlex.join([*words, "--out", "DIR"]),
        tuple(path.name for path in files),
        labels.name if labels else None,
        controls.name if controls else None,
    )


@contextmanager
def _told() -> Iterator[None]:
    """Errors a user can mend, in their own words and without a traceback."""
    from streams.pack import PackError

    try:
        yield
    except (FileError, FolderInTheWayError, PackError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _progress(prefix: str = "") -> Iterator[Progress]:
    """A bar on standard error while something is done there; silent where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(prefix + stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield told
