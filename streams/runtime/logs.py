"""How the service logs: JSON lines on standard error, or readable ones on a terminal. Never what people wrote, nor who they are."""

from __future__ import annotations

import sys

import structlog


def configure(*, quiet: bool = False) -> None:
    """Set structlog up, once a process; `quiet` leaves only warnings and errors."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("warning" if quiet else "info"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
