"""`overheard feedback`: say whether an incident was real, and what all verdicts together say of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from alerting.feedback import Count, report
from alerting.messages import VERDICTS
from streams.runtime.acting import act, known, made, open_reader, with_author, with_config

MOST = 100_000


class Given(click.Group):
    """A group in which `feedback ID VERDICT` is `feedback give ID VERDICT`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Puts the command in where it was left out."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["give", *args]
        return super().parse_args(context, args)


@click.group("feedback", cls=Given)
def feedback() -> None:
    """Say whether an incident was real: `overheard feedback ID real`. See what all verdicts say: `overheard feedback report`."""


@feedback.command("give")
@with_config
@click.argument("id")
@click.argument("verdict", type=click.Choice(list(VERDICTS)))
@with_author
def give(config: Path, id: str, verdict: str, author: str, reason: str) -> None:
    """Say whether it was real; teaches the evaluation."""
    act(config, made("feedback", author, reason, incident=known(config, id).id, value=verdict))


@feedback.command("report")
@with_config
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def report_command(config: Path, as_json: bool) -> None:
    """How many incidents were real, by rule (top keyword), tier and channel. Changes nothing."""
    reader = open_reader(config)
    found = report(reader.incidents(limit=MOST), reader.told())
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found.rules:
        click.echo("No incident has been suspected yet.")
        return
    for title, counts in (("rule", found.rules), ("tier", found.tiers), ("channel", found.channels)):
        _table(title, counts)
    for line in found.advice:
        click.echo(line)


def _table(title: str, counts: Sequence[Count]) -> None:
    for one in counts:
        click.echo(f"{title:<8} {one.name:<20} {one.line()}")


commands: list[click.Command] = [feedback]
