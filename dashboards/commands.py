"""The commands that show something."""

from __future__ import annotations

import click

from dashboards.compare_command import compare
from dashboards.doctor_command import doctor_command
from dashboards.grafana.commands import dashboards
from dashboards.replay_command import replay


@click.command()
@click.option("--port", type=int, default=8080, show_default=True, help="The first free port from here on is taken.")
@click.option("--speed", type=float, default=60.0, show_default=True, help="Simulated seconds in a real one.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--seconds", type=float, help="End by itself after so many real seconds.")
@click.option(
    "--transport", type=click.Choice(["memory"]), help="memory: behind Faust agents, as on Kafka, but without a broker."
)
@click.option("--browser/--no-browser", default=True, help="Open the page.")
def demo(port: int, speed: float, seed: int, seconds: float | None, transport: str | None, browser: bool) -> None:
    """Learn 28 simulated days of an airline, then watch a day with six disruptions. Ctrl-C ends it with an evaluation."""
    from dashboards.demo import run_demo

    run_demo(port=port, speed=speed, seed=seed, seconds=seconds, browser=browser, memory=transport == "memory")


commands: list[click.Command] = [demo, replay, compare, dashboards, doctor_command]
