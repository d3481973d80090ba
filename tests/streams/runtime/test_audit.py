"""The audit log: who did what, in order; and that any change to what was written is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select

from alerting.controls import clean
from alerting.model import Control
from streams.runtime.audit_commands import audit
from streams.runtime.store import tables
from streams.runtime.store.audit import START, append, entries, verify
from streams.runtime.store.migrations import STEPS, _audit_log, migrate, open_store
from streams.runtime.store.views import drop_views
from tests.alerting.notify.hostile import PAYLOADS
from tests.postgres import new_database

AUDIT_STEP = STEPS.index(_audit_log) + 1


def act(number: int, **what: object) -> Control:
    return Control(id=f"c{number}", kind="note", at=1000.5 - number, author="ann", incident="i", value="seen", **what)  # type: ignore[arg-type]


ACTS = [act(1), act(2, reason="belt 3 is dead"), act(3, via="page"), act(4)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    opened = open_store(new_database(request.getfixturevalue("postgres_server")) if request.param != "sqlite" else url)
    with opened.begin() as connection:
        append(connection, ACTS[:2])
        append(connection, ACTS[1:])
    yield opened
    opened.dispose()


def test_acts_stand_in_the_order_they_were_written_each_once(engine: Engine) -> None:
    assert [(one.number, one.control) for one in entries(engine)] == list(enumerate(ACTS, 1))
    assert [one.number for one in entries(engine, newest=2)] == [3, 4]
    found = verify(engine)
    assert (found.rows, found.broken, found.head) == (4, None, entries(engine)[-1].chain)


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    assert verify(engine).head == START
    assert verify(engine).broken is None


def test_any_changed_byte_of_a_body_is_found(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    with engine.begin() as connection:
        append(connection, ACTS)
    table = tables.controls
    with engine.connect() as connection:
        body = connection.execute(select(table.c.body).where(table.c.id == "c2")).scalar_one()
    for at in range(len(body)):
        changed = body[:at] + chr(ord(body[at]) ^ 1) + body[at + 1 :]
        with engine.begin() as connection:
            connection.execute(table.update().where(table.c.id == "c2").values(body=changed))
        assert verify(engine).broken == "row 2 is not as it was written", changed


@pytest.mark.parametrize(
    "changed",
    [{"at": 999.0}, {"kind": "ack"}, {"incident": "j"}, {"incident": None}, {"id": "c9"}, {"chain": "0" * 64}, {"number": 7}],
)  # fmt: skip
def test_any_changed_column_is_found(engine: Engine, changed: dict[str, object]) -> None:
    with engine.begin() as connection:
        connection.execute(tables.controls.update().where(tables.controls.c.id == "c3").values(**changed))
    assert verify(engine).broken is not None


@pytest.mark.parametrize("gone", ["c1", "c2", "c4"])
def test_a_missing_row_is_found_at_the_end_too(engine: Engine, gone: str) -> None:
    with engine.begin() as connection:
        connection.execute(tables.controls.delete().where(tables.controls.c.id == gone))
    assert verify(engine).broken is not None


def test_two_rows_that_changed_places_are_found(engine: Engine) -> None:
    table = tables.controls
    with engine.begin() as connection:
        for id, number in (("c2", 90), ("c3", 2), ("c2", 3)):
            connection.execute(table.update().where(table.c.id == id).values(number=number))
    assert verify(engine).broken == "row 2 is not as it was written"


def test_a_store_of_before_is_chained_in_the_order_of_its_times(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX controls_number")
        if engine.dialect.name == "postgresql":
            drop_views(connection)
        for column in ("number", "chain"):
            connection.exec_driver_sql(f"ALTER TABLE controls DROP COLUMN {column}")
        connection.execute(tables.meta.delete())
        newest = connection.execute(select(tables.versions.c.version)).scalars().all()
        connection.execute(tables.versions.delete().where(tables.versions.c.version >= AUDIT_STEP))
    assert max(newest) >= AUDIT_STEP
    migrate(engine)
    assert [one.control.id for one in entries(engine)] == ["c4", "c3", "c2", "c1"]
    assert verify(engine).broken is None


def test_hostile_words_are_one_line_each_and_no_more(tmp_path: Path) -> None:
    config = tmp_path / "overheard.toml"
    config.write_text(f'pack = "airline"\n[service]\ndata = "{tmp_path}"\n')
    engine = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    written = [
        clean(
            Control(
                id=f"h{n}",
                kind="note",
                at=1.0 + n,
                author=text[:80],
                reason=text,
                incident=f"i{text}",
                places=(text,),
                value=text,
                via="api",
            )
        )
        for n, text in enumerate(PAYLOADS)
    ]
    with engine.begin() as connection:
        append(connection, written)
    run = CliRunner().invoke
    lines = run(audit, ["list", "--config", str(config)]).output.splitlines()
    assert [line.split()[0] for line in lines] == [str(n) for n in range(1, len(PAYLOADS) + 1)]
    assert all(line.isprintable() for line in lines)
    as_json = run(audit, ["list", "--json", "--config", str(config)]).output.removesuffix("\n").split("\n")
    assert [json.loads(line)["value"] for line in as_json] == [one.value for one in written]
    assert run(audit, ["verify", "--config", str(config)]).exit_code == 0


def test_the_command_lists_who_did_what_and_tells_a_changed_log(tmp_path: Path) -> None:
    config = tmp_path / "overheard.toml"
    config.write_text(f'pack = "airline"\n[service]\ndata = "{tmp_path}"\n')
    engine = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    with engine.begin() as connection:
        append(connection, ACTS)
    head = verify(engine).head
    run = CliRunner().invoke
    listed = run(audit, ["list", "--config", str(config)])
    assert "2  1970-01-01T00:16:38.500Z  'ann' (unknown)  note i 'seen': 'belt 3 is dead'" in listed.output
    assert run(audit, ["verify", "--config", str(config), "--head", head]).output == f"whole: 4 acts, head {head}\n"
    assert run(audit, ["verify", "--config", str(config), "--head", "f" * 64]).exit_code == 1
    with engine.begin() as connection:
        connection.execute(tables.controls.update().where(tables.controls.c.id == "c2").values(kind="ack"))
    broken = run(audit, ["verify", "--config", str(config)])
    assert (broken.exit_code, broken.output) == (1, "BROKEN: row 2 is not as it was written\n")
