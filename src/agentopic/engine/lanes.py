"""Step 8, Next: slots, the turns that run in them, and the lanes that wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from agentopic.engine.dispatch import Dispatcher, Ended
from agentopic.engine.outbox import Outbox
from agentopic.engine.steps import TurnLost
from agentopic.engine.writer import Writer
from agentopic.errors import JournalUnavailableError, LaneLostError, ProcessBuriedError, ValueRefusedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Started, TurnDone
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

FAIR_TURNS = 16
FAIR_SECONDS = 1.0
POLL_SECONDS = 0.2
UNWIND_SECONDS = 5.0


@dataclass(slots=True)
class Slots:
    """The lanes of one agent type that run here."""

    dispatcher: Dispatcher
    running: dict[tuple[bytes, int], asyncio.Task[None]] = field(
        default_factory=dict[tuple[bytes, int], "asyncio.Task[None]"]
    )
    """By lane and token: a lane given up and taken again is another one."""

    @property
    def free(self) -> int:
        """How many more lanes may run."""
        return self.dispatcher.group.concurrency - len(self.running)


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
    ) -> None:
        self._slots = {each.group.group: Slots(each) for each in dispatchers}
        self._writer, self._outbox, self._clock, self._failed = writer, outbox, clock, failed
        self._nudged = asyncio.Event()
        self._waiting = True
        """Whether ready lanes without a slot may exist; a hint that spares the journal idle questions."""
        self._draining = False

    def free(self, group: str) -> int:
        """Return how many more lanes of a group may be started."""
        return 0 if self._draining else max(0, self._slots[group].free)

    def start(self, lanes: Iterable[Started]) -> None:
        """Run lanes the journal has given to this process; those already running are passed over."""
        for started in lanes:
            self._outbox.add(started.unsent)
            slots = self._slots[started.group]
            if started.pos is None or (started.lane, started.token) in slots.running:
                continue
            task = asyncio.get_running_loop().create_task(self._run(slots, started))
            slots.running[started.lane, started.token] = task
            task.add_done_callback(self._ended)

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
        return {group: self.free(group) for group in self._slots if self.free(group) > 0}

    async def drain(self, seconds: float) -> bool:
        """Take nothing more, let running turns end and give their lanes back; whether all ended in time."""
        self._draining = True
        running = self._tasks()
        if running:
            await asyncio.wait(running, timeout=seconds)
        late = self._tasks()
        await _unwind(late)
        return not late

    async def abort(self) -> None:
        """Unwind every turn at once; nothing more is committed."""
        self._draining = True
        await _unwind(self._tasks())

    async def aclose(self) -> None:
        """Close the instances kept in memory."""
        for slots in self._slots.values():
            await slots.dispatcher.activations.aclose()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for slots in self._slots.values() for task in slots.running.values()]

    def counts(self) -> Mapping[str, int]:
        """Return how many turns run, per group."""
        return {group: len(slots.running) for group, slots in self._slots.items()}

    # ── one lane ───────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, slots: Slots, started: Started) -> None:
        following: Started | None = started
        turns, began = 0, self._clock.monotonic()
        try:
            while following is not None and not self._draining:
                turns += 1
                ended = await slots.dispatcher.attempt(following)
                stale = turns >= FAIR_TURNS or self._clock.monotonic() - began >= FAIR_SECONDS
                following = await self._commit(slots, following, ended, hand_back=stale and slots.free <= 0)
        except (TurnLost, LaneLostError):
            log.info("lane lost to another process", group=started.group, key=started.key)
        except (ProcessBuriedError, asyncio.CancelledError):
            pass  # this incarnation is over; the journal knows what was finished
        finally:
            del slots.running[started.lane, started.token]
            if self._waiting:
                self._nudged.set()

    async def _commit(self, slots: Slots, started: Started, ended: Ended, *, hand_back: bool) -> Started | None:
        finish = ended.finish
        if isinstance(finish, TurnDone):
            finish = replace(finish, hand_back=hand_back or self._draining)
        try:
            following = await self._writer.commit(finish)
        except ValueRefusedError as exc:
            refused = slots.dispatcher.refused(started, exc)
            return await self._writer.commit(refused.finish)
        if ended.activated is not None:
            await slots.dispatcher.activations.keep(started.lane, ended.activated, ended.change)
        if hand_back or not isinstance(finish, TurnDone):
            self._waiting = True
        return following


async def _unwind(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, stuck = await asyncio.wait(tasks, timeout=UNWIND_SECONDS)
    if stuck:
        log.error("handlers ignore their cancellation and are left behind", turns=len(stuck))
