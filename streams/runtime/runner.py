"""Takes the log through the pipeline into the store, in a thread of its own: restore, run again what came after, go on.

Everything that decides a result is in the log; this only keeps pace, commits, and says what is wrong.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from alerting.model import Control
from streams.complaint import Record, Tick
from streams.last_hour import LastHour
from streams.runtime.board_state import blind_now, board_state, usual_per_hour
from streams.runtime.commits import RETRY_SECONDS, Commits
from streams.runtime.entries import ADVANCE, CONTROL, GAP, Advance, Gap, Logged, counted_in, heard
from streams.runtime.followed import Cursor, Followed, cursor_after
from streams.runtime.journal import Journal
from streams.runtime.orphans import ended_orphans
from streams.runtime.store.lease import Lease
from streams.runtime.store.reader import Health, Reader
from streams.runtime.store.snapshots import Snapshot, load_snapshots
from streams.runtime.store.writer import Work, Writer

if TYPE_CHECKING:
    from streams.pipeline import Pipeline

log = structlog.get_logger(__name__)
BATCH_ENTRIES = 500
COMMIT_SECONDS = 0.5
COMMIT_ROWS = 50_000
MOST_WAITING = 10  # times as many rows, while the store refuses: some 50 MB
SNAPSHOT_SHARE = 0.05  # of the time, at most, goes into snapshots


class Runner:
    """Owner of the pipeline. `lock` is held while it works; others who ask the pipeline something take it."""

    def __init__(
        self,
        pipeline: Pipeline,
        journal: Journal,
        writer: Writer,
        files: Sequence[Followed],
        health: Health,
        *,
        snapshot_seconds: float = 10.0,
        journal_days: float = 7.0,
        baselines: bytes | None = None,
        lease: Lease | None = None,
    ) -> None:
        """`lease`: checked in every transaction, where another program may write to the same store."""
        self.pipeline = pipeline
        self.journal = journal
        self.writer = writer
        self.files = {file.partition: file for file in files}
        self.health = health
        self.snapshot_seconds = snapshot_seconds
        self.journal_days = journal_days
        self.primed = baselines is not None
        self.lock = threading.Lock()
        self.position = 0  # the next entry to take
        self.closed: Callable[[], None] = lambda: None  # called after every commit that closed a window
        self.committed: Callable[[], object] = lambda: None  # called after every commit
        self.commits = Commits(writer, health, lease)
        self.hour = LastHour()
        self._work = Work()
        self._waiting: deque[Work] = deque()  # complete, behind what the store refuses
        self._stopping = threading.Event()
        self._committed_at = self.snapshot_at = time.monotonic()
        self._snapshot_cost = 0.0
        self.snapshot_bytes = 0
        self._snapshot_position = -1
        self._anew = False  # the configuration changed: the state is rebuilt from the journal
        self._cursors: dict[str, Any] = {}  # of followed files by path, as of `position`
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._restore(baselines)

    # -- life ----------------------------------------------------------------------------------------------------

    def _restore(self, baselines: bytes | None) -> None:
        """The newest intact snapshot of this configuration; without one, everything the journal still holds."""
        snapshots, spoilt = load_snapshots(self.writer.engine)
        for line in spoilt:
            log.error("snapshot spoilt", detail=line)
        for snapshot in snapshots:
            if snapshot.config != self.pipeline.base:
                log.warning("configuration changed: counting the kept journal anew", position=snapshot.position)
                continue
            self.pipeline.restore(snapshot.state)
            self.writer.hear(self.pipeline.keywords)
            self.position = self._snapshot_position = snapshot.position
            break
        else:
            self._anew = bool(snapshots)
            if baselines is not None:
                self.pipeline.prime(baselines)
        self._cursors = dict(snapshots[0].cursors) if snapshots else {}
        self.journal.begin_at(max(self.position, self.commits.applied + 1))
        self._work = self._new_work()

    def catch_up(self) -> None:
        """Run everything the journal holds, before sources open. Raises JournalDamagedError."""
        self._reader = self.journal.reader(self.position)
        self.position = max(self.position, self._reader.seq)
        while batch := self._reader.take(BATCH_ENTRIES):
            self._take(batch)
            self._commit_when_due()
        for file in self.files.values():
            if str(file.path) in self._cursors:
                file.cursor = msgspec.convert(self._cursors[str(file.path)], Cursor)
        if self._anew:
            self._work.incidents += ended_orphans(Reader(self.writer.engine), self.pipeline.alerts.open)
        if self._caught_up():
            self._commit(snapshot=False)

    def start(self) -> None:
        """Go on in a thread."""
        self._thread.start()

    def stop(self, seconds: float = 4.0) -> None:
        """Take what is synced, commit, snapshot, end; what is not done by then is done after the next start."""
        self._stopping.set()
        self.journal.wake()
        self._thread.join(seconds)

    @property
    def written(self) -> int:
        """Outputs of the journal up to this entry are in the store."""
        return self.commits.applied

    @property
    def backlog(self) -> int:
        """Entries of the journal not taken yet."""
        return self.journal.next_seq - self.position

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                batch = self._reader.take(BATCH_ENTRIES)
                if batch:
                    self._take(batch)
                else:
                    self.journal.wait(self.position, COMMIT_SECONDS)
                self._commit_when_due(idle=not batch)
            if (self.commits.held is None or self._write(*self.commits.held)) and self._caught_up():
                self._commit(snapshot=True)
        except Exception as error:
            log.exception("the pipeline stopped")
            self.health.pipeline = (
                f"Counting stopped at entry {self.position} of the journal: {type(error).__name__}: {error}"
            )

    @property
    def snapshot_age(self) -> float:
        """Seconds since the newest snapshot; 0 while nothing came after it."""
        return time.monotonic() - self.snapshot_at if self.position > self._snapshot_position else 0.0

    @property
    def commit_age(self) -> float:
        """Seconds since the store took something; 0 while nothing waits for it."""
        return time.monotonic() - self._committed_at if self.position - 1 > self.written else 0.0

    # -- entries -------------------------------------------------------------------------------------------------

    def _take(self, batch: Sequence[Logged]) -> None:
        """Take entries in order; those whose outputs the store already has only rebuild the state."""
        cut = next((number for number, entry in enumerate(batch) if entry.seq > self.commits.applied), len(batch))
        for part, fresh in ((batch[:cut], False), (batch[cut:], True)):
            for partition, group in groupby(part, key=counted_in):
                entries = list(group)
                with self.lock:
                    if partition is not None:
                        self._process(partition, [heard(one) for one in entries], entries[-1].arrival, fresh)
                    else:
                        for one in entries:
                            self._special(one, fresh)
                self.position = entries[-1].seq + 1
                self._work.applied = max(self._work.applied, entries[-1].seq)
                self._work.arrival = entries[-1].arrival

    def _process(self, partition: int, entries: list[Record | Tick], arrival: float, fresh: bool) -> None:
        if partition not in self.pipeline.intakes:
            return  # of a source that is no longer configured
        began = time.perf_counter()
        outputs = self.pipeline.process(partition, entries)
        self.hour.take(outputs.cells, outputs.closed_until)
        if outputs.cells:
            self.commits.totals.add("close_seconds_total", time.perf_counter() - began)
            self.commits.totals.add("windows_closed_total", len(outputs.cells))
        if fresh:
            bodies = (
                {one.position: one.value for one in entries if isinstance(one, Record)} if outputs.dead_letters else {}
            )
            self._work.take(outputs, arrival, bodies)

    def _special(self, entry: Logged, fresh: bool) -> None:
        """A control, a stretch of a followed file, or a gap."""
        if entry.kind == CONTROL:
            control = msgspec.json.decode(entry.payload, type=Control)
            self.pipeline.control(control)
            if control.kind == "pack":
                self.writer.hear(self.pipeline.keywords)
            if fresh:
                self._work.controls.append(control)
        elif entry.kind == ADVANCE:
            self._advance(entry, fresh)
        elif entry.kind == GAP and fresh:
            self._work.gaps.append(msgspec.msgpack.decode(entry.payload, type=Gap))

    def _advance(self, entry: Logged, fresh: bool) -> None:
        advance = msgspec.msgpack.decode(entry.payload, type=Advance)
        file = next((one for one in self.files.values() if str(one.path) == advance.path), None)
        if file is None:
            return
        try:
            records: list[Record | Tick] = list(file.records(advance, entry.arrival))
        except OSError as error:
            log.error("lines lost", source=file.source.name, detail=str(error))
            records = []
        self._cursors[advance.path] = msgspec.to_builtins(cursor_after(advance))
        self._process(file.partition, records, entry.arrival, fresh)

    # -- outputs -------------------------------------------------------------------------------------------------

    def _new_work(self) -> Work:
        return Work(applied=self.position - 1)

    def _commit_when_due(self, *, idle: bool = False) -> None:
        now = time.monotonic()
        if self.commits.held is not None:
            self._hold_on(*self.commits.held)
            return
        if self._waiting:  # one at a time: windows close in between
            self._write(self._waiting.popleft(), None)
            return
        pause = max(self.snapshot_seconds, self._snapshot_cost / SNAPSHOT_SHARE)
        snapshot = now - self.snapshot_at >= pause and self.position > self._snapshot_position
        waiting = self._work.applied > self.commits.applied or self._work.rows > 0
        due = idle or now - self._committed_at >= COMMIT_SECONDS or self._work.rows >= COMMIT_ROWS
        if snapshot or (waiting and due):
            self._commit(snapshot=snapshot)

    def _hold_on(self, held: Work, snapshot: Snapshot | None) -> None:
        """Go on while the store refuses, up to a limit: incidents still open, and people are told without it."""
        while not self.commits.due or not self._write(held, snapshot):
            self.commits.page_without([one for work in (*self._waiting, self._work) for one in work.incidents])
            if self._work.rows >= COMMIT_ROWS:
                self._waiting.append(self._complete())
            if len(self._waiting) < MOST_WAITING or self._stopping.wait(RETRY_SECONDS):
                break

    def _commit(self, *, snapshot: bool) -> None:
        """Write what waits."""
        began = time.monotonic()
        work = self._complete()
        made = self._snapshot() if snapshot else None
        if self._write(work, made) and made is not None:
            self._snapshot_cost = time.monotonic() - began

    def _complete(self) -> Work:
        """What there is to write, with the state of the moment; the next begins."""
        work = self._work
        detect, watermark = self.pipeline.detect, min(one.watermark.value for one in self.pipeline.intakes.values())
        work.meta |= board_state(detect, watermark, primed=self.primed)
        work.blind, work.usual_per_hour = blind_now(detect), usual_per_hour(detect, work.arrival)
        work.applied = max(work.applied, self.commits.applied)
        self._work = self._new_work()
        return work

    def _caught_up(self) -> bool:
        """Write all that waits; whether the store took it."""
        while self.commits.held is None and self._waiting:
            self._write(self._waiting.popleft(), None)
        return self.commits.held is None

    def _write(self, work: Work, made: Snapshot | None) -> bool:
        if not self.commits.write(work, made):
            return False
        self._committed_at = time.monotonic()
        if made is not None:
            self.snapshot_at, behind = self._committed_at, self._snapshot_position
            self._snapshot_position, self.snapshot_bytes = made.position, len(made.state)
            self.journal.delete_before(max(0, behind), time.time() - self.journal_days * 86400)
        self.committed()
        if work.cells or work.controls or work.incidents:
            self.closed()
        return True

    def _snapshot(self) -> Snapshot:
        return Snapshot(self.position, time.time(), self.pipeline.base, dict(self._cursors), self.pipeline.snapshot())
