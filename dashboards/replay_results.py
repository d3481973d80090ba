"""Runs one replay and writes what it gave: incidents.jsonl, cells.csv.gz, evaluation.json, report.html. The same input gives the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from alerting.model import Control, iso
from dashboards.report import in_short, render
from dashboards.report_data import Report, Settings, gather, people_by_place
from streams.evaluation import Evaluation, evaluate
from streams.labels import Label
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.event_order import Progress
from streams.runtime.files import Source
from streams.runtime.garbage import collect_rarely
from streams.runtime.replay import MAX_DEAD_SHARE, Replayed, replay, told_reasons


class Job(NamedTuple):
    """What to replay, and how it was asked for."""

    inputs: Sequence[Source]
    config: PipelineConfig
    labels: Sequence[Label]
    controls: Sequence[Control]
    settings: Settings


class Done(NamedTuple):
    """What came of it."""

    sentence: str
    evaluation: Evaluation
    warning: str | None  # more dead letters than a result should rest on
    notices: list[str]


def run(job: Job, folder: Path, progress: Progress = lambda *_: None) -> Done:
    """Replays and fills `folder`. Raises FileError, PackError."""
    pipeline = Pipeline(job.config)
    collect_rarely()
    with tempfile.TemporaryDirectory(prefix=".replay-", dir=folder.parent) as scratch:
        replayed = replay(
            job.inputs, pipeline, Path(scratch), labels=job.labels, controls=job.controls, progress=progress
        )
        people = people_by_place(replayed, pipeline)
        evaluation = evaluate(job.labels, replayed.incidents, replayed.weeks, people, replayed.misses)
        notices = [text for one in job.inputs for text in one.notices.values()]
        report = gather(replayed, pipeline, evaluation, people, job.settings, notices)
        _write(folder, replayed, pipeline, evaluation, report)
    dead = replayed.dead_letters
    warning = None
    if dead > MAX_DEAD_SHARE * replayed.records:
        warning = f"{dead:,} of {replayed.records:,} records could not be counted ({100 * dead / replayed.records:.0f} %): {told_reasons(replayed)}"
    return Done(in_short(report), evaluation, warning, notices)


def _write(folder: Path, replayed: Replayed, pipeline: Pipeline, evaluation: Evaluation, report: Report) -> None:
    lines = (msgspec.json.encode(one.to_json()) + b"\n" for one in replayed.incidents)
    (folder / "incidents.jsonl").write_bytes(b"".join(lines))
    replayed.spool.write_csv(folder / "cells.csv.gz", pipeline.places, pipeline.keywords)
    told = msgspec.json.format(msgspec.json.encode(evaluation_data(replayed, pipeline, evaluation)), indent=1)
    (folder / "evaluation.json").write_bytes(told + b"\n")
    (folder / "report.html").write_text(render(report), "utf-8", newline="\n")


def evaluation_data(replayed: Replayed, pipeline: Pipeline, evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation with what it rests on: records, dead letters, times, settings."""
    return {
        "records": replayed.records,
        "dead_letters": {reason: one.count for reason, one in sorted(replayed.dead.items())},
        "first": iso(replayed.first),
        "last": iso(replayed.last),
        "pack": pipeline.pack.name,
        "budget_per_week": pipeline.config.budget_per_week,
        "configuration": pipeline.digest,
        **msgspec.to_builtins(evaluation),
    }
