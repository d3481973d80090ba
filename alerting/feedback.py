"""What people's verdicts say of each rule, tier and channel. It is told in words; it changes no threshold and no configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from alerting.model import Incident

ENOUGH = 5  # verdicts from which something can be said
DOUBTFUL = 0.5  # a rule that is right less often than that is worth a look
OFTEN_KNOWN = 3


class Count(msgspec.Struct, frozen=True):
    """Incidents of one rule, tier or channel by what people said of them."""

    name: str
    real: int = 0
    not_real: int = 0
    known_event: int = 0
    unanswered: int = 0

    @property
    def total(self) -> int:
        return self.real + self.not_real + self.known_event + self.unanswered

    @property
    def precision(self) -> float | None:
        """Share of real ones among those judged real or not; None where none was. A known event says nothing of a rule."""
        judged = self.real + self.not_real
        return self.real / judged if judged else None

    def line(self) -> str:
        """ "6 real, 2 not real, 1 known event, 3 unanswered: 75 % of those judged were real"."""
        events = f"{self.known_event} known event{'' if self.known_event == 1 else 's'}"
        said = f"{self.real} real, {self.not_real} not real, {events}, {self.unanswered} unanswered"
        share = "nobody judged one" if self.precision is None else f"{self.precision:.0%} of those judged were real"
        return f"{said}: {share.replace('%', ' %')}"


class Report(msgspec.Struct, frozen=True):
    """Each list with the most incidents first."""

    rules: tuple[Count, ...]  # by top keyword
    tiers: tuple[Count, ...]
    channels: tuple[Count, ...]  # by whom it was told: names of the configuration
    advice: tuple[str, ...]


def report(incidents: Iterable[Incident], told: Mapping[str, Collection[str]] | None = None) -> Report:
    """Count the newest revisions of incidents that were ever suspected; `told`: by incident id, the channels that heard of it."""
    rules: dict[str, list[Incident]] = {}
    tiers: dict[str, list[Incident]] = {}
    channels: dict[str, list[Incident]] = {}
    for one in incidents:
        if one.suspected_at is None or one.drill or one.merged_into is not None:
            continue
        for rule in {keyword.split("/")[0] for keyword in one.keywords}:
            rules.setdefault(rule, []).append(one)
        tiers.setdefault("suspected" if one.confirmed_at is None else "confirmed", []).append(one)
        for channel in (told or {}).get(one.id, ()):
            channels.setdefault(channel, []).append(one)
    counted = _counted(rules)
    advice = tuple(line for one in counted if (line := _advice(one)) is not None)
    return Report(counted, _counted(tiers), _counted(channels), advice)


def _counted(found: Mapping[str, list[Incident]]) -> tuple[Count, ...]:
    counts = [Count(name, *_verdicts(group)) for name, group in found.items()]
    return tuple(sorted(counts, key=lambda one: (-one.total, one.name)))


def _verdicts(group: Iterable[Incident]) -> tuple[int, int, int, int]:
    said = [one.verdict for one in group]
    kinds = ("real", "not_real", "known_event", None)
    return tuple(said.count(kind) for kind in kinds)  # type: ignore[return-value]


def _advice(one: Count) -> str | None:
    judged = one.real + one.not_real
    if one.known_event >= OFTEN_KNOWN:
        return (
            f"{one.name}: {one.known_event} incidents were known events. Tell such days beforehand as planned events, "
            "then only what exceeds them is told."
        )
    if judged >= ENOUGH and one.precision is not None and one.precision < DOUBTFUL:
        return (
            f"{one.name}: {one.not_real} of {judged} judged incidents were not real. Look in its examples for what its words "
            "in the pack hear wrongly, and have the change reviewed; nothing is changed by itself."
        )
    if one.total >= ENOUGH and one.unanswered > one.total / 2:
        return f"{one.name}: {one.unanswered} of {one.total} incidents have no verdict, so little can be said of it."
    return None
