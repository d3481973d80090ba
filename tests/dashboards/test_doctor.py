"""`overheard doctor` against things that really are wrong, and real servers that are well."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.broker import Broker
from overheard import main
from streams.pack import pack_file
from streams.runtime import doctor
from streams.runtime.store.migrations import STEPS, open_store
from tests.alertmanager import Alertmanager
from tests.dashboards.grafana_stub import TOKEN, Stub, running
from tests.postgres import new_database


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Doctor:
    """A configuration in a folder of its own, and what the doctor says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.code = -1

    def says(self, more: str = "", service: str = "", **env: str) -> str:
        path = self.folder / "overheard.toml"
        path.write_text(f'pack = "power"\n[service]\ndata = "var"\nport = {self.port}\n{service}\n{more}\n')
        done = CliRunner().invoke(main, ["doctor", "--config", str(path)], env=env)
        self.code = done.exit_code
        return done.output

    def wrong(self, more: str = "", service: str = "", **env: str) -> list[str]:
        """The lines that tell of something wrong; there is one at least, and the exit code says so."""
        said = self.says(more, service, **env)
        assert self.code == 1, said
        return [line.removeprefix("WRONG ") for line in said.splitlines() if line.startswith("WRONG ")]


@pytest.fixture
def patient(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as started:
        yield started


def test_a_new_machine_is_well_and_nothing_is_made(patient: Doctor) -> None:
    said = patient.says()
    assert patient.code == 0, said
    assert said.splitlines()[-1] == "all is well"
    assert "WRONG" not in said
    assert os.listdir(patient.folder) == ["overheard.toml"]


def test_a_pack_with_an_error_is_told(patient: Doctor) -> None:
    (patient.folder / "own.toml").write_text('name = "own"\n')
    (line,) = patient.wrong(OVERHEARD_PACK="own.toml")
    assert line.startswith("pack: ")
    assert "own.toml" in line


def test_a_port_of_another_program_is_told(patient: Doctor) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", patient.port))
        other.listen()
        other.settimeout(0.1)
        (line,) = patient.wrong()
    assert (
        line
        == f"page port: 127.0.0.1:{patient.port} is in use by another program: set service.port, or end that program"
    )


def test_a_file_that_is_not_there_is_told(patient: Doctor) -> None:
    (line,) = patient.wrong('[[sources]]\nkind = "file"\nname = "calls"\npath = "calls.jsonl"')
    assert line.startswith(f"source calls: no such file: {patient.folder / 'calls.jsonl'}")
    (patient.folder / "calls.jsonl").write_text("{}\n")
    assert "ok    source calls" in patient.says('[[sources]]\nkind = "file"\nname = "calls"\npath = "calls.jsonl"')
    assert patient.code == 0


def test_too_little_room_is_told(patient: Doctor) -> None:
    least = shutil.disk_usage(patient.folder).total // doctor.MEBIBYTE
    (line,) = patient.wrong(service=f"min_free_megabytes = {least}")
    assert "make room" in line
    (line,) = patient.wrong(service=f"backlog_megabytes = {least}")
    assert (
        f"the journal may take {least:,} while the store is away: make room, or set service.backlog_megabytes" in line
    )


def test_whether_a_pack_can_grow_by_promotions_is_told(patient: Doctor) -> None:
    assert "ok    pack" in (said := patient.says())
    assert "shipped: promotions need a copy of your own" in said
    shutil.copy(pack_file("power"), patient.folder / "own.toml")
    assert f"promotions go to {patient.folder / 'own.toml'}" in patient.says(OVERHEARD_PACK="own.toml")


def test_a_clock_that_was_never_set_is_told() -> None:
    assert not doctor.clock(3600.0).good
    assert "1970-01-01" in doctor.clock(3600.0).says


def test_a_store_that_is_none_or_not_there_is_told(patient: Doctor) -> None:
    (patient.folder / "var").mkdir()
    (patient.folder / "var/store.sqlite").write_bytes(b"these are no tables" * 100)
    (line,) = patient.wrong()
    assert "file is not a database" in line
    (line,) = patient.wrong(service=f'store = "postgresql+psycopg://me:word@127.0.0.1:{free_port()}/x"')
    assert line.startswith("store: postgresql+psycopg://me:***@127.0.0.1")
    assert "is it running" in line
    (line,) = patient.wrong(service='store = "oracles"')
    assert "service.store is no address" in line


def test_a_store_of_a_newer_program_is_told_and_left_alone(patient: Doctor) -> None:
    path = patient.folder / "var/store.sqlite"
    open_store(f"sqlite:///{path}").dispose()
    assert patient.says().count(f"version {len(STEPS)}") == 1
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE versions SET version = 99 WHERE version = ?", (len(STEPS),))
    (line,) = patient.wrong()
    assert "version 99" in line


@pytest.mark.postgres
def test_a_role_that_the_stores_user_may_not_make_is_told(patient: Doctor, postgres_server: str) -> None:
    address = new_database(postgres_server)
    admin = create_engine(address)
    with admin.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS plain"))
        connection.execute(text("CREATE ROLE plain LOGIN"))
        there = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    plain = make_url(address).set(username="plain").render_as_string(hide_password=False)
    said = patient.says(service=f'store = "{plain}"')
    for role in ("overheard_operations", "overheard_public"):
        assert (f"CREATE ROLE {role} NOLOGIN" in said) == (role not in there)
    open_store(address).dispose()
    well = patient.says(service=f'store = "{address}"')
    assert patient.code == 0, well
    assert well.count("ok    role overheard_") == 2
    with admin.begin() as connection:
        connection.execute(text("DROP ROLE plain"))
    admin.dispose()


def test_no_broker_is_told(patient: Doctor) -> None:
    (line,) = patient.wrong(f'[kafka]\nbrokers = ["127.0.0.1:{free_port()}"]')
    assert line.startswith("kafka: 127.0.0.1:")
    assert "is Kafka running there" in line


def test_missing_topics_and_brokers_are_told(patient: Doctor, broker: Broker) -> None:
    section = f'[kafka]\nbrokers = ["{broker.address}"]\nprefix = "doctored"\n'
    said = patient.says(section)
    assert patient.code == 0, said
    assert "ok    kafka topics: 8 are made at the first start" in said
    topics, replication = sorted(patient.wrong(section + "create_topics = false\nreplication = 3"), reverse=True)
    assert "no such topics: doctored.complaints" in topics
    assert "kafka.replication is 3" in replication


def test_grafanas_token_is_tried(patient: Doctor, stub: Stub) -> None:
    section = f'[grafana]\nurl = "{stub.url}"'
    (line,) = patient.wrong(section)
    assert "OVERHEARD_GRAFANA_TOKEN" in line
    (line,) = patient.wrong(section, OVERHEARD_GRAFANA_TOKEN="glsa_wrong")
    assert "refuses the token (401)" in line
    assert "glsa_wrong" not in line
    said = patient.says(section, OVERHEARD_GRAFANA_TOKEN=TOKEN)
    assert patient.code == 0, said
    assert f"ok    grafana: {stub.url} takes the token" in said
    assert {method for method, _ in stub.asked} == {"GET"}
    (line,) = patient.wrong(f'[grafana]\nurl = "http://127.0.0.1:{free_port()}"', OVERHEARD_GRAFANA_TOKEN=TOKEN)
    assert "is Grafana running there?" in line


@pytest.mark.alertmanager
def test_alertmanagers_are_asked_one_by_one(patient: Doctor, alertmanager_programs: None) -> None:
    section = '[channels.am]\nkind = "alertmanager"\nallow_hosts = ["127.0.0.1"]\nurls = ["{}", "http://127.0.0.1:{}"]'
    started = Alertmanager("http://127.0.0.1:9/sink").start()
    try:
        said = patient.says(section.format(started.url, free_port()))
    finally:
        started.end()
    assert f"ok    channel am: alertmanager: {started.url} is ready" in said
    assert said.count("WRONG channel am") == 1
    assert "is Alertmanager running there?" in said


def test_addresses_of_channels_are_looked_up_and_the_key_in_them_not_shown(patient: Doctor) -> None:
    section = '[channels.hook]\nkind = "webhook"\nurl = "https://{}/key-1234567"'
    secret = {"OVERHEARD_CHANNELS_HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    (line,) = patient.wrong(section.format("nowhere.invalid"), **secret)
    assert line.startswith("channel hook: nowhere.invalid: no such host")
    (inside,) = patient.wrong(section.format("localhost"), **secret)
    assert "which is not public: name it in allow_hosts" in inside
    assert "key-1234567" not in line + inside


def test_a_mail_server_nobody_knows_is_told(patient: Doctor) -> None:
    section = '[channels.mail]\nkind = "email"\nhost = "nowhere.invalid"\nsender = "us@example.org"\nto = ["them@example.org"]'
    (line,) = patient.wrong(section)
    assert line.startswith("channel mail: nowhere.invalid: no such host")


def test_all_that_is_wrong_is_told_at_once(patient: Doctor) -> None:
    (patient.folder / "var").write_text("in the way")
    lines = patient.wrong(
        f'[[sources]]\nkind = "file"\nname = "calls"\npath = "gone.csv"\n[kafka]\nbrokers = ["127.0.0.1:{free_port()}"]'
    )
    assert {line.partition(":")[0] for line in lines} >= {"data", "source calls", "kafka"}
