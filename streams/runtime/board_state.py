"""What the board shows about the whole service, read off DETECT at a commit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from detectors.together import distinct

if TYPE_CHECKING:
    from alerting.model import Blind
    from streams.detect import Detect

MOST_WORDS = 20
LEARNING_SECONDS = 14 * 86400.0  # two of every hour of the week


def board_state(detect: Detect, watermark: float, *, primed: bool) -> dict[str, Any]:
    """Single values for the store; `watermark`: the least of all partitions; `primed`: the baselines were learnt from history."""
    state: dict[str, Any] = {
        "window_seconds": detect.config.window_seconds,
        "budget_per_week": detect.alerts.policy.budget_per_week,
        "budget_spent": float(detect.alerts.spent),
        "new_words": new_words(detect),
    }
    if math.isfinite(watermark):
        state["watermark"] = watermark
    if math.isfinite(detect.closed_until):
        state["last_close"] = detect.closed_until
    first_hour = min((rate.first_hour for rate in detect.sources.rates.values()), default=None)
    if first_hour is not None and not primed:
        state["learning_until"] = first_hour * 3600 + LEARNING_SECONDS
    return state


def new_words(detect: Detect) -> list[dict[str, Any]]:
    """Terms that emerge, strongest first, and where; a word of a pair that is told is not told again."""
    return [
        {
            "word": one.term,
            "people": one.people,
            "expected": round(one.expected, 2),
            "since": one.since,
            "place": detect.config.places.id(one.place),
        }
        for one in distinct(detect.emerging.found)[:MOST_WORDS]
    ]


def blind_now(detect: Detect) -> tuple[Blind, ...]:
    """The sources that were blind at the newest close."""
    return detect.sources.blind(detect.closed_until) if math.isfinite(detect.closed_until) else ()


def usual_per_hour(detect: Detect, now: float) -> dict[str, float]:
    """Records each source usually brings in the hour of `now` (Unix seconds)."""
    return {name: rate.rate(int(now // 3600)) for name, rate in detect.sources.rates.items()}
