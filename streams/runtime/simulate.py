"""`overheard simulate`: complaints with known disruptions into a file, their labels beside it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec
from rich.progress import Progress

from streams.pack import load_pack
from streams.scenarios import SCENARIOS
from streams.simulator import Scenario, Simulator
from streams.taxonomy import Taxonomy


def simulator(scenario: Scenario, seed: int) -> Simulator:
    """A simulator that speaks the phrases of the scenario's pack."""
    keywords = Taxonomy(load_pack(scenario.pack))
    return Simulator(scenario, [(keywords.id(leaf), said) for leaf, said in keywords.sayings().items() if said], seed)


@click.command()
@click.option("--scenario", type=click.Choice(sorted(SCENARIOS)), required=True, help="What happens.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A .jsonl or .jsonl.gz file."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--days", type=float, help="Scored days, instead of the scenario's.")
@click.option("--learn-days", type=float, help="Ordinary days before them, instead of the scenario's.")
@click.option("--per-hour", type=float, help="Complaints an hour, instead of the scenario's.")
@click.option("--until-now", is_flag=True, help="Move it so that its last whole hour is the one that ended last.")
def simulate(
    scenario: str,
    out: Path,
    seed: int,
    days: float | None,
    learn_days: float | None,
    per_hour: float | None,
    until_now: bool,
) -> None:
    """Write complaints with known disruptions to FILE, and their labels to FILE's name with .labels.json."""
    changes = {"days": days, "learn_days": learn_days, "per_hour": per_hour}
    chosen = msgspec.structs.replace(
        SCENARIOS[scenario], **{key: value for key, value in changes.items() if value is not None}
    )
    span = (chosen.learn_days + chosen.days) * 86400
    if until_now:
        chosen = msgspec.structs.replace(chosen, start=(time.time() - span) // 3600 * 3600)
    made = simulator(chosen, seed)
    count = 0
    with _writing(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=span)
        for arrival, line in made.records():
            file.write(line + b"\n")
            count += 1
            if count % 5_000 == 0:
                progress.update(task, completed=arrival - chosen.start)
    labels = labels_path(out)
    labels.write_text(json.dumps(made.labels(), indent=1) + "\n", encoding="utf-8")
    click.echo(f"{count:,} records in {out}, {len(made.labels())} disruptions in {labels}")


def labels_path(out: Path) -> Path:
    """`complaints.jsonl.gz` has its labels in `complaints.labels.json`."""
    return out.with_name(out.name.removesuffix(".gz").removesuffix(".jsonl") + ".labels.json")


@contextmanager
def _writing(path: Path) -> Iterator[IO[bytes]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".gz":
        with path.open("wb") as plain:
            yield plain
        return
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed:
        yield packed  # type: ignore[misc] # a GzipFile writes bytes like any other file
