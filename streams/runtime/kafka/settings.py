"""Settings of the workers on Kafka: the section `kafka`. Secrets come by environment or by file."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class KafkaSettings(BaseModel):
    """Where the brokers are, how to reach them, and how a worker behaves in its group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brokers: tuple[str, ...] = ("127.0.0.1:9092",)
    prefix: str = Field(default="overheard", pattern=r"^[A-Za-z0-9._-]{1,100}$")  # of topics; also the group's name
    partitions: int = Field(default=8, ge=1, le=256)  # of the complaints, where the topic is made by us
    replication: int = Field(default=1, ge=1, le=9)
    create_topics: bool = True
    instance: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")  # by host and slot when not given
    session_timeout_seconds: float = Field(default=8.0, ge=6.0, le=10.0)
    watchdog_seconds: float = Field(default=60.0, ge=5.0)
    figures_host: str = "127.0.0.1"  # where a worker shows /metrics, /healthz, /readyz; these ask for no token
    poll_records: int = Field(default=2000, ge=1, le=100_000)
    security: Literal["plaintext", "tls", "sasl_plaintext", "sasl_tls"] = "plaintext"
    plaintext_off_loopback: bool = False
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None  # only by OVERHEARD_KAFKA_PASSWORD
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @field_validator("brokers", mode="before")
    @classmethod
    def _listed(cls, brokers: Any) -> Any:
        return tuple(part.strip() for part in brokers.split(",")) if isinstance(brokers, str) else brokers

    @field_validator("brokers")
    @classmethod
    def _with_ports(cls, brokers: tuple[str, ...]) -> tuple[str, ...]:
        for broker in brokers:
            host, _, port = broker.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{broker!r} is not host:port")
        if not brokers:
            raise ValueError("one host:port at least")
        return brokers

    @model_validator(mode="after")
    def _safe(self) -> KafkaSettings:
        off = [broker for broker in self.brokers if not _loopback(broker)]
        if off and self.security in ("plaintext", "sasl_plaintext") and not self.plaintext_off_loopback:
            raise ValueError(
                f"security: {off[0]} is on another machine, and {self.security} would send complaints and passwords in the clear: "
                "set it to tls or sasl_tls (or say plaintext_off_loopback = true)"
            )
        if self.sasl and not self.username:
            raise ValueError("username: required for sasl")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        return self

    @property
    def sasl(self) -> bool:
        """Whether a name and password are sent."""
        return self.security.startswith("sasl")

    @property
    def loopback(self) -> bool:
        """Whether all brokers are on this machine."""
        return all(_loopback(broker) for broker in self.brokers)

    def problems(self) -> list[str]:
        """What only the machine can tell."""
        found = []
        for name in ("password_file", "ca_file", "certificate_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                found.append(f"kafka.{name}: no such file: {path}")
        if self.sasl and self.password is None and self.password_file is None:
            found.append("kafka.password_file: required for sasl (or OVERHEARD_KAFKA_PASSWORD)")
        return found

    def context(self) -> ssl.SSLContext | None:
        """What TLS trusts and shows; None without TLS. Raises OSError, ssl.SSLError."""
        if self.security not in ("tls", "sasl_tls"):
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

    def read_password(self) -> str:
        """The password. Raises OSError."""
        if self.password is not None:
            return self.password.get_secret_value()
        return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else ""

    def client(self) -> dict[str, Any]:
        """How aiokafka's clients are told to connect."""
        protocol = {"plaintext": "PLAINTEXT", "tls": "SSL", "sasl_plaintext": "SASL_PLAINTEXT", "sasl_tls": "SASL_SSL"}
        given: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers),
            "security_protocol": protocol[self.security],
            "ssl_context": self.context(),
        }
        if self.sasl:
            given |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.read_password(),
            }
        return given


def _loopback(broker: str) -> bool:
    host = broker.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
