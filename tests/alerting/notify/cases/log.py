"""The log, written as a service does and as a terminal shows it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from unittest.mock import patch

import orjson
import structlog

from alerting.notify import log
from tests.alerting.notify.cases.base import OBEYED, Case

MOST_LINE_BYTES = 16 * 1024  # what the journal of systemd and Docker keep in one piece


class Written:
    """What was logged, as JSON lines and as a terminal shows it."""

    def __init__(self) -> None:
        self.json, self.terminal = io.StringIO(), io.StringIO()

    @property
    def requests(self) -> list[Any]:
        return [orjson.loads(line) for line in self.json.getvalue().split("\n")[:-1]]

    def warning(self, event: str, **fields: object) -> None:
        show = structlog.dev.ConsoleRenderer(colors=False)
        for stream, renderer in ((self.json, structlog.processors.JSONRenderer()), (self.terminal, show)):
            structlog.wrap_logger(structlog.PrintLogger(stream), processors=[renderer]).warning(event, **fields)


class LogCase(Case):
    kind = "log"

    def receiver(self) -> AbstractAsyncContextManager[Written]:
        @asynccontextmanager
        async def logging() -> AsyncIterator[Written]:
            written = Written()
            with patch.object(log, "log", written):
                yield written

        return logging()

    def settings(self, receiver: Written) -> dict[str, Any]:
        return {"kind": "log"}

    def assert_harmless(self, receiver: Written, payload: str) -> None:
        for stream in (receiver.json, receiver.terminal):
            (line,) = stream.getvalue().split("\n")[:-1]
            assert not OBEYED.search(line), ascii(line[:300])

    def assert_within_limits(self, receiver: Written) -> None:
        assert len(receiver.json.getvalue().encode()) < MOST_LINE_BYTES
