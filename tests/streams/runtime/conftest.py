"""The store on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from streams.runtime.store.migrations import open_store
from tests.postgres import new_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    opened = open_store(new_database(request.getfixturevalue("postgres_server")) if request.param != "sqlite" else url)
    yield opened
    opened.dispose()
