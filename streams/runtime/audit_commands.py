"""`overheard audit`: who did what, when and why; and whether anybody has changed the record of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from alerting.model import iso
from streams.runtime.acting import open_reader, time_of, with_config


@click.group("audit")
def audit() -> None:
    """List what people and configuration did; check that the record is whole."""


@audit.command("list")
@with_config
@click.option("--since", help="ISO 8601 with zone.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, each with its number and chain.")
def list_audit(config: Path, since: str | None, as_json: bool) -> None:
    """Every act, oldest first: number, when, who, from where, what, why."""
    from streams.runtime.store.audit import entries, lines

    found = entries(open_reader(config).engine, since=None if since is None else time_of(since))
    if as_json:
        for line in lines(found):
            click.echo(line)
        return
    for one in found:
        act = one.control
        about = " ".join(
            one if one.isprintable() else repr(one) for one in (act.incident or "", *act.places, *act.keywords)
        )
        value = "" if act.kind == "pack" or act.value is None else f" {act.value!r}"
        why = f": {act.reason!r}" if act.reason else ""
        what = f"{act.kind.replace('_', ' ')} {about}{value}{why}"
        click.echo(f"{one.number:>5}  {iso(act.at)}  {act.author!r} ({act.via or 'unknown'})  {what}")
    if not found:
        click.echo("Nobody has done anything yet.")


@audit.command("verify")
@with_config
@click.option("--head", help="The head as it was noted earlier: must be in the log.")
def verify_audit(config: Path, head: str | None) -> None:
    """Check every row against the one before. Prints the head: noted elsewhere, it shows later that nothing was rewritten."""
    from streams.runtime.store.audit import entries, verify

    engine = open_reader(config).engine
    found = verify(engine)
    if found.broken is not None:
        click.echo(f"BROKEN: {found.broken}", err=True)
        sys.exit(1)
    if head is not None and head not in {one.chain for one in entries(engine)}:
        click.echo("BROKEN: the log was written anew: the head given is not in it", err=True)
        sys.exit(1)
    click.echo(f"whole: {found.rows} acts, head {found.head}")


commands: list[click.Command] = [audit]
