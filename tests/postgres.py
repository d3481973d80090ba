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
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

START_SECONDS = 30.0


def program() -> str | None:
    """The newest server installed, as Debian places it; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which("postgres")


@contextmanager
def running() -> Iterator[str]:
    """The address of a server that ends with the block. Raises FileNotFoundError where none is installed."""
    server = program()
    if server is None:
        raise FileNotFoundError("no PostgreSQL here: apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="overheard-postgres-") as name, socket.socket() as probe:
        folder = Path(name)
        shutil.chown(folder, user)
        initdb = [
            str(Path(server).with_name("initdb")),
            "-D",
            name,
            "-U",
            "overheard",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-N",
        ]
        subprocess.run(initdb, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ["-D", name, "-p", str(port), "-k", name, "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([server, *options], user=user, cwd="/", stdout=log, stderr=log)
        try:
            url = f"postgresql+psycopg://overheard@127.0.0.1:{port}/postgres"
            _wait_for(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # what it holds goes anyhow
            process.wait(20)


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
