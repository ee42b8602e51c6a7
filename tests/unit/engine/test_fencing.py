"""An agent as a distributed lock: one process holds it, and who has lost it without knowing does no harm outside."""

from __future__ import annotations

import asyncio
from contextvars import Context
from functools import partial
from typing import Literal

import pytest

from agentopic import AgentService
from agentopic.core import MessageContext, TypeSubscription, fencing_token, step
from agentopic.engine.options import EngineOptions
from agentopic.engine.runtime import EngineRuntime
from agentopic.testing.simulation import World, simulate
from agentopic.testing.virtual_loop import owner_of

from .town import Note, Resident, topic

LEASE_SECONDS = 3.0
OPTIONS = EngineOptions(namespace="town", partitions=1, lease_seconds=LEASE_SECONDS)

Fate = Literal["stands still", "dies"]


class Printer:
    """A resource outside: it refuses a token that is lower than the highest it has seen."""

    def __init__(self) -> None:
        self.highest = 0
        self.accepted: list[str] = []
        self.refused: list[str] = []

    def write(self, who: str, token: int) -> str:
        if token < self.highest:
            self.refused.append(who)
            return "refused"
        self.highest = token
        self.accepted.append(who)
        return "accepted"


class Holders:
    """The processes that want the lock; the first one that gets it meets its fate before it has written."""

    def __init__(self, world: World, fate: Fate) -> None:
        self.world, self.fate = world, fate
        self.printer = Printer()
        self.victim = ""

    async def handle(self, agent: Resident, message: Note, ctx: MessageContext) -> None:
        await step("print", self._print, repeatable=True)

    async def _print(self) -> str:
        who, token = owner_of.get(), fencing_token()
        if not self.victim:
            self.victim = who
            await self._meet_its_fate()
        return self.printer.write(who, token)

    async def _meet_its_fate(self) -> None:
        loop = self.world.loop
        if self.fate == "dies":
            loop.drop(self.victim)
            await asyncio.Event().wait()
        loop.freeze(self.victim)
        loop.call_later(3 * LEASE_SECONDS, lambda: loop.thaw(self.victim), context=Context())
        await asyncio.sleep(0)

    async def serve(self) -> None:
        runtime = EngineRuntime(self.world.mesh(), OPTIONS)
        lock = AgentService(
            "lock", partial(Resident, self.handle), subscriptions=[TypeSubscription("prints", "lock")], payloads=[Note]
        )
        await lock.register(runtime)
        await runtime.start()


async def _play(world: World, fate: Fate) -> Holders:
    holders = Holders(world, fate)
    for name in ("one", "two"):
        await world.spawn(name, holders.serve())
    outside = EngineRuntime(world.mesh(), OPTIONS)
    await outside.start()
    await outside.publish_message(Note(), topic("prints", "printer"))
    await world.until(lambda: bool(holders.printer.accepted))
    assert await world.until(lambda: not world.store.unfinished)
    await asyncio.sleep(5 * LEASE_SECONDS)
    return holders


@pytest.mark.parametrize("seed", range(5))
def test_the_write_of_a_holder_that_stood_still_past_its_lease_is_refused(seed: int) -> None:
    holders = simulate(seed, lambda world: _play(world, "stands still"))

    printer = holders.printer
    assert printer.refused == [holders.victim]
    assert printer.accepted == [{"one": "two", "two": "one"}[holders.victim]]


@pytest.mark.parametrize("seed", range(5))
def test_the_next_process_holds_the_lock_of_a_dead_one(seed: int) -> None:
    holders = simulate(seed, lambda world: _play(world, "dies"))

    assert holders.printer.refused == []
    assert holders.printer.accepted == [{"one": "two", "two": "one"}[holders.victim]]
