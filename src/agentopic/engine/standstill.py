"""Standstill: the proof that no process of some agent types is alive, burying those that died unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agentopic.errors import StillRunningError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Journal, Peer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LOOK_SECONDS = 0.2


@asynccontextmanager
async def standstill(
    journal: Journal, groups: Sequence[str], *, clock: Clock, lease_seconds: float
) -> AsyncGenerator[None]:
    """Wait until every process of these groups is known to have ended, then run the block.

    A process that ended without leaving is buried once it has shown no beat for a whole lease (at once where the
    store proves its end).

    Raises:
        StillRunningError: one of them shows a new beat: it lives.
    """
    me = await journal.join([], "standstill")
    try:
        async with journal.heart(me) as heart:
            seen: dict[int, tuple[int, float]] = {}
            while peers := [each for each in await journal.peers(me) if not set(groups).isdisjoint(each.groups)]:
                for peer in peers:
                    if _has_ended(peer, seen, clock.monotonic(), lease_seconds):
                        await journal.bury(me, peer)
                await asyncio.sleep(LOOK_SECONDS)
                await heart.beat()
        yield
    finally:
        await journal.leave(me)


def _has_ended(peer: Peer, seen: dict[int, tuple[int, float]], now: float, lease_seconds: float) -> bool:
    beat, since = seen.setdefault(peer.id, (peer.beat, now))
    if peer.beat != beat:
        names = ", ".join(peer.groups)
        raise StillRunningError(f"a process of {names} is alive: stop all processes of these agent types first")
    return peer.gone or now - since > lease_seconds
