"""What every stage of a deployment is made of: built once a worker from the configuration, the same on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import msgspec
import structlog

from alerting.alerts import Alerts
from alerting.policy import Policy
from streams.channels import CHANNELS
from streams.detect import Detect, DetectConfig
from streams.intake import Intake
from streams.keyword_tree import Node
from streams.pack import Pack, PackError, parse_pack
from streams.pipeline import Pipeline, PipelineConfig
from streams.snapshot import prime

log = structlog.get_logger(__name__)


class Kit:
    """Makes stages. How many partitions there are is no part of the configuration here, for it may change."""

    def __init__(self, config: PipelineConfig, secret: bytes, baselines: bytes | None = None) -> None:
        """Raises PackError, and ValueError where the baselines do not fit."""
        self.pipeline = Pipeline(msgspec.structs.replace(config, partitions=1), secret)
        self.config = self.pipeline.config
        self.base = self.pipeline.base
        self.places = self.pipeline.places
        self.window_seconds = self.pipeline.window_seconds
        self.primed = baselines is not None
        self._baselines = baselines
        if baselines is not None:
            self.pipeline.prime(baselines)
        self._take_keywords()
        self._after: dict[tuple[Pack, tuple[Node, ...]], Kit] = {}

    def _take_keywords(self) -> None:
        self.pack, self.keywords = self.pipeline.pack, self.pipeline.keywords
        self.digest = self.pipeline.digest
        self.intake_config = self.pipeline.intake_config()

    def begun_with(self, pack: Pack | None) -> Kit:
        """The kit of a deployment that began with this pack; None: with this kit's own."""
        return self if pack is None or pack == self.pack else self.after(pack, ())

    def after(self, pack: Pack, before: Sequence[Node]) -> Kit:
        """The kit for another pack, in which the keywords of `before` keep their numbers."""
        known = (pack, tuple(before))
        if known == (self.pack, tuple(self.keywords.nodes())):
            return self
        if known not in self._after:
            made = copy(self)
            made.pipeline = copy(self.pipeline)
            made.pipeline.intakes = {}
            made.pipeline.hear(pack, before)
            made._take_keywords()
            self._after[known] = made
        return self._after[known]

    def changed(self, text: str) -> Kit | None:
        """The kit after a change to the pack written in `text`; None where that cannot be."""
        try:
            pack = parse_pack(text, "pack")
        except PackError as error:
            log.error("pack refused; the one before stays", reason=str(error))
            return None
        if refused := self.pipeline.refuses(pack):
            log.error("pack refused; the one before stays", reason=refused)
            return None
        return self.after(pack, self.keywords.nodes())

    def intake(self, partition: int) -> Intake:
        """A fresh INTAKE."""
        made = Intake(self.intake_config, partition)
        if self.primed:
            made.begin_at(self.pipeline.detect.closed_until)
        return made

    def detect(self) -> Detect:
        """A fresh DETECT and ALERT, whose partition set is still to be declared."""
        config = self.config
        policy = Policy(budget_per_week=config.budget_per_week, window_seconds=self.window_seconds)
        alerts = Alerts(policy, self.places, self.keywords, CHANNELS)
        settings = DetectConfig(
            self.places, self.window_seconds, config.lateness_seconds, (), config.detector, self.digest
        )
        made = Detect(settings, alerts)
        if self._baselines is not None:
            prime(made, self._baselines, f"{self.keywords.digest} {self.places.digest}")
        return made
