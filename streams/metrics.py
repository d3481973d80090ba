"""The catalogue of metrics: what the exporter shows and what dashboards and rules may ask for. Plain data."""

from __future__ import annotations

from typing import Literal, NamedTuple

PREFIX = "overheard_"


class Metric(NamedTuple):
    """One family; the name is without prefix, in base units. A raw one is in no panel and no rule: it answers questions of one's own."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    raw: bool = False


SERIES = ("place", "keyword")  # ids of the gazetteer and of the pack, never what people wrote
PLACE = ("place", "name", "level", "lat", "lon")  # of the gazetteer and the configuration
OTHER = "__other__"  # both labels of the series left out: sums, in which a person counts once a series
MOST_SERIES = 2_000

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
    Metric("incidents_unanswered", "gauge", "Incidents suspected within 7 days that nobody called real or expected."),
    Metric("budget_per_week", "gauge", "How many false incidents a week the operator accepts."),
    Metric("series_people", "gauge", "People of the last hour: of the most unusual series.", SERIES, raw=True),
    Metric("series_expected", "gauge", "People expected in the same time.", SERIES, raw=True),
    Metric("series_unusual", "gauge", "-log10 of the smallest p-value of the last hour.", SERIES),
    Metric(
        "place_info",
        "gauge",
        "1: how a place of `overheard_series_people` is called and where it lies.",
        PLACE,
        raw=True,
    ),
    Metric("series_left_out", "gauge", "Series of the last hour that are only in `__other__`."),
    Metric("sources_blind", "gauge", "Sources whose silence is not chance."),
    Metric("source_blind", "gauge", "1 while the source's silence is not chance, else 0.", ("source",)),
    Metric("watermark_timestamp_seconds", "gauge", "No older complaint is awaited; Unix seconds."),
    Metric("last_close_timestamp_seconds", "gauge", "End of the newest closed window; Unix seconds."),
    Metric("window_seconds", "gauge", "Length of a window, the pack's."),
    Metric("windows_closed_total", "counter", "Windows closed by this process."),
    Metric("close_seconds_total", "counter", "Time spent on the batches that closed them, intake's share included."),
    Metric("journal_entries_total", "counter", "Entries the journal has taken since it began.", raw=True),
    Metric("backlog_entries", "gauge", "Entries of the log not counted yet."),
    Metric(
        "records_taken_total", "counter", "Records a worker has taken from a partition it owns.", ("topic", "partition")
    ),
    Metric("redelivered_total", "counter", "Records that came again and changed nothing.", ("topic", "partition")),
    Metric("partitions_owned", "gauge", "Partitions this worker owns, of all topics."),
    Metric("restore_seconds", "gauge", "How long the newest partitions took to be restored."),
    Metric("snapshot_age_seconds", "gauge", "Since the newest snapshot; 0 while nothing came after it."),
    Metric("commit_age_seconds", "gauge", "Since the store took something; 0 while nothing waits for it."),
    Metric("snapshot_bytes", "gauge", "Size of the newest snapshot before packing.", raw=True),
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
    Metric("broken", "gauge", "1 while this part is broken, else 0.", ("part",)),
    Metric(
        "build_info", "gauge", "1; `results` changes when the same input gives other results.", ("version", "results")
    ),
)
BY_NAME = {metric.name: metric for metric in CATALOGUE}
