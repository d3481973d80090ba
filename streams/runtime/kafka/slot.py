"""Which of a machine's workers this is: the first number no other one holds, so that a worker that comes back is known by its group."""

from __future__ import annotations

import re
import socket
from itertools import count
from pathlib import Path

from streams.runtime.lock import Lock, LockedError


class Slot:
    """Held until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        for number in count(1):
            try:
                self.lock = Lock(folder / f"worker-{number}")
                break
            except LockedError:
                continue
        self.number = number

    @property
    def instance(self) -> str:
        """The worker's name in its group."""
        host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:80]
        return f"{host}-{self.number}"
