"""State out and in, as MessagePack of plain values: what a stage needs to continue as if it had never stopped."""

from __future__ import annotations

import msgspec
import numpy as np

from alerting.model import Control, Evidence
from streams.blind import SourceRate
from streams.detect import Detect
from streams.intake import Intake
from streams.part import Rows, SourceCount, Words
from streams.partitions import Pending
from streams.voices import Spoken, packed, unpacked
from streams.waiting import WaitingRoom
from streams.watermark import Watermark
from streams.window import WindowState


class IntakeState(msgspec.Struct, array_like=True):
    """One partition's INTAKE."""

    watermark: Watermark
    closed: float
    seq: int
    seen: list[bytes]
    seen_since: tuple[float | None, float | None]
    copies: tuple[list[tuple[int, float]], list[tuple[int, float]], int, float]  # before, now
    voices: tuple[dict[bytes, Spoken], dict[bytes, Spoken], float]
    windows: dict[int, WindowState]
    late: dict[int, WindowState]
    sources: dict[str, SourceCount]
    waiting: WaitingRoom
    speakers: dict[bytes, float]


class PendingState(msgspec.Struct, array_like=True):
    """What one partition has handed over and DETECT has not closed; rows as bytes."""

    watermark: float
    next_seq: int
    windows: dict[int, bytes]
    evidence: list[tuple[int, int, int, Evidence]]
    late: list[tuple[float, bytes]]
    sources: list[tuple[float, dict[str, SourceCount]]]
    steps: list[float]
    words: dict[int, Words]
    heard: float


class DetectState(msgspec.Struct, array_like=True):
    """DETECT and ALERT."""

    keys: bytes
    bank: bytes | None
    bank_size: int
    pending: dict[int, PendingState]
    sources: dict[str, SourceRate]
    closed_until: float
    controls: list[Control]
    alerts: bytes
    watched: float
    young: dict[int, float]
    drill: bytes | None
    drilled: int | None
    declared: bool
    words: bytes


def snapshot_intake(intake: Intake) -> bytes:
    """The state of a partition's INTAKE, between two batches."""
    seen, copies, voices = intake.seen, intake.copies, intake.voices
    return msgspec.msgpack.encode(
        IntakeState(
            watermark=intake.watermark,
            closed=intake.closed,
            seq=intake.seq,
            seen=[packed(seen.now), packed(seen.before)],
            seen_since=(seen.since, seen.before_since),
            copies=(list(copies.before.items()), list(copies.now.items()), copies.texts, copies.since),
            voices=voices.state(),
            windows={start: window.state(voices.tokens, start) for start, window in intake.windows.items()},
            late={start: window.state(voices.tokens, start) for start, window in intake.late.items()},
            sources=intake.sources,
            waiting=intake.waiting,
            speakers=intake.speakers.heard,
        )
    )


def restore_intake(intake: Intake, state: bytes) -> None:
    """Take over the state of `snapshot_intake`."""
    taken = msgspec.msgpack.decode(state, type=IntakeState)
    intake.watermark, intake.closed, intake.seq = taken.watermark, taken.closed, taken.seq
    intake.seen.now, intake.seen.before = map(unpacked, taken.seen)
    intake.seen.since, intake.seen.before_since = taken.seen_since
    copies, voices = intake.copies, intake.voices
    before, now, copies.texts, copies.since = taken.copies
    copies.restore(before, now)
    voices.restore(*taken.voices)
    intake.windows = {start: state.window() for start, state in taken.windows.items()}
    intake.late = {start: state.window() for start, state in taken.late.items()}
    intake.sources, intake.waiting, intake.speakers.heard = taken.sources, taken.waiting, taken.speakers
    intake.forget_window()


def snapshot_detect(detect: Detect) -> bytes:
    """The state of DETECT and ALERT, between two parts."""
    return msgspec.msgpack.encode(
        DetectState(
            keys=detect.index.keys.tobytes(),
            bank=None if detect.bank is None else detect.bank.snapshot(),
            bank_size=detect.bank_size,
            pending={partition: _pack(pending) for partition, pending in detect.partitions.pending.items()},
            sources=detect.sources.rates,
            closed_until=detect.closed_until,
            controls=detect.controls,
            alerts=detect.alerts.snapshot(),
            watched=detect.watched,
            young=detect.young,
            drill=None if detect.drill is None else snapshot_detect(detect.drill),
            drilled=detect.drilled,
            declared=detect.partitions.declared,
            words=detect.emerging.snapshot(),
        )
    )


def restore_detect(detect: Detect, state: bytes) -> None:
    """Take over the state of `snapshot_detect`."""
    taken = msgspec.msgpack.decode(state, type=DetectState)
    detect.index.restore(np.frombuffer(taken.keys, np.int64))
    detect.restore_bank(taken.bank, taken.bank_size)
    detect.partitions.declared = taken.declared
    detect.partitions.pending = {partition: _unpack(pending) for partition, pending in taken.pending.items()}
    detect.sources.rates = taken.sources
    detect.closed_until = taken.closed_until
    detect.controls = taken.controls
    detect.watched, detect.young, detect.drilled = taken.watched, taken.young, taken.drilled
    if taken.drill is not None:
        detect.drill = Detect(detect.config, detect.alerts.fresh())
        restore_detect(detect.drill, taken.drill)
        detect.drill.sources = detect.sources
    detect.emerging.restore(taken.words)
    detect.alerts.restore(taken.alerts)


class Baselines(msgspec.Struct, array_like=True):
    """What a replay of history teaches a new deployment: the series, their levels and profiles, the sources' rates."""

    window_seconds: int
    trees: str  # digest of places and keywords, which number the series
    keys: bytes
    bank: bytes
    sources: dict[str, SourceRate]
    learnt_until: float
    words: bytes


def baselines(detect: Detect, trees: str) -> bytes:
    """The learnt part of DETECT's state. Raises ValueError when nothing was learnt."""
    if detect.bank is None:
        raise ValueError("nothing was learnt: no complaint matched a keyword")
    return msgspec.msgpack.encode(
        Baselines(
            detect.config.window_seconds,
            trees,
            detect.index.keys.tobytes(),
            detect.bank.snapshot(),
            detect.sources.rates,
            detect.closed_until,
            detect.emerging.snapshot(),
        )
    )


def prime(detect: Detect, state: bytes, trees: str) -> None:
    """Begin with learnt baselines. Raises ValueError when they were learnt with other windows, places or keywords."""
    taken = msgspec.msgpack.decode(state, type=Baselines)
    if (taken.window_seconds, taken.trees) != (detect.config.window_seconds, trees):
        raise ValueError("these baselines were learnt with another window length, pack or gazetteer: learn them again")
    detect.index.restore(np.frombuffer(taken.keys, np.int64))
    detect.restore_bank(taken.bank, len(detect.index))
    detect.sources.rates = taken.sources
    detect.closed_until = taken.learnt_until
    detect.emerging.restore(taken.words)
    detect.watched = float("inf")


def _pack(pending: Pending) -> PendingState:
    return PendingState(
        pending.watermark,
        pending.next_seq,
        {start: np.stack(rows).tobytes() for start, rows in pending.windows.items()},
        [(start, *key, one) for start, found in pending.evidence.items() for key, one in found.items()],
        [(watermark, np.stack(rows).tobytes()) for watermark, rows in pending.late],
        pending.sources,
        pending.steps,
        pending.words,
        pending.heard,
    )


def _unpack(state: PendingState) -> Pending:
    pending = Pending(state.watermark, state.next_seq)
    pending.windows = {start: _rows(columns) for start, columns in state.windows.items()}
    evidence: dict[int, dict[tuple[int, int], Evidence]] = {}
    for start, place, keyword, one in state.evidence:
        evidence.setdefault(start, {})[place, keyword] = one
    pending.evidence.update(evidence)
    pending.late = [(watermark, _rows(columns)) for watermark, columns in state.late]
    pending.sources, pending.steps = state.sources, state.steps
    pending.words, pending.heard = state.words, state.heard
    return pending


def _rows(columns: bytes) -> Rows:
    return Rows(*np.frombuffer(columns, np.int64).reshape(len(Rows._fields), -1))
