"""Counts in, p-values out."""

from detectors.alert_budget import budget
from detectors.base import Detector, Scores
from detectors.registry import DETECTORS, create

__all__ = ["DETECTORS", "Detector", "Scores", "budget", "create"]
