"""The catalogue of metrics: what the exporter shows and what dashboards and rules may ask for. Plain data."""

from __future__ import annotations

from typing import Literal, NamedTuple

PREFIX = "overheard_"


class Metric(NamedTuple):
    """One family; the name is without prefix, in base units."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


CATALOGUE = (
    Metric("records_total", "counter", "Records counted, duplicates left out.", ("source",)),
    Metric("complaints_total", "counter", "Records about a keyword.", ("source",)),
    Metric("voices_total", "counter", "People heard.", ("source",)),
    Metric("duplicates_total", "counter", "Records that came again.", ("source",)),
    Metric("late_total", "counter", "Complaints that came after their window closed.", ("source",)),
    Metric("old_total", "counter", "Records over a day late: told, not counted.", ("source",)),
    Metric("dead_letters_total", "counter", "Records that could not be counted.", ("reason",)),
    Metric("incident_revisions_total", "counter", "Incident revisions written.", ("reason",)),
    Metric("open_incidents", "gauge", "Incidents not resolved.", ("state",)),
    Metric("sources_blind", "gauge", "Sources whose silence is not chance."),
    Metric("watermark_seconds", "gauge", "No older complaint is awaited; Unix seconds."),
    Metric("last_close_seconds", "gauge", "End of the newest closed window; Unix seconds."),
    Metric("journal_entries_total", "counter", "Entries the journal has taken since it began."),
    Metric("backlog_entries", "gauge", "Entries of the log not counted yet."),
    Metric(
        "records_taken_total", "counter", "Records a worker has taken from a partition it owns.", ("topic", "partition")
    ),
    Metric("redelivered_total", "counter", "Records that came again and changed nothing.", ("topic", "partition")),
    Metric("partitions_owned", "gauge", "Partitions this worker owns, of all topics."),
    Metric("restore_seconds", "gauge", "How long the newest partitions took to be restored."),
    Metric("snapshot_age_seconds", "gauge", "Since the newest snapshot was written."),
    Metric("snapshot_bytes", "gauge", "Size of the newest snapshot before packing."),
    Metric(
        "dedupe_reach_seconds",
        "gauge",
        "How far back in event time a record that comes again is recognised.",
        ("partition",),
    ),
    Metric(
        "notifications_total",
        "counter",
        "Sends to channels by outcome: sent, unsent (tried again), refused, superseded, dead, repeated, unrepeated.",
        ("channel", "outcome"),
    ),
    Metric(
        "notification_repeats_total", "counter", "Sent again because a crash left it open whether it was.", ("channel",)
    ),
    Metric(
        "notification_seconds",
        "gauge",
        "From the decision to the channel's answer, of its newest message.",
        ("channel",),
    ),
    Metric("outbox_age_seconds", "gauge", "For how long the oldest message has been waiting."),
    Metric("outbox_pending", "gauge", "Messages that wait.", ("channel",)),
    Metric("disk_free_bytes", "gauge", "Free on the disk of the data folder."),
    Metric("healthy", "gauge", "1 while nothing is broken."),
)
BY_NAME = {metric.name: metric for metric in CATALOGUE}
