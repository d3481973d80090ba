"""How the service logs: JSON lines on standard error, or readable ones on a terminal. Never what people wrote, nor who they are."""

from __future__ import annotations

import sys

import structlog


def configure() -> None:
    """Set structlog up, once a process."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
