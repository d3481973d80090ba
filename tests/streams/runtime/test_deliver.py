"""The outbox: what is told, once each, and that the store's statements are ones PostgreSQL knows too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from structlog.testing import capture_logs

from alerting.model import Incident, Scope
from streams.runtime.deliver import deliver
from streams.runtime.store import tables
from streams.runtime.store.migrations import open_store
from streams.runtime.store.upsert import replacing
from streams.runtime.store.writer import TOLD, Work, Writer


class NoNames:
    """Trees without places and keywords."""

    parent: tuple[int, ...] = ()


def revision(id: str, number: int, reason: str, at: float, **fields: Any) -> Incident:
    return Incident(
        id=id, revision=number, state="suspected", onset=0.0, opened_at=0.0, updated_at=at, scope=Scope("city:1", "A", "city", ("A",)),
        keywords=("*",), title=f"trouble {id}", people=5, messages=5, expected=1.0, factor=5.0, p_value=0.0, reason=reason,
        **{"suspected_at": 1.0, **fields},
    )  # fmt: skip


def test_what_opens_grows_up_or_ends_is_told_once_in_order(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    writer = Writer(engine, NoNames(), NoNames(), str)  # type: ignore[arg-type]
    revisions = [
        revision("b", 1, "suspected", 20.0),
        revision("a", 1, "suspected", 10.0),
        revision("a", 2, "grew", 11.0),
        revision("a", 3, "confirmed", 30.0),
        revision("drill", 1, "suspected", 10.0, drill=True),
        revision("signal", 2, "resolved", 10.0, suspected_at=None),
        revision("silenced", 1, "suspected", 10.0, silenced_until=500.0),
    ]
    writer.commit(Work(incidents=revisions))
    with capture_logs() as logs:
        assert deliver(engine) == 3
        assert deliver(engine) == 0
    assert [(line["id"], line["revision"]) for line in logs] == [("a", 1), ("b", 1), ("a", 3)]
    writer.commit(Work(incidents=revisions))
    assert deliver(engine) == 0, "written again, told once"
    with engine.connect() as connection:
        assert set(connection.execute(select(tables.outbox.c.state)).scalars()) == {"sent"}


def test_the_reasons_that_are_told_are_reasons_alerting_gives() -> None:
    import alerting

    source = "".join(path.read_text() for path in Path(alerting.__file__).parent.glob("*.py"))
    for reason in TOLD:
        assert f'"{reason}"' in source


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_tables_and_inserts_are_known_to_postgresql(table: tables.Table) -> None:
    dialect = postgresql.dialect()

    class Connection:
        """As much of one as a statement needs."""

        def __init__(self) -> None:
            self.dialect = dialect

    assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    assert "ON CONFLICT" in str(replacing(Connection(), table).compile(dialect=dialect))  # type: ignore[arg-type]
