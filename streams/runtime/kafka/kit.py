"""What every stage of a deployment is made of: built once a worker from the configuration, the same on all of them."""

from __future__ import annotations

import msgspec

from alerting.alerts import Alerts
from alerting.policy import Policy
from streams.channels import CHANNELS
from streams.detect import Detect, DetectConfig
from streams.intake import Intake
from streams.pipeline import Pipeline, PipelineConfig
from streams.snapshot import prime


class Kit:
    """Makes stages. How many partitions there are is no part of the configuration here, for it may change."""

    def __init__(self, config: PipelineConfig, secret: bytes, baselines: bytes | None = None) -> None:
        """Raises PackError, and ValueError where the baselines do not fit."""
        self.pipeline = Pipeline(msgspec.structs.replace(config, partitions=1), secret)
        self.config = self.pipeline.config
        self.digest = self.pipeline.digest
        self.places, self.keywords = self.pipeline.places, self.pipeline.keywords
        self.window_seconds = self.pipeline.window_seconds
        self.primed = baselines is not None
        self._baselines = baselines
        if baselines is not None:
            self.pipeline.prime(baselines)

    def intake(self, partition: int) -> Intake:
        """A fresh INTAKE."""
        made = Intake(self.pipeline.intakes[0].config, partition)
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
