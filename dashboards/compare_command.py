"""The command `compare`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("before", type=FOLDER, metavar="DIR_A")
@click.argument("after", type=FOLDER, metavar="DIR_B")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--signals", is_flag=True, help="Signals too, not only what was suspected or confirmed.")
def compare(before: Path, after: Path, as_json: bool, signals: bool) -> None:
    """Which incidents appear, vanish or move between two replays."""
    from dashboards.compare import compared, read_incidents, show

    try:
        result = compared(read_incidents(before, signals), read_incidents(after, signals))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())
    else:
        show(result, str(before), str(after))
