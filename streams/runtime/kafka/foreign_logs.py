"""What Faust and aiokafka log goes where ours goes, and not more often than people can read."""

from __future__ import annotations

import logging
import time

import structlog

LINES_A_MINUTE = 2  # of one kind: a line of code
ALL_LINES_A_MINUTE = 12
NOISY = ("faust", "mode", "aiokafka", "kafka")
_log = structlog.get_logger("foreign")


class Thinned(logging.Handler):
    """Passes warnings and errors on, two a minute of each kind, twelve of all."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kinds: dict[tuple[str, int], int] = {}
        self._since, self._lines = time.monotonic(), 0

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on, or keep quiet."""
        now = time.monotonic()
        if now - self._since > 60.0:
            self._since, self._lines, self._kinds = now, 0, {}
        kind = (record.pathname, record.lineno)
        count = self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if count > LINES_A_MINUTE or self._lines >= ALL_LINES_A_MINUTE:
            return
        self._lines += 1
        say = _log.error if record.levelno >= logging.ERROR else _log.warning
        said = (record.getMessage().splitlines() or [""])[0][:300]
        if record.exc_info and record.exc_info[0] is not None:
            said = f"{said} ({record.exc_info[0].__name__}: {record.exc_info[1]})"
        say(said, logger=record.name, more_kept_quiet=count == LINES_A_MINUTE)


def quieten() -> None:
    """Once a process."""
    handler = Thinned()
    for name in NOISY:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)
