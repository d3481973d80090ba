"""INTAKE: one partition's log in, parts out. A function of configuration and log alone; batch limits do not matter.

The way of a record: decode, date, dedupe, keywords, place, copies, voices, window. See `pipeline.py` for what follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple, cast

from streams.codec import EARLIEST, LATEST, Rejected, dead_letter, decode_all, parse_time
from streams.complaint import Complaint, DeadLetter, Record, Tick, Where
from streams.copies import Copies
from streams.hearing import Heard, hear
from streams.intake_config import IntakeConfig
from streams.overhearing import Speakers, overheard
from streams.part import DRILL, Part, Rows, SourceCount, Words
from streams.voices import Seen, Voices, digest
from streams.waiting import Waiting, WaitingRoom
from streams.watermark import JUMP_SECONDS, Watermark
from streams.window import Sample, Window, cell_base, rows

LATE_LIMIT_SECONDS = 24 * 3600.0
READ_AT_ONCE = 500  # records; no result depends on it


class IntakeOutput(NamedTuple):
    """What a batch gave: parts in order, and the records that were not counted."""

    parts: list[Part]
    dead_letters: list[DeadLetter]


class Intake:
    """State of one partition."""

    def __init__(self, config: IntakeConfig, partition: int = 0) -> None:
        self.config = config
        self.partition = partition
        self.nowhere = config.resolver.nowhere
        self.watermark = Watermark(config.lateness_seconds)
        self.seen = Seen()
        self.copies = Copies()
        self.voices = Voices(config.secret)
        self.speakers = Speakers(self.voices.tokens, self.copies)
        self.windows: dict[int, Window] = {}
        self.late: dict[int, Window] = {}
        self.sources: dict[str, SourceCount] = {}
        self.waiting = WaitingRoom()
        self.closed = float("-inf")  # windows ending at or before this are closed
        self._closes_at = float("-inf")  # no window ends between `closed` and this
        self.seq = 0
        self._dead: list[DeadLetter] = []
        self._parts: list[Part] = []
        self._last: tuple[int, Window] = (-1, Window())

    def process(self, entries: Sequence[Record | Tick]) -> IntakeOutput:
        """Take a batch of log entries, in log order."""
        self._dead, self._parts = [], []
        for is_tick, run in groupby(entries, _is_tick):
            if is_tick:
                for tick in cast("Iterator[Tick]", run):
                    self._tick(tick)
            else:
                while records := list(islice(cast("Iterator[Record]", run), READ_AT_ONCE)):
                    self._take(records)
        return IntakeOutput(self._parts, self._dead)

    def end(self) -> float:
        """The time of the tick that ends a finite input: the end of the newest accepted event's window + lateness."""
        newest = self.watermark.newest
        if newest == float("-inf") and self.waiting.held:
            newest = min(waiting.time for waiting in self.waiting.held)  # a single event has nothing to jump from
        if newest == float("-inf"):
            return newest
        seconds = self.config.window_seconds
        return newest // seconds * seconds + seconds + self.config.lateness_seconds

    def switch(self, config: IntakeConfig) -> None:
        """Go on with another pack; its keywords that were there before have the numbers they had."""
        self.config = config

    def begin_at(self, closed: float) -> None:
        """Windows ending at or before `closed` (Unix seconds) count as closed already: they were learnt from history."""
        self.closed = closed
        self.watermark.tick(closed + self.config.lateness_seconds)

    # -- the way of a record -------------------------------------------------------------------------------------

    def _take(self, records: Sequence[Record]) -> None:
        found = decode_all([record.value for record in records])
        heard: Sequence[Heard | Rejected] = self._read([one for one in found if type(one) is Complaint])
        if len(heard) < len(found):
            rest = iter(heard)
            heard = [one if isinstance(one, Rejected) else next(rest) for one in found]
        watermark = self.watermark
        for record, one in zip(records, heard, strict=True):
            if isinstance(one, Rejected):
                self._bury(record, one.reason, one.detail)
                continue
            time, arrival = one.complaint.created_at, record.arrival
            if (
                type(time) is float
                and EARLIEST <= time < LATEST
                and one.complaint.received_at is None
                and time <= (watermark.newest + JUMP_SECONDS if arrival is None else arrival)
            ):
                self._accept(one, time)
            else:
                self._date(record, one)

    def _read(self, complaints: Sequence[Complaint]) -> list[Heard]:
        return hear(complaints, self.config.taxonomy)

    def _date(self, record: Record, heard: Heard) -> None:
        """Find the event time of any record; it may have to wait for another one to confirm it, or be refused."""
        complaint = heard.complaint
        try:
            time = self._read_time(complaint.created_at, complaint.source, self._source(complaint))
            arrival = record.arrival
            if complaint.received_at is not None:
                arrival = parse_time(complaint.received_at, self.config.zone(complaint.source))[0]
        except Rejected as rejected:
            self._bury(record, rejected.reason, rejected.detail)
            return
        if arrival is not None:
            held = self.watermark.hold(time, arrival)
            if held is None:
                self._bury(record, "bad_time", f"{complaint.created_at!r} is over 24 h ahead")
            else:
                self._accept(heard, held)
        elif time > self.watermark.newest + JUMP_SECONDS:
            self._wait(Waiting(record, complaint, time))
        else:
            self._accept(heard, time)

    def _read_time(self, value: float | str, name: str, source: SourceCount) -> float:
        time, change = parse_time(value, self.config.zone(name))
        if change is not None:
            source.clock_changes += 1
        if time < EARLIEST:
            raise Rejected("bad_time", f"{value!r} is before 2000")
        return time

    def _accept(self, heard: Heard, time: float) -> None:
        complaint, watermark = heard.complaint, self.watermark
        newest = watermark.newest
        source = (not complaint.drill and self.sources.get(complaint.source)) or self._source(complaint)
        name = digest(complaint.source, complaint.id)
        if not self.seen.add(name, time if time > newest else newest):
            source.duplicates += 1
            return
        source.records += 1
        hour = time // 3600
        if hour == source.hour:
            source.in_hour += 1
        else:
            source.begin_hour(int(hour))
        if time > source.newest:
            source.newest = time
        if complaint.author is not None:
            source.authors += 1
        if time < watermark.value - LATE_LIMIT_SECONDS:
            source.old += 1
            return
        if heard.leaves:
            self._count(heard, time, source, name)
        elif time >= self.closed:
            self._overhear(heard, time, name)
        if time > newest and watermark.observe(time) and watermark.value >= self._closes_at:
            self._close()

    def _count(self, heard: Heard, time: float, source: SourceCount, name: int) -> None:
        config, complaint, leaves = self.config, heard.complaint, heard.leaves
        text, author, taxonomy = complaint.text, complaint.author, config.taxonomy
        nodes = fresh = taxonomy.closure(leaves, complaint.source)
        said = taxonomy.places_in(heard.folded, heard.words), heard.coded, complaint.location
        place = config.resolver.resolve(complaint.place, complaint.lat, complaint.lon, *said)
        source.complaints += 1
        if place != self.nowhere:
            source.placed += 1
        if time < self.closed:
            source.late += 1
        print_ = None if complaint.drill else heard.fingerprint
        if print_ is not None and self.copies.is_copy(print_, time):
            fresh = ()
        if complaint.repost_of is not None or text.startswith("RT @"):
            fresh = ()
        if not fresh:
            source.copies += 1
        speaker = "" if author is None else f"{source.name}\0{author}"
        if fresh and speaker:
            fresh = self.voices.hear(speaker, nodes, time)
        start, window = self._last
        if not start <= time < start + config.window_seconds:
            window = self._window(time)
        window.count(cell_base(place, config.channel[complaint.source], complaint.drill), nodes, fresh)
        if fresh:
            source.voices += 1
        if fresh and not complaint.drill:
            second = int(time) if author is None else -1
            window.keep(Sample(name, place, leaves, text[:1000], heard.plain, print_ or 0, second, speaker))

    def _overhear(self, heard: Heard, time: float, name: int) -> None:
        """A text about no keyword may say what no keyword knows."""
        start, window = self._last
        if not start <= time < start + self.config.window_seconds:
            window = self._window(time)
        if name < window.limit:
            sample = overheard(heard, name, self.config.taxonomy, self.config.resolver)
            if sample is not None:
                window.overhear(sample, self.config.words.most_texts)

    def _window(self, time: float) -> Window:
        seconds = self.config.window_seconds
        start = int(time // seconds) * seconds
        windows = self.late if start + seconds <= self.closed else self.windows
        if start not in windows:
            windows[start] = Window()
        self._last = (start, windows[start])
        return windows[start]

    # -- time ----------------------------------------------------------------------------------------------------

    def _wait(self, waiting: Waiting) -> None:
        """Hold a record that jumps ahead; accept those whose time is confirmed by now."""
        farthest = self.waiting.add(waiting)
        if farthest is not None:
            self._bury(farthest.record, "bad_time", "dated far ahead of all others")
        while (first := self.waiting.confirmed()) is not None:
            self._accept_later(first)
            self._release(self.watermark.newest + JUMP_SECONDS)

    def _release(self, until: float) -> None:
        """Accept what no longer jumps, in order of arrival."""
        for one in self.waiting.until(until):
            self._accept_later(one)

    def _accept_later(self, waiting: Waiting) -> None:
        self._accept(self._read([waiting.complaint])[0], waiting.time)

    def _tick(self, tick: Tick) -> None:
        self._release(tick.time)
        if tick.final:
            for one in self.waiting.until(float("inf")):
                detail = f"{one.complaint.created_at!r} lies far ahead and no other record confirmed it"
                self._bury(one.record, "bad_time", detail)
        if self.watermark.tick(tick.time):
            self._close()

    def _close(self) -> None:
        """Hand over the windows that the watermark has passed."""
        seconds = self.config.window_seconds
        closed = self.watermark.value // seconds * seconds
        self._closes_at = max(closed, self.closed) + seconds
        if closed <= self.closed:
            return
        self.closed = closed
        done = {start: self.windows.pop(start) for start in sorted(self.windows) if start + seconds <= closed}
        described = ((start, self.config.describer.describe(window)) for start, window in done.items())
        found = {start: evidence for start, evidence in described if evidence}
        words = {start: self._words(start, window) for start, window in done.items()}
        counts = rows(done), self._late_rows(), found, self.sources, words
        self._parts.append(Part(self.partition, self.seq, self.watermark.value, self.config.config, *counts))
        self.seq += 1
        for source in self.sources.values():
            source.end_hour()
        self.sources = {}
        self.forget_window()

    def _words(self, start: int, window: Window) -> Words:
        self.speakers.begin(start)
        return self.config.words.count(window.samples + window.others, lambda one: self.speakers.counts(one, start))

    def forget_window(self) -> None:
        """Look the next event's window up anew: windows were closed or replaced."""
        self._last = (-1, Window())

    def _late_rows(self) -> Rows:
        late, self.late = rows(self.late), {}
        return late

    # -- accounts ------------------------------------------------------------------------------------------------

    def _source(self, complaint: Complaint) -> SourceCount:
        """The account of its source; drills have one of their own, so that they mix with nothing."""
        name = complaint.source + DRILL if complaint.drill else complaint.source
        found = self.sources.get(name)
        if found is None:
            found = self.sources[name] = SourceCount(name)
        return found

    def _bury(self, record: Record, reason: str, detail: str) -> None:
        where = Where(record.origin, record.position, self.partition)
        self._dead.append(dead_letter(reason, detail, where, record.value))


def _is_tick(entry: Record | Tick) -> bool:
    return type(entry) is Tick
