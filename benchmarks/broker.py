"""A real Kafka broker for benchmarks and tests: one KRaft node in a folder of its own, on free ports of the loopback.

The jars come from Maven Central once, into a cache folder. The broker may be killed, stopped and started again on the same ports and data.
"""

from __future__ import annotations

import base64
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "4.1.2"
JARS = {
    "org.apache.kafka:kafka_2.13": VERSION,
    "org.apache.kafka:kafka-tools": VERSION,
    "org.apache.logging.log4j:log4j-core": "2.24.3",
    "org.apache.logging.log4j:log4j-slf4j-impl": "2.24.3",
}
HEAP = "512m"
START_SECONDS = 90.0
PORTS = range(
    20_000, 32_000
)  # below those that outgoing connections take, so that no client ever sits on a broker's port

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""
LOGGING = """
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
"""


class BrokerUnavailableError(RuntimeError):
    """There can be no broker on this machine; the message says what is missing and which package brings it."""


def cache_folder() -> Path:
    """Where the jars lie, shared by all checkouts."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "overheard" / f"kafka-{VERSION}"


def jars() -> Path:
    """The folder of the jars, fetched if they are not there yet. Raises BrokerUnavailableError."""
    if shutil.which("java") is None:
        raise BrokerUnavailableError("java: apt-get install openjdk-17-jre-headless")
    folder = cache_folder()
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise BrokerUnavailableError("mvn: apt-get install maven")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "kafka.lock").open("w") as lock, tempfile.TemporaryDirectory(dir=folder.parent) as name:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():  # somebody else was faster
            return folder
        (Path(name) / "pom.xml").write_text(_pom(), encoding="utf-8")
        fetched = Path(name) / "jars"
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True)
        if done.returncode:
            raise BrokerUnavailableError(
                f"Kafka's jars cannot be fetched: {(done.stdout + done.stderr).strip()[-500:]}"
            )
        fetched.rename(folder)
    return folder


def _pom() -> str:
    wanted = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        for (group, artifact), version in ((name.split(":"), version) for name, version in JARS.items())
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>overheard</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>{wanted}</dependencies></project>"
    )


def free_port(avoid: tuple[int, ...] = ()) -> int:
    """A port nobody listens on now, and that no outgoing connection will take."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            if port not in avoid and probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Broker:
    """One broker with its data in `folder`. `proxied` is what it tells clients that came in by its port `behind`, which only a proxy knows."""

    def __init__(self, folder: Path, data: Path | None = None, *, settings: str = "") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.jars = jars()
        taken: list[int] = []
        for _ in range(4):
            taken.append(free_port(tuple(taken)))
        self.port, self.behind, self.proxied, controller = taken
        self.address = f"127.0.0.1:{self.port}"
        self._properties = folder / "server.properties"
        ports = {"port": self.port, "behind": self.behind, "proxy": self.proxied, "controller": controller}
        self._properties.write_text(
            PROPERTIES.format(**ports, data=data or folder / "data") + settings, encoding="utf-8"
        )
        (folder / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        cluster = (
            "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        )  # one that begins with - is taken for an option
        self._run("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties))

    def start(self) -> None:
        """Begin, and wait until clients are taken. Raises RuntimeError with the end of its log."""
        with (self.folder / "log").open("ab") as log:
            command = [*self._command(HEAP), "kafka.Kafka", str(self._properties)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the broker did not start: {self.log()}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly end; kill -9 after 20 s."""
        self._end(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP."""
        assert self.process is not None
        self.process.send_signal(number)

    def log(self) -> str:
        """The end of what it logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _command(self, heap: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", logging, "-cp", f"{self.jars}/*"]

    def _run(self, *words: str) -> None:
        done = subprocess.run([*self._command("128m"), *words], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {(done.stdout + done.stderr).strip()[-1000:]}")


@contextmanager
def running(settings: str = "") -> Iterator[Broker]:
    """A started broker in a temporary folder, ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="overheard-kafka-") as name:
        broker = Broker(Path(name), settings=settings)
        broker.start()
        try:
            yield broker
        finally:
            broker.kill()
