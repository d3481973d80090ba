"""The commands that show something."""

from __future__ import annotations

import click

from dashboards.demo import demo
from dashboards.replay_command import compare, replay

commands: list[click.Command] = [demo, replay, compare]
