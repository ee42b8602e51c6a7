"""The host: the lives of one process, one incarnation after the other, until it is stopped."""

from __future__ import annotations

import asyncio

from agentopic.engine.control import control_group
from agentopic.engine.incarnation import Incarnation, Plan
from agentopic.errors import JournalUnavailableError, ProcessBuriedError
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

REJOIN_SECONDS = 1.0


class Host:
    """Keeps an incarnation alive; a buried one is followed by the next."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.incarnation: Incarnation | None = None

    async def start(self) -> None:
        """Join the mesh and return once every agent type's partitions are leased.

        Raises:
            AgentopicError: what made the first incarnation fail.
        """
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._live(started))
        await asyncio.wait({self._task, started}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    @property
    def has_ended(self) -> bool:
        """Whether it was stopped, or something ended it: `wait` says what."""
        return self._task is not None and self._task.done()

    async def wait(self) -> None:
        """Wait until the host has ended; raises what ended it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Drain and leave; idempotent."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _live(self, started: asyncio.Future[None]) -> None:
        while not self._stopping.is_set():
            try:
                await self._one_life(started)
            except ProcessBuriedError as exc:
                log.warning("buried, starting as a new incarnation", reason=str(exc))
            except JournalUnavailableError as exc:
                if not started.done():
                    raise
                log.warning("journal unavailable, joining again", error=str(exc))
                await asyncio.sleep(REJOIN_SECONDS)

    async def _one_life(self, started: asyncio.Future[None]) -> None:
        plan = self._plan
        await plan.links.listener.open()  # before anybody can want to reach this process
        groups = [name for group in plan.groups for name in (group.group, control_group(group.group))]
        me = await plan.journal.join(groups, plan.links.listener.address)
        life = self.incarnation = Incarnation(plan, me)
        life.start()
        stopping = asyncio.get_running_loop().create_task(self._stopping.wait())
        leased = asyncio.get_running_loop().create_task(_all_set(life, started))
        try:
            await asyncio.wait({stopping, life.over}, return_when=asyncio.FIRST_COMPLETED)
            if life.over.done():
                await self._abandon(life)
                life.over.result()
            await life.stop()
        finally:
            life.over.cancel()  # no one asks any more: what went wrong while it was stopping has been logged
            for task in (stopping, leased):
                task.cancel()
            await asyncio.gather(stopping, leased, return_exceptions=True)

    async def _abandon(self, life: Incarnation) -> None:
        await life.abandon()
        if life.is_rewound or not isinstance(life.over.exception(), ProcessBuriedError):
            await life.leave()


async def _all_set(life: Incarnation, started: asyncio.Future[None]) -> None:
    for ready in life.ready:
        await ready.wait()
    if not started.done():
        started.set_result(None)
