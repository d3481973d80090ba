"""The stack's files without Docker: the compose file has the published form, everything mounted is there and judged by its own program.

`compose_schema.json` is the Compose Specification's own (github.com/compose-spec/compose-go, Apache-2.0).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from overheard import main
from streams.runtime.settings import load_settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.views import OPERATIONS_ROLE
from tests.postgres import new_database

ROOT = Path(__file__).parent.parent
STACK = ROOT / "dashboards/stack"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SCHEMA = json.loads((Path(__file__).parent / "compose_schema.json").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
ONCE = {"stream"}
every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def errors(compose: dict[str, Any]) -> list[str]:
    return [one.message for one in jsonschema.Draft7Validator(SCHEMA).iter_errors(compose)]


def mounts(name: str) -> list[tuple[str, str, str]]:
    """(source, target, mode) of a service."""
    found = []
    for one in SERVICES[name].get("volumes", ()):
        source, target, *mode = one.split(":")
        found.append((source, target, mode[0] if mode else "rw"))
    return found


def test_the_compose_file_has_the_published_form() -> None:
    assert errors(COMPOSE) == []


def test_a_misspelt_key_would_be_found() -> None:
    wrong = json.loads(json.dumps(COMPOSE))
    wrong["services"]["kafka"]["healthcheck"]["retrys"] = 3
    assert errors(wrong)


@every_service
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", SERVICES[name]["image"])


@every_service
def test_ports_are_on_this_machine_only(name: str) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name].get("ports", ()))


@every_service
def test_a_service_tells_whether_it_is_well_and_waits_for_those_it_needs(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"][0] == "CMD"
    for needed, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert "test" in SERVICES[needed]["healthcheck"]


@every_service
def test_what_is_mounted_is_there_or_a_named_volume(name: str) -> None:
    for source, target, mode in mounts(name):
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == "ro", f"{target} could be written to"
        else:
            assert source in COMPOSE["volumes"]


def test_every_named_volume_is_used() -> None:
    used = {source for name in SERVICES for source, _, _ in mounts(name)}
    assert COMPOSE["volumes"].keys() <= used


def test_secrets_are_files_outside_of_the_tree_and_nothing_else_holds_one() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./var/secrets/{name}"}
    for name, service in SERVICES.items():
        for one in service.get("secrets", ()):
            assert (one if isinstance(one, str) else one["source"]) in COMPOSE["secrets"]
        for key, value in service.get("environment", {}).items():
            secret = re.search(r"PASSWORD|TOKEN|SECRET|KEY", key)
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {key}"


def test_files_read_as_secrets_are_given_to_the_service_that_reads_them() -> None:
    reads = {
        "postgres": (STACK / "postgres-roles.sh").read_text() + json.dumps(SERVICES["postgres"]),
        "grafana": json.dumps(SERVICES["grafana"])
        + (ROOT / "dashboards/provisioning/datasources/overheard.yaml").read_text(),
    }
    for name, said in reads.items():
        wanted = set(re.findall(r"/run/secrets/(\w+)", said))
        assert wanted == set(SERVICES[name]["secrets"])


def test_the_image_is_built_from_hashes_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert all(re.search(r":\d+\.\d+\.\d+-", line) for line in lines if line.startswith("FROM"))
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    users = [line.split()[1] for line in lines[last:] if line.startswith("USER")]
    assert users
    assert users[-1] not in ("0", "root")
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{Path(source).parts[0]}" in ignored


@pytest.mark.parametrize("name", ["entrypoint.sh", "postgres-roles.sh"])
def test_scripts_can_be_run(name: str) -> None:
    assert (STACK / name).stat().st_mode & stat.S_IXOTH
    subprocess.run(["sh", "-n", str(STACK / name)], check=True)


def test_a_secret_named_as_a_variable_becomes_it(tmp_path: Path) -> None:
    script = (STACK / "entrypoint.sh").read_text().replace("/run/secrets", str(tmp_path))
    (tmp_path / "OVERHEARD_SERVICE_TOKEN").write_text("a token $HOME 'x'\n")
    (tmp_path / "page_token").write_text("other")
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", script, "sh", "env"], env=env, check=True, capture_output=True, text=True)
    assert "OVERHEARD_SERVICE_TOKEN=a token $HOME 'x'\n" in done.stdout
    assert "other" not in done.stdout


def test_the_configuration_is_good_as_workers_and_page_read_it() -> None:
    secrets = {"OVERHEARD_SERVICE_SECRET": "s" * 24, "OVERHEARD_SERVICE_TOKEN": "t" * 24}
    targets = {one["target"] for one in SERVICES["page"]["secrets"]}
    assert targets == {*secrets, "PGPASSWORD"}
    for name in ("worker", "page", "stream"):
        given = {**secrets, **SERVICES[name].get("environment", {})}
        settings = load_settings(STACK / "overheard.toml", given)
        assert settings.kafka is not None
        assert settings.kafka.brokers == ("kafka:19092",)
        assert str(settings.service.data) == next(target for source, target, _ in mounts(name) if source == name)
        told = CliRunner().invoke(main, ["check-config", str(STACK / "overheard.toml")], env=given)
        assert told.exit_code == 0, told.output


def test_every_command_is_one_of_ours() -> None:
    said = [SERVICES[name]["command"] for name in ("worker", "page")]
    said += [line.split() for line in SERVICES["stream"]["command"][-1].splitlines() if line.startswith("overheard")]
    assert len(said) == 4
    for program, command, *words in said:
        assert program == "overheard"
        known = {option for one in main.commands[command].params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DataSource(Strict):
    name: str
    uid: str
    type: Literal["grafana-postgresql-datasource", "prometheus", "alertmanager"]
    access: Literal["proxy"]
    url: str
    user: str | None = None
    isDefault: bool
    editable: Literal[False]
    jsonData: dict[str, str | int | bool]
    secureJsonData: dict[str, str] = {}


class DataSources(Strict):
    apiVersion: Literal[1]
    prune: Literal[True]
    datasources: list[DataSource] = Field(min_length=1)


class Options(Strict):
    path: Path
    foldersFromFilesStructure: bool


class Provider(Strict):
    name: str
    orgId: Literal[1]
    folder: str
    folderUid: str
    type: Literal["file"]
    disableDeletion: bool
    allowUiUpdates: bool
    updateIntervalSeconds: int = Field(ge=10)
    options: Options


class Providers(Strict):
    apiVersion: Literal[1]
    providers: list[Provider] = Field(min_length=1)


PROVISIONING = ROOT / "dashboards/provisioning"
SOURCES = DataSources.model_validate(
    yaml.safe_load((PROVISIONING / "datasources/overheard.yaml").read_text())
).datasources


def test_every_data_source_a_dashboard_asks_is_provided() -> None:
    provided = {(one.type, one.uid) for one in SOURCES}
    asked: set[tuple[str, str]] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            source = value.get("datasource")
            if isinstance(source, dict) and "uid" in source:
                asked.add((source["type"], source["uid"]))
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    for path in (ROOT / "dashboards/generated").glob("*.json"):
        look(json.loads(path.read_text(encoding="utf-8")))
    assert len(asked) >= 2
    assert asked <= provided


def test_data_sources_are_services_of_the_stack_and_their_passwords_files() -> None:
    for one in SOURCES:
        host = re.sub(r"^http://", "", one.url).partition(":")[0]
        assert host in SERVICES
        assert all(re.fullmatch(r"\$__file\{/run/secrets/\w+\}", value) for value in one.secureJsonData.values())
    assert sum(one.isDefault for one in SOURCES) == 1


def test_dashboards_are_where_grafana_looks_for_them() -> None:
    (provider,) = Providers.model_validate(
        yaml.safe_load((PROVISIONING / "dashboards/overheard.yaml").read_text())
    ).providers
    targets = {target: ROOT / source for source, target, _ in mounts("grafana")}
    assert list(targets[str(provider.options.path)].glob("overheard-*.json"))
    assert targets["/etc/grafana/provisioning"].resolve() == PROVISIONING
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (targets[str(home.parent)] / home.name).is_file()


@pytest.mark.alertmanager
def test_alertmanager_takes_its_configuration(alertmanager_programs: None) -> None:
    subprocess.run(["amtool", "check-config", str(STACK / "alertmanager.yml")], check=True, capture_output=True)


@pytest.mark.prometheus
def test_prometheus_takes_its_configuration_and_rules_as_they_are_mounted(
    prometheus_programs: None, tmp_path: Path
) -> None:
    for source, target, mode in mounts("prometheus"):
        if mode == "ro":
            shutil.copy(ROOT / source, tmp_path / Path(target).name)
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"[1-9]\d* rules found", done.stdout)
    config = yaml.safe_load((tmp_path / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert jobs["overheard"] == ["worker:8080"]
    assert {target.partition(":")[0] for targets in jobs.values() for target in targets} <= {*SERVICES, "localhost"}
    asked = set(re.findall(r'job="(\w+)"', (tmp_path / "rules.yml").read_text(encoding="utf-8")))
    assert asked <= jobs.keys()


@pytest.mark.postgres
def test_grafanas_user_reads_the_views_of_operations_and_nothing_else(postgres_server: str, tmp_path: Path) -> None:
    address = new_database(postgres_server)
    owner = open_store(address)
    script = (STACK / "postgres-roles.sh").read_text().split("<<'SQL'\n")[1].removesuffix("SQL\n")
    with owner.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS grafana"))
        for line in script.splitlines():
            if not line.startswith(f"CREATE ROLE {OPERATIONS_ROLE}"):  # the store has made it
                connection.exec_driver_sql(line.replace(":'password'", "'word'"))
    grafana = create_engine(owner.url.set(username="grafana"))
    try:
        with grafana.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM operations.incidents")).scalar() == 0
        for forbidden in (
            "SELECT * FROM public.incidents",
            "SELECT * FROM published.hours",
            "CREATE TABLE mine (n int)",
        ):
            with (
                grafana.connect() as connection,
                pytest.raises(Exception, match=r"permission denied|read-only") as refused,
            ):
                connection.execute(text(forbidden))
            assert isinstance(refused.value, ProgrammingError) or "read-only" in str(refused.value)
    finally:
        grafana.dispose()
        with owner.begin() as connection:
            connection.execute(text("DROP ROLE grafana"))
        owner.dispose()


def test_the_simulated_stream_ends_now(tmp_path: Path) -> None:
    out = tmp_path / "stream.jsonl"
    words = ["simulate", "--scenario", "airline-day", "--days", "0.1", "--learn-days", "0.1", "--until-now"]
    assert CliRunner().invoke(main, [*words, "--out", str(out)]).exit_code == 0
    newest = max(time.time() - age for age in ages(out))
    assert 0 < time.time() - newest < 2 * 3600


def ages(path: Path) -> list[float]:
    """Seconds since each record with a readable time."""
    said = re.findall(r'"created_at": ?"(\d{4}-\d\d-\d\dT[^"]+)"', path.read_text(encoding="utf-8"))
    return [time.time() - datetime.fromisoformat(one).timestamp() for one in said]
