"""Ours: the worker as it is deployed, all stages in one process; or, as the same work as the peers', INTAKE alone without what they do not do.

Its figures are taken when everything is counted, detected, in the store, and in a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from work import Meter, job

from benchmarks.pipeline import SameWork
from streams.intake import Intake
from streams.runtime.embedded import pipeline_config
from streams.runtime.kafka import app as app_module
from streams.runtime.kafka import topics
from streams.runtime.kafka.cluster import KafkaCluster
from streams.runtime.kafka.intake_agent import IntakeEngine
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.worker import Worker
from streams.runtime.settings import ServiceSettings, Settings

work = job()
meter = Meter(work._replace(events=None))


class SameWorkKit(Kit):
    """INTAKE with decode, match, count and close alone: no dedupe, copies, voices, evidence or place names."""

    def intake(self, partition: int) -> Intake:
        return SameWork(self.pipeline.intakes[0].config, partition)


def _counting(take: Any) -> Any:
    def counted(self: IntakeEngine, records: Sequence[Any]) -> Any:
        meter.add(len(records))
        return take(self, records)

    return counted


async def report_when_done(worker: Worker) -> None:
    """After the last complaint: what follows from it done, snapshots written."""
    while meter.done < (work.events or 0):
        await asyncio.sleep(0.05)
    while True:
        owned = {tp: stage.next_offset for tp, stage in worker.stages.owned.items()}
        ends = {tp: (await worker.cluster.bounds(tp.topic, tp.partition))[1] for tp in owned}
        if all(owned[tp] >= ends[tp] for tp in owned if tp.topic != topics.COMPLAINTS.full(work.group)):
            break
        await asyncio.sleep(0.05)
    await worker.stages.end()
    meter.report()


async def main() -> None:
    settings = Settings(
        pack=work.options["pack"],
        service=ServiceSettings(data=Path(work.folder) / "var", idle_tick_seconds=0),
        kafka=KafkaSettings(brokers=(work.address,), prefix=work.group, partitions=work.partitions),
    )
    settings.service.data.mkdir(exist_ok=True)
    kit = (Kit if work.options["everything"] else SameWorkKit)(pipeline_config(settings), b"benchmark")
    worker = Worker(settings, pipeline_config(settings), kit, KafkaCluster(settings.kafka))
    worker.catch_signals()
    if work.events is not None:
        asyncio.get_running_loop().create_task(report_when_done(worker))
    await worker.run()


IntakeEngine.take = _counting(IntakeEngine.take)
if not work.options["everything"]:
    app_module.detect_agent.agent = lambda *_: None
    app_module.deliver_agent.agent = lambda *_: None
asyncio.run(main())
