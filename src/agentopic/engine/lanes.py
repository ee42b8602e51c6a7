"""Step 8, Next: the turns that run in slots, the lanes that wait for one, and what others do to both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from agentopic.engine.cancelled_runs import withdraw_questions
from agentopic.engine.dispatch import Dispatcher, Ended
from agentopic.engine.lane_run import LaneRun
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.sleepers import SuspendedTurns
from agentopic.engine.slots import Slot, Slots
from agentopic.engine.steps import TurnLost
from agentopic.engine.writer import Writer
from agentopic.errors import (
    JournalUnavailableError,
    LaneLostError,
    ProcessBuriedError,
    RuntimeStateError,
    ValueRefusedError,
)
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Finish, Letter, Started, TurnDone
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

FAIR_TURNS = 16
FAIR_SECONDS = 1.0
POLL_SECONDS = 0.2
UNWIND_SECONDS = 5.0

Key = tuple[bytes, int]


@dataclass(slots=True)
class Hosted:
    """The lanes of one agent type that are held here, running or suspended."""

    dispatcher: Dispatcher
    slots: Slots
    held: dict[Key, LaneRun] = field(default_factory=dict[Key, LaneRun])
    """By lane and token: a lane given up and taken again is another one."""


class Lanes:
    """Runs the lanes this process holds: one turn after the other within a lane, lanes side by side."""

    def __init__(
        self,
        dispatchers: Iterable[Dispatcher],
        *,
        writer: Writer,
        outbox: Outbox,
        clock: Clock,
        failed: Callable[[BaseException], None],
        options: EngineOptions,
    ) -> None:
        self._nudged = asyncio.Event()
        self._waiting = True
        """Whether ready lanes without a slot may exist; a hint that spares the journal idle questions."""
        self._draining = False
        self._hosted = {
            each.group.group: Hosted(each, Slots(each.group.concurrency, freed=self._freed)) for each in dispatchers
        }
        self._writer, self._outbox, self._clock, self._failed = writer, outbox, clock, failed
        self.suspended = SuspendedTurns(options)
        self._looks: set[asyncio.Task[None]] = set()

    def free(self, group: str) -> int:
        """Return how many more lanes of a group may be started."""
        return 0 if self._draining else self._hosted[group].slots.free

    def start(self, lanes: Iterable[Started]) -> None:
        """Run lanes the journal has given to this process; those already running are passed over."""
        for started in lanes:
            self._outbox.add(started.unsent)
            hosted = self._hosted[started.group]
            key = started.lane, started.token
            if started.pos is None:
                continue
            if key in hosted.held:
                hosted.held[key].given(started)
                continue
            hosted.slots.take()
            run = hosted.held[key] = LaneRun(started, Slot(hosted.slots), self.suspended)
            run.task = asyncio.get_running_loop().create_task(self._run(hosted, run))
            run.task.add_done_callback(self._ended)

    def _freed(self) -> None:
        if self._waiting:
            self._nudged.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

    def nudge(self) -> None:
        """Have ready lanes looked for at once: some were stored or freed."""
        self._waiting = True
        self._nudged.set()

    async def run(self) -> None:
        """Take ready lanes into free slots, on a nudge or every 200 ms, until cancelled."""
        while True:
            # Not wait_for: in Python 3.11 it swallows a cancellation that meets the nudge, and the stop never ends.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._nudged.wait()
            self._nudged.clear()
            with suppress(JournalUnavailableError):  # the writer reads back what was taken
                if self._free_slots():
                    await self._writer.call(self._take)

    async def _take(self) -> None:
        # Inside the writer: no other call can fill the slots between counting them and starting the lanes.
        free = self._free_slots()
        if not free:
            return
        taken = await self._writer.journal.take(self._writer.me, free)
        self._waiting = len(taken) >= min(free.values())
        self.start(taken)
        if self._waiting:
            self._nudged.set()

    def _free_slots(self) -> dict[str, int]:
        return {group: self.free(group) for group in self._hosted if self.free(group) > 0}

    async def drain(self, seconds: float) -> bool:
        """Take nothing more, unwind waiting turns, let running ones end; whether all lanes were given back in time."""
        self._draining = True
        self.suspended.drain()
        tasks = self._tasks()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        late = [run for hosted in self._hosted.values() for run in hosted.held.values()]
        await _cut_off(late)
        return not late

    async def abort(self) -> None:
        """Unwind every turn at once; nothing more is committed."""
        self._draining = True
        await _cut_off([run for hosted in self._hosted.values() for run in hosted.held.values()])

    async def aclose(self) -> None:
        """Close the instances kept in memory."""
        for look in self._looks:
            look.cancel()
        if self._looks:
            await asyncio.wait(self._looks)
        for hosted in self._hosted.values():
            await hosted.dispatcher.activations.aclose()

    def _tasks(self) -> list[asyncio.Task[None]]:
        runs = [run for hosted in self._hosted.values() for run in hosted.held.values()]
        return [run.task for run in runs if run.task is not None]

    def counts(self) -> Mapping[str, int]:
        """Return how many turns run, per group; suspended ones do not."""
        return {group: hosted.slots.used for group, hosted in self._hosted.items()}

    # ── what others do to these lanes ──────────────────────────────────────────────────────────────────────

    def notified(self, letters: Sequence[Letter]) -> None:
        """Look at lanes that something has happened to: cancelled turns end, waits get what has been stored.

        A lane that was paused ends its turn and is not given another one by the journal.
        """
        for letter in letters:
            for hosted in self._hosted.values():
                run = hosted.held.get((letter.lane, letter.token))
                if run is None:
                    continue
                if letter.cancelled:
                    run.cancel()
                elif run.attempt is not None:
                    self._look(self._deliver(run))

    async def _deliver(self, run: LaneRun) -> None:
        attempt = run.attempt
        if attempt is None:
            return
        turn = attempt.started.identity
        attempt.deliver(await self._writer.read(lambda: self._writer.journal.recorded(turn)))

    def _look(self, work: Coroutine[Any, Any, None]) -> None:
        look = asyncio.get_running_loop().create_task(work)
        self._looks.add(look)
        look.add_done_callback(self._looked)

    def _looked(self, look: asyncio.Task[None]) -> None:
        self._looks.discard(look)
        if look.cancelled() or not isinstance(look.exception(), ProcessBuriedError):
            self._ended(look)

    def runs_ended(self, runs: AbstractSet[str]) -> None:
        """Cancel the turns of these runs, those that wait for a person included, in memory or not."""
        for hosted in self._hosted.values():
            for run in hosted.held.values():
                if run.attempt is not None and run.attempt.run in runs:
                    run.attempt.cancel()
        self._look(withdraw_questions(self._writer, self._clock, list(self._hosted), runs))

    # ── one lane ───────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, hosted: Hosted, run: LaneRun) -> None:
        started = run.started
        following: Started | None = started
        turns, began = 0, self._clock.monotonic()
        try:
            while following is not None and not self._draining:
                turns += 1
                ended = await self._attempt(hosted, run, following)
                stale = turns >= FAIR_TURNS or self._clock.monotonic() - began >= FAIR_SECONDS
                # Without its slot, which it gave back at a wait, the lane queues like any other.
                hand_back = not run.slot.held or (stale and hosted.slots.free <= 0)
                following = await self._commit(hosted, run, following, ended, hand_back=hand_back)
        except (TurnLost, LaneLostError):
            log.info("lane lost to another process", group=started.group, key=started.key)
        except ProcessBuriedError:
            pass  # this incarnation is over; the journal knows what was finished
        except asyncio.CancelledError:
            if not run.is_aborted:
                # A lane without its task would stay held for ever: the process begins anew instead.
                raise RuntimeStateError(f"the task of {started.group} {started.key!r} was cancelled") from None
        finally:
            del hosted.held[started.lane, started.token]
            run.slot.give_back()
            if self._waiting:
                self._nudged.set()
            if run.next is not None and not self._draining:
                self.start([run.next])

    async def _attempt(self, hosted: Hosted, run: LaneRun, started: Started) -> Ended:
        if run.must_look:
            run.must_look = False
            started = await self._looked_up(started)
        attempt = run.begin(started)
        try:
            return await hosted.dispatcher.attempt(attempt)
        finally:
            run.attempt = None

    async def _looked_up(self, started: Started) -> Started:
        holdings = await self._writer.read(lambda: self._writer.journal.held(self._writer.me))
        key = started.lane, started.token, started.pos
        return next((each for each in holdings.lanes if (each.lane, each.token, each.pos) == key), started)

    async def _commit(
        self, hosted: Hosted, run: LaneRun, started: Started, ended: Ended, *, hand_back: bool
    ) -> Started | None:
        finish = _ending(ended.finish, hand_back=hand_back or self._draining)
        try:
            following = await self._writer.commit(finish)
        except ValueRefusedError as exc:
            attempt = LaneRun(started, run.slot, self.suspended).begin(started)
            finish = _ending(hosted.dispatcher.refused(attempt, exc).finish, hand_back=hand_back or self._draining)
            return await self._writer.commit(finish)
        if ended.activated is not None:
            await hosted.dispatcher.activations.keep(started.lane, ended.activated, ended.change)
        if hand_back or not isinstance(finish, TurnDone):
            self._waiting = True
        return following


def _ending(finish: Finish, *, hand_back: bool) -> Finish:
    return replace(finish, hand_back=True) if hand_back and isinstance(finish, TurnDone) else finish


async def _cut_off(runs: Collection[LaneRun]) -> None:
    for run in runs:
        run.abort()
    tasks = [run.task for run in runs if run.task is not None]
    if not tasks:
        return
    _, stuck = await asyncio.wait(tasks, timeout=UNWIND_SECONDS)
    if stuck:
        log.error("handlers ignore their cancellation and are left behind", turns=len(stuck))
