"""What Faust and aiokafka log goes where ours goes, and not more often than people can read: three lines a minute of each kind."""

from __future__ import annotations

import logging
import time

import structlog

LINES_A_MINUTE = 3
NOISY = ("faust", "mode", "aiokafka", "kafka")
_log = structlog.get_logger("foreign")


class Thinned(logging.Handler):
    """Passes warnings and errors on; of one kind (logger and line of code) three a minute, then their number."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kinds: dict[tuple[str, int], list[float]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on, or count it."""
        now = time.monotonic()
        kind = self._kinds.setdefault((record.pathname, record.lineno), [now, 0.0])
        if now - kind[0] > 60.0:
            kind[:] = [now, 0.0]
        kind[1] += 1
        if kind[1] > LINES_A_MINUTE:
            return
        say = _log.error if record.levelno >= logging.ERROR else _log.warning
        said = record.getMessage().splitlines()
        say(
            said[0][:300] if said else "",
            logger=record.name,
            more="kept quiet for a minute" if kind[1] == LINES_A_MINUTE else None,
        )


def quieten() -> None:
    """Once a process."""
    handler = Thinned()
    for name in NOISY:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)
