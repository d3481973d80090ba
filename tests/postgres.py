"""A PostgreSQL server of the tests' own: a free port, a folder that goes with it, ended by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

START_SECONDS = 30.0


def program() -> str | None:
    """The newest server installed, as Debian places it; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which("postgres")


class Server:
    """One that can be killed and started again on what it has kept. Raises FileNotFoundError where none is installed."""

    def __init__(self, folder: Path) -> None:
        found = program()
        if found is None:
            raise FileNotFoundError("no PostgreSQL here: apt-get install postgresql")
        self._folder, self._program = folder, found
        self._user = (
            "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        )  # it refuses to run as root
        shutil.chown(folder, self._user)
        initdb = [
            str(Path(found).with_name("initdb")),
            "-D",
            str(folder),
            "-U",
            "overheard",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-N",
        ]
        subprocess.run(initdb, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd="/")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"postgresql+psycopg://overheard@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Until it answers."""
        folder = str(self._folder)
        options = [
            "-D",
            folder,
            "-p",
            str(self.port),
            "-k",
            folder,
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *options], user=self._user, cwd="/", stdout=log, stderr=log
            )
        _wait_for(self.url, self._process, self._folder / "log")
        return self

    def kill(self) -> None:
        """kill -9, with all its processes; what it has not kept it finds in its own log."""
        if self._process is not None:
            pid = self._process.pid
            parts = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for one in (pid, *map(int, parts)):
                with suppress(ProcessLookupError):  # those that saw the first one go
                    os.kill(one, signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def end(self) -> None:
        """At once; unlike `kill` it lets go of the memory it shares."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None


@contextmanager
def running() -> Iterator[str]:
    """The address of a server that ends with the block. Raises FileNotFoundError where none is installed."""
    with tempfile.TemporaryDirectory(prefix="overheard-postgres-") as name:
        server = Server(Path(name)).start()
        try:
            yield server.url
        finally:
            server.end()  # what it holds goes anyhow


def new_database(server: str) -> str:
    """The address of an empty database made on the server."""
    name = f"test_{next(NUMBERS)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.rsplit("/", 1)[0] + f"/{name}"


NUMBERS = count(1)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(url)
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            engine.connect().close()
        except OperationalError:
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.1)
        else:
            engine.dispose()
            return
