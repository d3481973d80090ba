"""Is overheard itself well? Its own metrics, and what its sources and channels do."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana.panels import arranged, dashboard, lines, listing, metric, prom

RATE = "$__rate_interval"


def build() -> Dashboard:
    """The dashboard."""
    made = dashboard("pipeline", "overheard · Pipeline", "Whether overheard counts, keeps up and can be heard.")
    return arranged(made, [*_numbers(), *_more()])


def _numbers() -> list[Builder[Panel]]:
    return [
        metric("Healthy", "1 while nothing is broken.", "min(overheard_healthy)", steps=((None, "red"), (1, "green"))),
        metric(
            "Newest close",
            "Age of the newest closed window.",
            "time() - max(overheard_last_close_timestamp_seconds)",
            unit="s",
            steps=((None, "green"), (300, "orange"), (900, "red")),
        ),
        metric("Waiting", "Entries of the log not counted yet.", "sum(overheard_backlog_entries)"),
        metric(
            "Blind sources",
            "Sources whose silence is not chance.",
            "max(overheard_sources_blind)",
            steps=((None, "green"), (1, "red")),
        ),
        metric("Snapshot age", "What a restart would count again.", "max(overheard_snapshot_age_seconds)", unit="s"),
        metric("Disk free", "On the disk of the data folder.", "min(overheard_disk_free_bytes)", unit="bytes"),
    ]


def _more() -> list[Builder[Panel]]:
    return [
        lines(
            "Records, complaints, people",
            "Taken in a second, all sources together.",
            [
                prom(f"sum(rate(overheard_records_total[{RATE}]))", "records", "A"),
                prom(f"sum(rate(overheard_complaints_total[{RATE}]))", "complaints", "B"),
                prom(f"sum(rate(overheard_voices_total[{RATE}]))", "people", "C"),
            ],
            unit="cps",
        ),
        lines(
            "By source",
            "Records of each source in a second.",
            [prom(f"sum by (source) (rate(overheard_records_total[{RATE}]))", "{{source}}")],
            unit="cps",
        ),
        lines(
            "What could not be counted, came again, came late",
            "In a second.",
            [
                prom(f"sum by (reason) (rate(overheard_dead_letters_total[{RATE}]))", "dead letters: {{reason}}", "A"),
                prom(f"sum(rate(overheard_duplicates_total[{RATE}]))", "came again", "B"),
                prom(f"sum(rate(overheard_late_total[{RATE}]))", "late", "C"),
                prom(f"sum(rate(overheard_old_total[{RATE}]))", "too old", "D"),
            ],
            unit="cps",
        ),
        lines(
            "Behind",
            "How far the watermark is behind the clock.",
            [prom("time() - overheard_watermark_timestamp_seconds", "{{instance}}")],
            unit="s",
        ),
        *_workers(),
        *_channels(),
        lines("Open incidents", "By state.", [prom("sum by (state) (overheard_open_incidents)", "{{state}}")]),
        lines(
            "Revisions",
            "Of incidents in an hour, by why they were written.",
            [prom("sum by (reason) (increase(overheard_incident_revisions_total[1h]))", "{{reason}}")],
        ),
        listing(
            "Sources",
            "What each has brought since it is known.",
            """SELECT source, channel, last_event, last_arrival, records, complaints, voices AS people, placed, duplicates, copies, old, late,
                      usual_per_hour, blind_since FROM operations.sources ORDER BY blind_since NULLS LAST, records DESC""",
        ),
        listing(
            "Dead letters",
            "Records that could not be counted in the time shown; what was written in them is not shown here.",
            """SELECT "time", reason, source, letters FROM operations.dead_letters
               WHERE "time" >= $__timeFrom()::timestamptz AND "time" <= $__timeTo()::timestamptz ORDER BY "time" DESC, letters DESC LIMIT 200""",
        ),
    ]


def _workers() -> list[Builder[Panel]]:
    taken, again = (
        f"sum by (topic, partition) (rate(overheard_{one}_total[{RATE}]))" for one in ("records_taken", "redelivered")
    )
    return [
        lines(
            "Taken by workers",
            "Records of each partition in a second, and those that came again after a restart and changed nothing.",
            [
                prom(taken, "{{topic}} {{partition}}", "A"),
                prom(f"{again} > 0", "again: {{topic}} {{partition}}", "B"),
            ],
            unit="cps",
        ),
        lines(
            "Partitions owned",
            "By each worker; they move when one stops. Two results numbers at a time: workers of two releases.",
            [
                prom("overheard_partitions_owned", "{{instance}}", "A"),
                prom(
                    "count by (version, results) (overheard_build_info)",
                    "workers of {{version}}, results {{results}}",
                    "B",
                ),
            ],
        ),
        lines(
            "Restore and reach",
            "How long the newest partitions took to be restored, and how far back a record that comes again is recognised.",
            [
                prom("overheard_restore_seconds", "restore: {{instance}}", "A"),
                prom("min(overheard_dedupe_reach_seconds)", "reach, the shortest", "B"),
            ],
            unit="s",
        ),
    ]


def _channels() -> list[Builder[Panel]]:
    return [
        lines(
            "Decision to delivery",
            "From the close that decided to the channel's answer, of each channel's newest message.",
            [prom("max by (channel) (overheard_notification_seconds)", "{{channel}}")],
            unit="s",
        ),
        lines(
            "Sends",
            "In an hour, by channel and outcome; repeats are those after a crash that left it open whether they were sent.",
            [
                prom(
                    "sum by (channel, outcome) (increase(overheard_notifications_total[1h])) > 0",
                    "{{channel}} {{outcome}}",
                    "A",
                ),
                prom(
                    "sum by (channel) (increase(overheard_notification_repeats_total[1h])) > 0",
                    "{{channel}} repeats",
                    "B",
                ),
            ],
        ),
    ]
