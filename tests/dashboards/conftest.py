"""Stores of made-up days, written once a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.runtime.store.reader import Reader
from tests.dashboards.made_up_weeks import ALL_DAYS


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Reader]:
    """A reader of one of the made-up days."""
    kept: dict[str, Reader] = {}

    def reader(name: str) -> Reader:
        if name not in kept:
            kept[name] = ALL_DAYS[name]().store(tmp_path_factory.mktemp(name) / "store.sqlite")
        return kept[name]

    return reader
