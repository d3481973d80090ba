"""Services end with the test that started them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from beating import Receiver
from service import Running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Makes services, each in a folder of its own."""
    made: list[Running] = []

    def make(name: str = "service", **settings: Any) -> Running:
        made.append(Running(tmp_path / name, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.shutdown()
    made.server_close()
