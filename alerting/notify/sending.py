"""Sends what stands in the outbox: one task a channel, which takes from its lane, sends, and keeps what came of it.

A row is `sending` in the store before the channel gets it, and its outcome is kept right after: what a crash leaves in between is sent once
more and counted as a repeat. While the store does not answer, only what came by `straight` goes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog

from alerting.message import Message
from alerting.model import Incident
from alerting.notify.base import Channel, Refused, Unsent
from alerting.notify.own_troubles import channel_troubles
from alerting.outbox import Delivery, Lane, Outbox, ReplacedError, UnreachableError

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
Figures = dict[tuple[str, tuple[str, ...]], float]  # by metric and label values
OUTCOMES = ("sent", "unsent", "refused", "superseded", "dead", "repeated", "unrepeated")
LOOK_SECONDS = 1.0  # for new rows, also without being woken
AGAIN_SECONDS = 0.5  # while the store does not answer
TROUBLE_SECONDS = 5.0
LONGEST_SEND_SECONDS, LONGEST_ASK_SECONDS = 90.0, 8.0
ENDED_SECONDS = 180.0  # for so long a standing channel is told of an end
LONGEST_WAIT_SECONDS = 2.0  # a clock may be set meanwhile


class Sending:
    """`clock` gives Unix seconds. `start` it in a loop, `wake` it when rows were written, `stop` it."""

    def __init__(self, outbox: Outbox, channels: Mapping[str, Channel], clock: Callable[[], float]) -> None:
        self.channels = channels
        self.lanes = {
            name: Lane(name, every_seconds=one.every_seconds, digests=one.digests) for name, one in channels.items()
        }
        self.outcomes: Counter[tuple[str, str]] = Counter()  # by channel and outcome
        self.told_after: dict[str, float] = {}  # by channel: seconds from decision to answer, of its newest message
        self.replaced = False
        self.unheard: dict[str, float] = {}  # standing channels that do not answer, since when
        self._outbox, self._clock = outbox, clock
        self._after = 0  # rows up to this id are in lanes
        self._reachable = False
        self._straight: dict[str, Message] = {}  # what cannot be read from the store yet
        self._wakes = {name: asyncio.Event() for name in channels}
        self._woken = asyncio.Event()
        self._asking = ThreadPoolExecutor(1, "outbox")  # one question to the store after another
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, in the running loop."""
        work: list[Callable[[], Awaitable[None]]] = [
            self._feed,
            *(partial(self._run, lane) for lane in self.lanes.values()),
        ]
        self._tasks = [asyncio.create_task(self._guarded(one)) for one in work]

    def wake(self) -> None:
        """There are new rows."""
        self._woken.set()

    def straight(self, incidents: Iterable[Incident]) -> None:
        """Send pages for which the store cannot be waited; what is given again is not sent again."""
        now = self._clock()
        for incident in incidents:
            for row, message in self._outbox.straight(incident, now):
                log.warning("page sent without the store", id=incident.id, channel=row.channel)
                self._straight[row.name] = message
                self.lanes[row.channel].straight(row, now)
                self._wakes[row.channel].set()

    async def stop(self, seconds: float = 3.0) -> None:
        """Let what is on its way arrive, for so long; what is not sent stays in the outbox."""
        self._stopping = True
        for event in (self._woken, *self._wakes.values()):
            event.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._asking.shutdown(wait=False, cancel_futures=True)
        for channel in self.channels.values():
            await channel.close()

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run it until the end, or until another process has taken over; a fault of ours ends no channel for good."""
        while not self._stopping:
            try:
                await work()
            except ReplacedError as error:
                if not self.replaced:
                    log.warning("another process sends now", reason=str(error))
                self.replaced = self._stopping = True
            except Exception:
                log.exception("sending")
                await asyncio.sleep(LOOK_SECONDS)

    # -- the store -----------------------------------------------------------------------------------------------

    async def _ask(self, question: Callable[..., Answer], *given: Any) -> Answer:
        """Raises UnreachableError, ReplacedError."""
        try:
            async with asyncio.timeout(LONGEST_ASK_SECONDS):
                answer = await asyncio.get_running_loop().run_in_executor(self._asking, question, *given)
        except (UnreachableError, TimeoutError) as error:
            self._reachable = False
            raise UnreachableError(str(error) or "no answer") from error
        self._reachable = True
        return answer

    async def _feed(self) -> None:
        """Bring new rows to their lanes; look for trouble of our own."""
        looked_at = self._clock()  # by the first look what stands has been told again once
        begun = False
        while not self._stopping:
            self._woken.clear()
            pause = LOOK_SECONDS
            try:
                if not begun:
                    for name, until in (await self._ask(self._outbox.rests)).items():
                        if name in self.lanes:
                            self.lanes[name].rest_until = until
                    begun = True
                await self._new_rows()
                if abs(self._clock() - looked_at) >= TROUBLE_SECONDS:
                    looked_at = self._clock()
                    await self._look_for_trouble(looked_at)
            except UnreachableError as error:
                log.debug("the outbox cannot be read", reason=str(error))
                pause = AGAIN_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _new_rows(self) -> None:
        rows = await self._ask(self._outbox.waiting, self._after)
        now = self._clock()
        lost = []
        for row in rows:
            lane = self.lanes.get(row.channel)
            if lane is not None:
                lane.add(row, now)
                self._wakes[row.channel].set()
            else:
                row.state, row.ended_at, row.error = "superseded", now, "no such channel any more"
                lost.append(row)
        for row in lost:
            log.warning("not sent", channel=row.channel, key=row.key, reason=row.error)
            await self._ask(self._outbox.keep, [row], row.channel)
        if rows:
            self._after = rows[-1].id

    async def _look_for_trouble(self, now: float) -> None:
        found = await self._ask(self._outbox.found_troubles, now)
        shown, doubtful = channel_troubles(self.lanes, self.channels, now)
        await self._ask(self._outbox.tell_troubles, found + shown, now, doubtful)
        await self._new_rows()

    # -- one channel ---------------------------------------------------------------------------------------------

    async def _run(self, lane: Lane) -> None:
        channel, wake = self.channels[lane.channel], self._wakes[lane.channel]
        every = getattr(channel, "repeat_seconds", math.inf)
        repeat_at = self._clock() + min(every, 1.0) if every < math.inf else math.inf
        while not self._stopping:
            wake.clear()
            now = self._clock()
            for row in lane.expire(now):
                self.outcomes[lane.channel, "dead"] += 1
                log.error("given up", channel=row.channel, key=row.key, attempts=row.attempts, reason=row.error)
            if rows := lane.take(now, stored=self._reachable):
                await self._send(lane, rows)
                continue
            if lane.changed:
                await self._keep(lane)
            if now >= repeat_at:
                repeat_at = now + every
                await self._repeat(lane, channel, now)
            until = min(lane.due(now), repeat_at, now + LONGEST_WAIT_SECONDS)
            pause = max(0.0, until - self._clock())
            if not self._reachable:
                pause = min(max(pause, AGAIN_SECONDS), LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)
        if lane.changed:
            await self._keep(lane)

    async def _send(self, lane: Lane, rows: Sequence[Delivery]) -> None:
        messages = await self._claimed(lane, rows)
        if not messages:
            return
        began = self._clock()
        outcome = "sent"
        try:
            async with asyncio.timeout(LONGEST_SEND_SECONDS):
                answer = await self.channels[lane.channel].send(messages, began)
            lane.sent(rows, self._clock(), answer.thread)
            self.told_after[lane.channel] = max(0.0, self._clock() - min(one.created_at for one in rows))
        except Unsent as error:
            outcome = "unsent"
            lane.unsent(rows, self._clock(), error.reason, error.after)
        except Refused as error:
            outcome = "refused"
            lane.refused(rows, self._clock(), error.reason)
        except TimeoutError:
            outcome = "unsent"
            lane.unsent(rows, self._clock(), f"no answer within {LONGEST_SEND_SECONDS:g} s")
        except Exception as error:  # a fault of ours in one channel: tried again like any other
            log.exception("channel", channel=lane.channel)
            outcome = "unsent"
            lane.unsent(rows, self._clock(), f"{type(error).__name__}: {error}")
        self.outcomes[lane.channel, outcome] += 1
        if outcome != "sent":
            log.warning("not sent", channel=lane.channel, outcome=outcome, reason=lane.reason, waiting=len(lane.rows))
        await self._keep(lane)

    async def _claimed(self, lane: Lane, rows: Sequence[Delivery]) -> list[Message]:
        """What rows say; nothing where they cannot be sent now."""
        if not rows[0].id:
            return [msgspec.structs.replace(self._straight[rows[0].name], action=rows[0].action)]
        ended, lane.changed = lane.changed, []
        try:
            messages = await self._ask(self._outbox.claim, copied(rows), copied(ended))
        except UnreachableError:
            lane.put_back(rows)
            lane.changed = ended + lane.changed
            return []
        self._kept(ended)
        return messages

    async def _keep(self, lane: Lane) -> None:
        """Keep what changed; while the store does not answer it waits, and is not sent again."""
        if not self._reachable:
            return
        changed, lane.changed = lane.changed, []
        try:
            await self._ask(self._outbox.keep, copied(changed), lane.channel, lane.rest_until)
        except UnreachableError:
            lane.changed = changed + lane.changed
            return
        self._kept(changed)

    def _kept(self, rows: Sequence[Delivery]) -> None:
        for row in rows:
            self._straight.pop(row.name, None)
            self.outcomes[row.channel, "superseded"] += row.state == "superseded"

    async def _repeat(self, lane: Lane, channel: Any, now: float) -> None:
        try:
            standing = await self._ask(self._outbox.standing, lane.channel, now - ENDED_SECONDS)
        except UnreachableError:
            return
        try:
            async with asyncio.timeout(LONGEST_SEND_SECONDS):
                await channel.repeat(standing, now)
            self.outcomes[lane.channel, "repeated"] += 1
            self.unheard.pop(lane.channel, None)
        except Exception as error:
            self.outcomes[lane.channel, "unrepeated"] += 1
            self.unheard.setdefault(lane.channel, now)
            log.warning("not repeated", channel=lane.channel, reason=f"{type(error).__name__}: {error}")

    def oldest_seconds(self) -> float:
        """For how long the oldest message has been waiting; 0 while none waits."""
        waiting = (row.created_at for lane in self.lanes.values() for row in lane.rows)
        return self._clock() - min(waiting, default=self._clock())

    def figures(self) -> Figures:
        """Metrics of the moment."""
        found: Figures = {("outbox_age_seconds", ()): self.oldest_seconds()}
        for name, lane in self.lanes.items():
            for outcome in OUTCOMES:  # also those not had: only from 0 is an increase seen
                found["notifications_total", (name, outcome)] = self.outcomes[name, outcome]
            found["outbox_pending", (name,)] = len(lane.rows)
            found["notification_repeats_total", (name,)] = lane.repeats
        for name, seconds in list(self.told_after.items()):
            found["notification_seconds", (name,)] = seconds
        return found


def copied(rows: Sequence[Delivery]) -> list[Delivery]:
    """As they stand now, for another thread."""
    return [msgspec.structs.replace(row) for row in rows]
