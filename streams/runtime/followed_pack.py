"""Looks whether the pack's file has changed; a pack that can be used goes into the log, and counts from there on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog

from alerting.model import Control
from streams.pack import PackError, pack_file, parse_pack, read_pack
from streams.pipeline import Pipeline
from streams.runtime.store.reader import Health

log = structlog.get_logger(__name__)


class FollowedPack:
    """One pack's file. Why a changed one is refused is told once in the log, and on the page until it is mended."""

    def __init__(
        self, name: str, pipeline: Pipeline, append: Callable[[Control], Awaitable[None]], health: Health
    ) -> None:
        self.path = pack_file(name)
        self.pipeline = pipeline
        self.append = append
        self.health = health
        self._seen = (0, 0)

    async def look(self) -> None:
        """Offer the pack to the log when the file is another than at the last look. Raises what `append` raises."""
        try:
            at = self.path.stat()
            if (at.st_mtime_ns, at.st_size) == self._seen:
                return
            text = read_pack(self.path)
            pack = parse_pack(text, str(self.path))
        except (OSError, PackError) as error:
            self._refuse(str(error))
            return
        if refused := self.pipeline.refuses(pack):
            self._refuse(f"{self.path}: {refused}")
        else:
            self.health.pack = None
            if pack != self.pipeline.pack:
                act = Control(
                    id=uuid4().hex,
                    kind="pack",
                    at=time.time(),
                    author="overheard",
                    value=text,
                    reason=pack.name,
                    via="config",
                )
                await self.append(act)
                log.info("pack changed", file=self.path.name)
        self._seen = (at.st_mtime_ns, at.st_size)

    def _refuse(self, why: str) -> None:
        if why != self.health.pack:
            log.error("pack refused; the one before stays", reason=why)
            self.health.pack = why
