"""The whole way of a complaint, on one page.

    log entry ─► INTAKE (intake.py), one per partition
                   codec.decode       bytes to a complaint, or a dead letter with its reason
                   watermark          event time; records far ahead wait for a second author
                   voices.Seen        dedupe by (source, id)
                   text, taxonomy     keywords and place names in one scan
                   resolver           the place: given, measured, said, or of the profile
                   copies, voices     reposts, copies and repeats are messages; an author's first in the hour is a voice
                   window             counted; when the watermark passes the window's end: a part
              ─► DETECT (detect.py), one owner
                   merge, roll up     partitions together, places up their tree
                   blind              sources whose silence is not chance
                   detectors          p-value, expected, upper of every series that moved
              ─► ALERT (alerting.alerts): gates, tightest scope, incident revisions
              ─► learn, held where an incident is open

Embedded and on Kafka the same objects run; a result is a function of configuration and log alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from alerting.alerts import Alerts
from alerting.model import Control, Incident
from alerting.policy import Policy
from streams.channels import CHANNELS, channel_of
from streams.closed import Cells, Revision
from streams.complaint import DeadLetter, Record, Tick
from streams.detect import Detect, DetectConfig
from streams.evidence import Describer
from streams.intake import Intake
from streams.intake_config import IntakeConfig
from streams.keyword_tree import Node
from streams.pack import MAX_NODES, Pack, PackError, load_pack, parse_pack
from streams.part import SourceCount
from streams.places import Places
from streams.resolver import Resolver
from streams.snapshot import baselines, prime, restore_detect, restore_intake, snapshot_detect, snapshot_intake
from streams.taxonomy import Taxonomy
from streams.word_places import sites
from streams.words import WordCounter

REPLAY_SECRET = b"overheard replay: a known key, so that two replays give the same bytes"[:64]
VERSION = 8  # of what a configuration and a log give; part of the config hash


_State = tuple[int, str, tuple[Pack, list[Node]], dict[int, bytes], bytes]


class SourceConfig(msgspec.Struct, frozen=True):
    """What is known of a source besides its records; `name` is a source, or a prefix ending in `*`."""

    name: str
    channel: str | None = None
    timezone: str | None = None


class PipelineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a result, besides the log."""

    pack: str  # a shipped pack's name, or a path
    window_seconds: int | None = None  # the pack's own when None
    lateness_seconds: float = 60.0
    budget_per_week: float = 0.25
    partitions: int = 1
    detector: str = "default"
    timezone: str | None = None  # of times without zone, where the source sets none
    sources: tuple[SourceConfig, ...] = ()
    spots: tuple[Mapping[str, Any], ...] = ()
    baselines: str | None = None  # hash of primed baselines


class Outputs(NamedTuple):
    """What a batch of log entries gave, in order."""

    incidents: list[Incident]
    cells: list[Cells]
    revisions: list[Revision]  # of late rows
    dead_letters: list[DeadLetter]
    sources: dict[str, SourceCount]  # since the last part
    closed_until: float  # every window ending here or before is closed; -inf at first


class Pipeline:
    """INTAKE of every partition, DETECT and ALERT in one process."""

    def __init__(self, config: PipelineConfig, secret: bytes = REPLAY_SECRET) -> None:
        self.config = config
        self.places = Places.load(config.spots)
        self._resolver, self._secret = Resolver(self.places), secret
        self._sites = sites(self.places)
        self.pack = load_pack(config.pack)
        self.keywords = Taxonomy(self.pack, self._resolver.text_names())
        self.window_seconds = config.window_seconds or self.pack.window_seconds
        self.digest = self._digest()
        intake = self.intake_config()
        self.intakes = {partition: Intake(intake, partition) for partition in range(config.partitions)}
        detect = DetectConfig(
            self.places,
            self.window_seconds,
            config.lateness_seconds,
            tuple(self.intakes),
            config.detector,
            self.digest,
        )
        policy = Policy(budget_per_week=config.budget_per_week, window_seconds=self.window_seconds)
        self.alerts = Alerts(policy, self.places, self.keywords, CHANNELS)
        self.detect = Detect(detect, self.alerts)

    def intake_config(self) -> IntakeConfig:
        """What every partition's INTAKE needs, as of the pack in use."""
        config = self.config
        return IntakeConfig(
            taxonomy=self.keywords,
            resolver=self._resolver,
            describer=Describer(self.keywords.leaf_words(), self.window_seconds),
            words=WordCounter(*self._known_words(), self.window_seconds, self._sites),
            window_seconds=self.window_seconds,
            lateness_seconds=config.lateness_seconds,
            channel=ChannelOf(config.sources),
            zone=ZoneOf(config.sources, config.timezone),
            secret=self._secret,
            config=self.digest,
        )

    def process(self, partition: int, entries: Sequence[Record | Tick]) -> Outputs:
        """Take entries of one partition's log, in log order."""
        taken = self.intakes[partition].process(entries)
        outputs = Outputs([], [], [], taken.dead_letters, {}, self.detect.closed_until)
        for part in taken.parts:
            passed = self.detect.process(part)
            for one in passed.closed:
                outputs.cells.append(one.cells)
                outputs.incidents.extend(one.incidents)
            outputs.incidents.extend(passed.corrected)
            outputs.revisions.extend(passed.late)
            for name, count in part.sources.items():
                outputs.sources.setdefault(name, SourceCount(name)).add(count)
        return outputs._replace(closed_until=self.detect.closed_until)

    def only_learn(self) -> None:
        """Open no incidents: for history that is known to be ordinary."""
        self.detect.watching = False

    def control(self, control: Control) -> None:
        """Take a person's act; it counts at the first close after it. A pack counts from here on; a bad one changes nothing."""
        if control.kind != "pack":
            self.detect.control(control)
            return
        try:
            pack = parse_pack(control.value or "", "pack")
        except PackError:
            return
        if pack != self.pack and self.refuses(pack) is None:
            before = self.keywords
            self.hear(pack, before.nodes())
            self.detect.hear(self.keywords, self.keywords.changed_since(before))

    def refuses(self, pack: Pack) -> str | None:
        """Why this pack cannot follow the one in use; None when it can."""
        if not self.config.window_seconds and pack.window_seconds != self.window_seconds:
            return f"pack.window_seconds: {pack.window_seconds}, {self.window_seconds} until now; counts begin anew with another one"
        if len(self.keywords) + len(pack.keywords) + len(pack.subjects) * len(pack.keywords) > MAX_NODES:
            return "the packs so far and this one have too many keywords together; begin with an empty data folder"
        return None

    def hear(self, pack: Pack, before: Sequence[Node]) -> None:
        """Listen for another pack's keywords from the next record on."""
        self.pack = pack
        self.keywords = Taxonomy(pack, self._resolver.text_names(), before)
        self.digest = self._digest()
        config = self.intake_config()
        for intake in self.intakes.values():
            intake.switch(config)

    def end_time(self, partition: int) -> float:
        """The time of the tick that ends this partition's input; -inf when nothing was accepted."""
        return self.intakes[partition].end()

    def snapshot(self) -> bytes:
        """The whole state; `restore` on a pipeline of the same configuration continues as if never stopped."""
        stages = {partition: snapshot_intake(intake) for partition, intake in self.intakes.items()}
        heard = self.pack, self.keywords.nodes()
        return msgspec.msgpack.encode((VERSION, self.base, heard, stages, snapshot_detect(self.detect)))

    def restore(self, state: bytes) -> None:
        """Take over a snapshot, with its pack. Raises ValueError when it was made by another configuration or version."""
        version, base, (pack, nodes), stages, detect = msgspec.msgpack.decode(state, type=_State)
        if version != VERSION or base != self.base:
            raise ValueError(f"snapshot of version {version}, configuration {base}; this is {VERSION}, {self.base}")
        if pack != self.pack or nodes != self.keywords.nodes():
            self.hear(pack, nodes)
            self.detect.alerts.hear(self.keywords)
        for partition, stage in stages.items():
            restore_intake(self.intakes[partition], stage)
        restore_detect(self.detect, detect)

    def baselines(self) -> bytes:
        """What this pipeline has learnt, for another of the same pack to begin with."""
        return baselines(self.detect, self._trees())

    def prime(self, state: bytes) -> None:
        """Begin with learnt baselines. Raises ValueError when they do not fit."""
        prime(self.detect, state, self._trees())
        for intake in self.intakes.values():
            intake.begin_at(self.detect.closed_until)

    def _known_words(self) -> tuple[frozenset[str], frozenset[str]]:
        """Words of the pack's phrases, and of places' names."""
        phrases = frozenset().union(*self.keywords.leaf_words().values())
        return phrases, frozenset(word for name, _ in self._resolver.text_names() for word in name.split())

    def _trees(self) -> str:
        return f"{self.keywords.digest} {self.places.digest}"

    @property
    def base(self) -> str:
        """Hash of what decides results besides the pack, which may change on the way."""
        return self._hash(VERSION, self.window_seconds, self.places.digest, self._settings())

    def _digest(self) -> str:
        return self._hash(VERSION, self.keywords.digest, self.places.digest, self._settings())

    def _settings(self) -> str:
        return msgspec.json.encode(msgspec.structs.replace(self.config, pack="")).decode()

    def _hash(self, *decided: object) -> str:
        return hashlib.blake2b(repr(decided).encode(), digest_size=8).hexdigest()


class ChannelOf(dict[str, int]):
    """Channel number by source, worked out once a source."""

    def __init__(self, sources: Sequence[SourceConfig]) -> None:
        super().__init__()
        self.sources = sources

    def __missing__(self, source: str) -> int:
        named = next((one.channel for one in self.sources if one.channel and matches(one.name, source)), None)
        number = CHANNELS.index(named) if named else channel_of(source)
        if len(self) < 10_000:
            self[source] = number
        return number


class ZoneOf:
    """Time zone of a source's times without zone."""

    def __init__(self, sources: Sequence[SourceConfig], default: str | None) -> None:
        self.zones = [(one.name, ZoneInfo(one.timezone)) for one in sources if one.timezone]
        self.default: tzinfo | None = ZoneInfo(default) if default else None

    def __call__(self, source: str) -> tzinfo | None:
        return next((zone for name, zone in self.zones if matches(name, source)), self.default)


def matches(pattern: str, source: str) -> bool:
    """Whether a source is the one named, or begins with the prefix before a final `*`."""
    return source.startswith(pattern[:-1]) if pattern.endswith("*") else source == pattern
