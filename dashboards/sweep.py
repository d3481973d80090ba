"""Several replays of one input beside each other: what a setting costs and brings."""

from __future__ import annotations

import msgspec

from streams.evaluation import Evaluation


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """One replay's figures."""

    setting: str
    value: float
    incidents: int
    labels: int
    answered: int
    reachable: int
    answered_reachable: int
    delay_hours_median: float | None
    unanswered_per_week: float | None

    @classmethod
    def of(cls, setting: str, value: float, result: Evaluation) -> Swept:
        """The row of one evaluation."""
        return cls(
            setting=setting,
            value=value,
            incidents=result.incidents,
            labels=result.labels,
            answered=result.answered,
            reachable=result.reachable.labels,
            answered_reachable=result.reachable.answered,
            delay_hours_median=result.delay_hours_median,
            unanswered_per_week=result.unanswered_per_week,
        )


def show(rows: list[Swept]) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in (rows[0].setting, "incidents", "found", "of reachable", "median delay", "unanswered a week"):
        table.add_column(name, justify="right")
    for row in rows:
        delay = "–" if row.delay_hours_median is None else f"{row.delay_hours_median:.1f} h"
        unanswered = "–" if row.unanswered_per_week is None else f"{row.unanswered_per_week:.2f}"
        found, reached = f"{row.answered} of {row.labels}", f"{row.answered_reachable} of {row.reachable}"
        table.add_row(f"{row.value:g}", f"{row.incidents:,}", found, reached, delay, unanswered)
    Console().print(table)
