"""TLS and SASL against a real broker that takes nothing else, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from ground import Ground, complaint
from pydantic import ValidationError

from benchmarks.broker import Broker
from streams.runtime.kafka.cluster import KafkaCluster
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.section import SettingsError
from streams.runtime.settings import load_settings

PASSWORD = "a long secret"
SECURED = """
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:SASL_SSL,CONTROLLER:PLAINTEXT
listener.name.behind.sasl.enabled.mechanisms=PLAIN
listener.name.behind.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_counter="{password}";
listener.name.behind.ssl.keystore.location={folder}/keys.p12
listener.name.behind.ssl.keystore.password=changeit
listener.name.behind.ssl.keystore.type=PKCS12
"""


@pytest.fixture
def secured(tmp_path: Path, own_broker: Broker) -> tuple[str, Path]:
    """The address of a broker's TLS and SASL port, and the certificate to trust."""
    own_broker.kill()
    keytool = shutil.which("keytool") or "keytool"
    store = ["-keystore", "keys.p12", "-storepass", "changeit", "-alias", "broker"]
    made = [
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-dname",
        "CN=127.0.0.1",
        "-ext",
        "SAN=ip:127.0.0.1",
        "-storetype",
        "PKCS12",
        *store,
    ]
    subprocess.run([keytool, *made], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(
        [keytool, "-exportcert", "-rfc", "-file", "ca.pem", *store], cwd=tmp_path, check=True, capture_output=True
    )
    properties = own_broker.folder / "server.properties"
    said = properties.read_text().replace(
        f"BEHIND://127.0.0.1:{own_broker.proxied}", f"BEHIND://127.0.0.1:{own_broker.behind}"
    )
    properties.write_text(said + SECURED.format(password=PASSWORD, folder=tmp_path))
    own_broker.start()
    return f"127.0.0.1:{own_broker.behind}", tmp_path / "ca.pem"


def test_a_worker_counts_over_tls_and_sasl(secured: tuple[str, Path], own_broker: Broker, tmp_path: Path) -> None:
    address, certificate = secured
    ground = Ground(tmp_path / "ground", own_broker.address)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    said: dict[str, Any] = {
        "brokers": (address,), "prefix": ground.prefix, "partitions": 2, "security": "sasl_tls", "mechanism": "PLAIN",
        "username": "counter", "password_file": tmp_path / "password", "ca_file": certificate,
    }  # fmt: skip
    ground.kafka = KafkaSettings(**said)
    ground.settings = ground.settings.model_copy(update={"kafka": ground.kafka})

    async def lived() -> int:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(40)])
            await ground.settled(worker)
            return sum(stage.records for tp, stage in worker.stages.owned.items() if tp.topic.endswith("complaints"))

    assert asyncio.run(lived()) == 40
    (tmp_path / "password").write_text("wrong")

    async def refused() -> None:
        cluster = KafkaCluster(ground.kafka)
        try:
            await cluster.begin()
        finally:
            await cluster.end()

    with pytest.raises(KafkaError, match="Unable to bootstrap"):
        asyncio.run(refused())


@pytest.mark.parametrize("security", ["plaintext", "sasl_plaintext"])
def test_plain_text_to_another_machine_is_refused_unless_it_is_said(security: str) -> None:
    said: dict[str, Any] = {"brokers": "127.0.0.1:9092, kafka.example:9092", "security": security, "username": "u"}
    with pytest.raises(ValidationError, match=r"kafka\.example:9092 is on another machine"):
        KafkaSettings(**said)
    assert KafkaSettings(**said, plaintext_off_loopback=True).brokers == ("127.0.0.1:9092", "kafka.example:9092")
    assert not KafkaSettings(brokers=("kafka.example:9092",), security="tls").loopback


def test_every_error_of_the_section_is_told(tmp_path: Path) -> None:
    path = tmp_path / "overheard.toml"
    path.write_text(
        '[kafka]\nbrokers = ["nowhere"]\nsession_timeout_seconds = 60\npassword = "x"\nserializer = "pickle"\n'
    )
    with pytest.raises(SettingsError) as told:
        load_settings(path, {})
    text = str(told.value)
    for part in (
        "kafka.password: a secret",
        "'nowhere' is not host:port",
        "kafka.session_timeout_seconds",
        "kafka.serializer",
    ):
        assert part in text
    path.write_text(
        '[kafka]\nbrokers = ["kafka.example:9093"]\nsecurity = "sasl_tls"\nusername = "u"\nca_file = "gone.pem"\n'
    )
    with pytest.raises(SettingsError) as told:
        load_settings(path, {})
    assert len(told.value.problems) == 3
    assert "all workers must have the same" in str(told.value)
    secrets = {
        "OVERHEARD_SERVICE_SECRET": "s",
        "OVERHEARD_KAFKA_PASSWORD": "p",
        "OVERHEARD_KAFKA_BROKERS": "127.0.0.1:1,127.0.0.1:2",
    }
    path.write_text('[kafka]\nsecurity = "sasl_tls"\nusername = "u"\n')
    settings = load_settings(path, secrets)
    assert settings.kafka is not None
    assert settings.kafka.client()["sasl_plain_password"] == "p"
    assert settings.kafka.client()["bootstrap_servers"] == ["127.0.0.1:1", "127.0.0.1:2"]
    assert "p'" not in repr(settings.kafka.password)
