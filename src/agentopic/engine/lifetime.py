"""Lifetime: the host of a runtime, from start to stop, renewed when what it hosts has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

from agentopic.engine.host import Host
from agentopic.errors import AgentopicError


class Lifetime:
    """Starts, renews and stops the host that `make` makes (None: there is nothing to host).

    A renewal drains the host and starts the next. It begins once the code that asked for it suspends, so that a
    registration of several calls is one change.
    """

    def __init__(self, make: Callable[[], Awaitable[Host | None]]) -> None:
        self._make = make
        self._started = False
        self._outdated = False
        self._renewal: asyncio.Task[None] | None = None
        self.host: Host | None = None

    async def start(self) -> None:
        """Start the host; returns once its partitions are leased. Idempotent.

        Raises:
            AgentopicError: what made the host fail; it needs no stop.
        """
        self._started = True
        if self.host is None:
            await self._begin()

    async def _begin(self) -> None:
        self.host = await self._make()
        if self.host is None:
            return
        try:
            await self.host.start()
        except AgentopicError:
            self.host = None
            raise

    def renew(self) -> None:
        """Note that what is hosted has changed; before `start` there is nothing to renew."""
        if not self._started:
            return
        self._outdated = True
        if self._renewal is None or self._renewal.done():
            # A context of its own: nothing of a turn that registers agents may reach the engine's tasks.
            self._renewal = asyncio.get_running_loop().create_task(self._renew(), context=Context())

    async def _renew(self) -> None:
        while self._outdated:
            self._outdated = False
            host, self.host = self.host, None
            if host is not None:
                await host.stop()
            await self._begin()

    async def settled(self) -> None:
        """Return once a change has taken effect; raises, once, what it failed with."""
        renewal = self._renewal
        if renewal is None:
            return
        try:
            await asyncio.shield(renewal)
        finally:
            if renewal.done() and self._renewal is renewal:
                self._renewal = None

    async def wait(self) -> None:
        """Wait for the host to end, through its renewals; raises what ended it. Without one, returns at once."""
        while True:
            await self.settled()
            host = self.host
            if host is not None:
                await host.wait()
            if self._renewal is None and self.host is host:
                return

    async def stop(self) -> None:
        """Drain and end the host."""
        self._started = False
        try:
            await self.settled()
        finally:
            host, self.host = self.host, None
            if host is not None:
                await host.stop()
