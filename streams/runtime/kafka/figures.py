"""What a worker shows of itself on the loopback: `/metrics`, `/healthz` (progress), `/readyz` (partitions owned and restored)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from streams.runtime.exporter import Exporter, Figures
from streams.runtime.kafka.counted import Counted
from streams.runtime.kafka.detect_agent import DetectStage
from streams.runtime.kafka.intake_agent import IntakeStage

if TYPE_CHECKING:
    from streams.runtime.kafka.worker import Worker


def figures(worker: Worker) -> Figures:
    """The metrics of the moment."""
    found: Figures = dict(worker.totals.figures)
    owned = worker.stages.owned
    for tp, stage in owned.items():
        where = (tp.topic, str(tp.partition))
        found["records_taken_total", where] = stage.records
        found["redelivered_total", where] = stage.redelivered
        if isinstance(stage, Counted):
            found["snapshot_bytes", ()] = max(found.get(("snapshot_bytes", ()), 0.0), stage.snapshot_bytes)
        if isinstance(stage, IntakeStage):
            intake = stage.intake.intake
            found["dedupe_reach_seconds", (str(tp.partition),)] = intake.seen.reach_seconds(intake.watermark.newest)
        if isinstance(stage, DetectStage):
            detect = stage.detect.detect
            found["last_close_seconds", ()] = detect.closed_until
            found["sources_blind", ()] = len(detect.sources.blind(detect.closed_until))
            marks = [pending.watermark for pending in detect.partitions.pending.values()]
            found["watermark_seconds", ()] = min(marks, default=-math.inf)
            for state in ("signal", "suspected", "confirmed"):
                found["open_incidents", (state,)] = sum(one.state == state for one in detect.alerts.open)
    if worker.desks.desk is not None:
        found |= worker.desks.desk.sending.figures()
    found["partitions_owned", ()] = len(owned)
    found["restore_seconds", ()] = worker.stages.restore_seconds
    if worker.watchdog.lag is not None:
        found["backlog_entries", ()] = worker.watchdog.lag
    found["healthy", ()] = 0.0 if red(worker) else 1.0
    return {key: value for key, value in found.items() if math.isfinite(value)}


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
    exporter = Exporter(lambda: figures(worker))

    @routes.get("/metrics")
    async def metrics() -> Response:
        text, kind = exporter.text()
        return Response(text, media_type=kind)

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
