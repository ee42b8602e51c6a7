"""The watch buries whoever is silent for a whole lease, and nobody on the evidence of its own absence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from agentopic.adapters.journal.memory import MemoryStore
from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.engine.liveness import Watch
from agentopic.engine.outbox import Outbox
from agentopic.engine.writer import Writer

from .faulty_journal import FaultyJournal, as_journal

LEASE = 10.0


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at


class Tower:
    """A watch over one peer that never beats."""

    def __init__(self) -> None:
        self.clock, self.journal = HandClock(), FaultyJournal(MemoryStore())
        self.buried = 0

    async def open(self) -> None:
        me, self.peer = await self.journal.join([], "me"), await self.journal.join([], "peer")
        ignore = [].extend
        writer = Writer(
            as_journal(self.journal),
            me,
            adopt=lambda _: None,
            publish=ignore,
            dropped=ignore,
            buried=lambda: None,
        )
        outbox = Outbox(MemoryTransport(), sent=ignore, refused=lambda *_: None)
        self._writing = asyncio.ensure_future(writer.run())
        self.watch = Watch(writer, outbox, lease_seconds=LEASE, clock=self.clock)

    async def look(self, after: float) -> None:
        self.clock.at += after
        await self.watch._look()

    @property
    def peer_is_dead(self) -> bool:
        return self.journal.store.processes[self.peer].ended_at is not None

    async def close(self) -> None:
        self._writing.cancel()
        await asyncio.wait({self._writing})


@pytest.fixture
async def tower() -> AsyncIterator[Tower]:
    tower = Tower()
    await tower.open()
    yield tower
    await tower.close()


async def test_a_peer_silent_for_a_whole_lease_is_buried(tower: Tower):
    for _ in range(10):
        await tower.look(after=1.0)

    assert not tower.peer_is_dead

    await tower.look(after=1.0)

    assert tower.peer_is_dead


async def test_a_peer_that_beats_lives(tower: Tower):
    for _ in range(40):
        tower.journal.store.processes[tower.peer].beat += 1
        await tower.look(after=4.0)

    assert not tower.peer_is_dead


async def test_silence_during_an_outage_of_ones_own_proves_nothing(tower: Tower):
    await tower.look(after=1.0)
    await tower.look(after=1.0)

    await tower.look(after=60.0)

    assert not tower.peer_is_dead
