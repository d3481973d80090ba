"""What a worker shows of itself on the loopback: `/metrics`, `/healthz` (progress), `/readyz` (partitions owned and restored)."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from streams.metrics import MOST_SERIES
from streams.runtime.exporter import Figures, detect_figures, exposition, health_figures, series_figures
from streams.runtime.kafka.counted import Counted
from streams.runtime.kafka.detect_agent import DetectStage
from streams.runtime.kafka.intake_agent import IntakeStage

if TYPE_CHECKING:
    from streams.runtime.kafka.desk import Desk
    from streams.runtime.kafka.worker import Worker


def figures(worker: Worker) -> Figures:
    """The metrics of the moment, but for the series."""
    found: Figures = dict(worker.totals.figures)
    owned = worker.stages.owned
    for tp, stage in owned.items():
        where = (tp.topic, str(tp.partition))
        found["records_taken_total", where] = stage.records
        found["redelivered_total", where] = stage.redelivered
        if isinstance(stage, Counted):
            for name, value in (("snapshot_bytes", stage.snapshot_bytes), ("snapshot_age_seconds", stage.snapshot_age)):
                found[name, ()] = max(found.get((name, ()), 0.0), value)
        if isinstance(stage, IntakeStage):
            intake = stage.intake.intake
            found["dedupe_reach_seconds", (str(tp.partition),)] = intake.seen.reach_seconds(intake.watermark.newest)
        if isinstance(stage, DetectStage):
            detect = stage.detect.detect
            found |= detect_figures(detect, worker.totals)
            marks = [pending.watermark for pending in detect.partitions.pending.values()]
            found["watermark_timestamp_seconds", ()] = min(marks, default=-math.inf)
            found["windows_closed_total", ()] = stage.detect.windows_closed
            found["close_seconds_total", ()] = stage.engine_seconds
    if (desk := worker.desks.desk) is not None:
        found |= desk.sending.figures()
        found["commit_age_seconds", ()] = desk.commit_age
    found["partitions_owned", ()] = len(owned)
    found["restore_seconds", ()] = worker.stages.restore_seconds
    if worker.watchdog.lag is not None:
        found["backlog_entries", ()] = worker.watchdog.lag
    found |= health_figures(worker.health)
    found["healthy", ()] = 0.0 if red(worker) else 1.0
    return found


def text(found: Figures, desk: Desk | None) -> tuple[bytes, str]:
    """The exposition, in a thread: ranking and writing the series takes tens of milliseconds."""
    if desk is not None:
        found |= series_figures(desk.hour.ranked(MOST_SERIES), desk.places, desk.words.id)
    return exposition(found)


def red(worker: Worker) -> str | None:
    """What is broken, None while nothing is."""
    if worker.watchdog.stuck_seconds > worker.watchdog.seconds / 2:
        return f"{worker.watchdog.lag} records wait, and for {worker.watchdog.stuck_seconds:.0f} s none was taken"
    if worker.watchdog.lag is None and worker.stages.ready:
        return "the brokers do not answer"
    return worker.health.store


def router(worker: Worker) -> APIRouter:
    """The three routes."""
    routes = APIRouter()

    @routes.get("/metrics")
    async def metrics() -> Response:
        told, kind = await asyncio.to_thread(text, figures(worker), worker.desks.desk)
        return Response(told, media_type=kind)

    @routes.get("/healthz")
    async def healthz(response: Response) -> dict[str, Any]:
        broken = red(worker)
        response.status_code = 503 if broken else 200
        return {"red": broken, "lag": worker.watchdog.lag}

    @routes.get("/readyz")
    async def readyz(response: Response) -> dict[str, Any]:
        ready = worker.stages.ready
        response.status_code = 200 if ready else 503
        return {"ready": ready, "owned": sorted(f"{tp.topic}:{tp.partition}" for tp in worker.stages.owned)}

    return routes
