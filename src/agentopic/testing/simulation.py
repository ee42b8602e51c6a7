"""A mesh of simulated processes on the in-memory adapters: one seed, one schedule, virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from unittest import mock

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.engine.liveness import Heartbeat
from agentopic.engine.mesh import Mesh
from agentopic.errors import JournalUnavailableError, ProcessBuriedError, TransportError
from agentopic.ports.journal import Heart, Journal
from agentopic.ports.transport import OutgoingRecord, Sent
from agentopic.testing.virtual_loop import VirtualLoop, owner_of

T = TypeVar("T")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
POLLS = {
    "agentopic.engine.lanes.POLL_SECONDS": 0.6,
    "agentopic.engine.partitions.READ_SECONDS": 0.6,
    "agentopic.engine.partitions.PAUSE_SECONDS": 0.3,
}
"""How often is looked for what nobody has told: seldom, so that little of the time goes into looking in vain."""


class VirtualClock:
    """The loop's time as the engine's clock; `wall_offset` sets the wall clock wrong and decides nothing."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.wall_offset = timedelta()

    def now(self) -> datetime:
        """Return the simulated wall-clock time."""
        return EPOCH + timedelta(seconds=self._loop.time()) + self.wall_offset

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()


class TaskHeartbeat(Heartbeat):
    """Beats from a task: a frozen process does not beat, as one whose threads are stopped with it."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._task = asyncio.get_running_loop().create_task(self._keep_beating())

    async def stop(self) -> None:
        """Stop beating."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _keep_beating(self) -> None:
        while True:
            try:
                async with self._journal.heart(self._me) as heart:
                    while True:
                        await asyncio.sleep(self._interval)
                        asked = self._clock.monotonic()
                        await heart.beat()
                        self.confirm(asked)
            except ProcessBuriedError:
                self._buried()
                return
            except JournalUnavailableError:
                await asyncio.sleep(min(1.0, self._interval))


class Weather:
    """How the world treats calls that leave a process: how long they take, and how often they break."""

    def __init__(self, choice: random.Random, *, broken: float = 0.0, slow: float = 0.1) -> None:
        self._choice = choice
        self.broken, self.slow = broken, slow
        self.members: dict[int, str] = {}
        """Processes by the ids under which they have joined the journal."""
        self.burying: Callable[[str], None] = lambda _: None
        """Told of each process in the moment in which another one declares it dead."""
        self.silenced: set[str] = set()
        """Processes whose beats do not arrive while everything else of theirs does: they lose their lease."""

    async def delay(self) -> None:
        """Take a while, now and then; the engine makes its calls in tasks of their own, so that others run anyway."""
        if self._choice.random() < self.slow:
            await asyncio.sleep(self._choice.random() * 0.05)

    def strikes(self) -> bool:
        """Whether this call breaks here."""
        return self.broken > 0 and self._choice.random() < self.broken


class SimulatedHeart:
    """A heart whose beats may be held up."""

    def __init__(self, inner: Heart, weather: Weather) -> None:
        self._inner, self._weather = inner, weather

    async def beat(self) -> Any:
        """Beat, as soon as it gets through."""
        while owner_of.get() in self._weather.silenced:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.5)
        return await self._inner.beat()


class SimulatedJournal:
    """A memory journal that is somewhere else: calls take time and may break before or after their effect."""

    def __init__(self, inner: Journal, weather: Weather) -> None:
        self._inner, self._weather = inner, weather

    @asynccontextmanager
    async def heart(self, me: int) -> AsyncGenerator[SimulatedHeart]:
        """Open the process's heart."""
        async with self._inner.heart(me) as heart:
            yield SimulatedHeart(heart, self._weather)

    async def start(self) -> None:
        """Do nothing: memory is there."""

    async def aclose(self) -> None:
        """Do nothing: the store stays."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        inner = getattr(self._inner, name)

        async def call(*args: Any) -> Any:
            await self._weather.delay()
            if self._weather.strikes():
                raise JournalUnavailableError(f"{name} broke before its effect")
            if name == "bury":
                self._weather.burying(self._weather.members.get(args[1].id, ""))
            result = await inner(*args)
            if name == "join":
                self._weather.members[result] = owner_of.get()
            if self._weather.strikes():
                raise JournalUnavailableError(f"{name} broke after its effect")
            await self._weather.delay()
            return result

        # Looked up once: the engine asks for the same few calls thousands of times.
        self.__dict__[name] = call
        return call


class SimulatedTransport(MemoryTransport):
    """A memory transport whose sends take time and may break before or after their effect."""

    def __init__(self, log: MemoryLog, weather: Weather, sending: Callable[[Sequence[OutgoingRecord]], None]) -> None:
        super().__init__(log)
        self._weather, self._sending = weather, sending

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append records; a broken call has appended all of them or none."""
        await self._weather.delay()
        if self._weather.strikes():
            return [TransportError("the broker is away")] * len(records)
        self._sending(records)
        sent = await super().send(records)
        if self._weather.strikes():
            return [TransportError("no acknowledgement came")] * len(records)
        await self._weather.delay()
        return sent


class World:
    """One log and one journal store, and the processes that live on them."""

    def __init__(self, loop: VirtualLoop, choice: random.Random) -> None:
        self.loop, self.choice = loop, choice
        self.clock = VirtualClock(loop)
        self.log = MemoryLog(now_ms=lambda: int(self.clock.now().timestamp() * 1000))
        self.store = MemoryStore(now=loop.time, wall=lambda: EPOCH.timestamp() + loop.time())
        self.weather = Weather(choice)
        self.sending: Callable[[Sequence[OutgoingRecord]], None] = lambda _: None
        """Sees what a process appends to the log, in that moment."""

    def mesh(
        self,
        *,
        journal: Callable[[Journal], Journal] = lambda inner: inner,
        transport: Callable[[MemoryTransport], Any] = lambda inner: inner,
    ) -> Mesh:
        """Return the ports of one process; `journal` and `transport` may wrap them."""
        inner = cast("Journal", SimulatedJournal(MemoryJournal(self.store), self.weather))
        return Mesh(
            transport=transport(SimulatedTransport(self.log, self.weather, self._sent_by_a_process)),
            admin=MemoryAdmin(self.log),
            clock=self.clock,
            journal=journal(inner),
            heartbeat=TaskHeartbeat,
        )

    def _sent_by_a_process(self, records: Sequence[OutgoingRecord]) -> None:
        self.sending(records)

    def spawn(self, process: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run work as a process of that name; its tasks, timers and callbacks are the process's."""
        token = owner_of.set(process)
        try:
            return self.loop.create_task(work)
        finally:
            owner_of.reset(token)

    async def until(self, condition: Callable[[], bool], seconds: float = 120.0) -> bool:
        """Wait in virtual time; whether the condition came true."""
        end = self.loop.time() + seconds
        while not condition():
            if self.loop.time() >= end:
                return False
            await asyncio.sleep(0.25)
        return True


def simulate(seed: int, play: Callable[[World], Coroutine[Any, Any, T]], *, seconds: float = 600.0) -> T:
    """Play a scenario under one seed; everything random in it, retries and ids included, comes from the seed.

    Raises:
        StuckError: the scenario did not end within that many virtual seconds.
    """
    choice = random.Random(seed)
    loop = VirtualLoop(choice)
    with _seeded(choice):
        try:
            result = loop.run_within(play(World(loop, choice)), seconds=seconds)
        finally:
            loop.dispose()
    if loop.errors:
        raise AssertionError(f"seed {seed}: {loop.errors[:3]}")
    return result


@contextmanager
def _seeded(choice: random.Random) -> Generator[None]:
    """Draw jitter and ids from the seed, and look seldom."""
    before, drawn = random.getstate(), [0]

    def following() -> tuple[int, int]:
        drawn[0] += 1
        return int(EPOCH.timestamp() * 1000), drawn[0]

    random.seed(choice.random())
    try:
        with ExitStack() as patched:
            patched.enter_context(mock.patch("agentopic.envelope.ids._clock.next", following))
            for name, seconds in POLLS.items():
                patched.enter_context(mock.patch(name, seconds))
            yield
    finally:
        random.setstate(before)
