"""The topics of a deployment, as data: names, partitions, retention, compaction, and what stands on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

DAY_SECONDS = 86_400
MEBIBYTE = 1024 * 1024
MAX_RECORD_BYTES = MEBIBYTE  # of every topic; larger state goes in chunks


class Topic(NamedTuple):
    """One topic. Its full name is `prefix.name`; keys are deterministic, so what is sent again has the same key and bytes."""

    name: str
    holds: str
    key: str
    sized: bool = False  # as many partitions as the complaints have; one otherwise
    retention_seconds: int | None = 7 * DAY_SECONDS  # None: for ever
    compacted: bool = False
    append_time: bool = False  # timestamps are the broker's, not the sender's

    def full(self, prefix: str) -> str:
        """The name on the broker."""
        return f"{prefix}.{self.name}"

    def partitions(self, complaints: int) -> int:
        """How many partitions it is created with, given those of the complaints."""
        return complaints if self.sized else 1

    def config(self) -> Mapping[str, str]:
        """Kafka's topic configuration."""
        config = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "max.message.bytes": str(MAX_RECORD_BYTES),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
        }
        if not self.compacted:
            config["retention.ms"] = "-1" if self.retention_seconds is None else str(self.retention_seconds * 1000)
        return config


COMPLAINTS = Topic(
    "complaints",
    "complaints as their senders wrote them, ticks (header `overheard: tick`) and changes of the pack (`overheard: pack`)",
    "source NUL author, else source NUL id; ticks have none; pack:number",
    sized=True,
    append_time=True,
)
PARTS = Topic(
    "parts",
    "the rows of the windows each partition has closed, and people's controls: the log that incidents are a function of",
    "part:partition:seq:chunk, or control:id",
    append_time=True,
)
INCIDENTS = Topic(
    "incidents",
    "every revision of every incident",
    "id:revision",
    retention_seconds=None,
    compacted=True,
)
CELLS = Topic(
    "cells",
    "counts of closed windows with what was expected, late rows, and what each step ended with",
    "position:index, the offset in `parts` that gave it and its number",
)
SIGNALS = Topic("signals", "series that were unusual in a closed window", "start:place:keyword")
DEAD_LETTER = Topic(
    "dead-letter",
    "records that could not be counted, and why; holds what people wrote",
    "topic:partition:offset",
    append_time=True,
)
OUTREACH = Topic("outreach", "handles of people to answer; nothing is written here yet", "source NUL id")
SNAPSHOTS = Topic(
    "snapshots",
    "state of each stage in two slots by turns, in chunks, and the pack all began with; MessagePack, not JSON",
    "stage:partition:slot:chunk",
    sized=True,
    retention_seconds=None,
    compacted=True,
)
TOPICS = (COMPLAINTS, PARTS, INCIDENTS, CELLS, SIGNALS, DEAD_LETTER, OUTREACH, SNAPSHOTS)
