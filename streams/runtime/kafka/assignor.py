"""Who owns which partition: complaints are dealt out evenly, detection has one owner, delivery another where there are two workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from streams.runtime.kafka import topics


def dealt(members: Iterable[str], partitions: Mapping[str, int]) -> dict[str, dict[str, list[int]]]:
    """Partitions by topic for each member, given how many each topic has.

    Members are sorted by id, which begins with the worker's instance name: a worker that comes back gets what it had.
    """
    ranked = sorted(members)
    found: dict[str, dict[str, list[int]]] = {member: {} for member in ranked}
    for topic, count in sorted(partitions.items()):
        if topic.endswith(f".{topics.COMPLAINTS.name}"):
            for partition in range(count):
                found[ranked[partition % len(ranked)]].setdefault(topic, []).append(partition)
        else:
            owner = ranked[-1] if topic.endswith(f".{topics.PARTS.name}") else ranked[max(0, len(ranked) - 2)]
            found[owner][topic] = list(range(count))
    return found


class Assignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """`dealt`, as aiokafka asks for it."""

    name = "overheard"
    version = 0

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The leader's decision for all members."""
        wanted = {topic for metadata in members.values() for topic in metadata.subscription}
        partitions = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in wanted}
        return {
            member: ConsumerProtocolMemberAssignment(cls.version, sorted(owned.items()), b"")
            for member, owned in dealt(members, partitions).items()
        }

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What a member tells of itself."""
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: Any) -> None:
        """Nothing to remember."""
