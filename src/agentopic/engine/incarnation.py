"""One life of a process in the journal: from joining to leaving, or to finding itself buried."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from agentopic.core._kernel import Kernel
from agentopic.engine.deadletters import dead_letter
from agentopic.engine.dispatch import Dispatcher
from agentopic.engine.group import AgentGroup
from agentopic.engine.intake import Intake
from agentopic.engine.lanes import Lanes
from agentopic.engine.liveness import Fence, Heartbeat, Watch
from agentopic.engine.mesh import Mesh
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.partitions import PartitionReader
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.writer import Writer
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka_topics import dead_letters, parse_topic
from agentopic.errors import ConfigError, JournalUnavailableError, ProcessBuriedError, RecordRefusedError
from agentopic.ports.journal import Holdings, Journal, OutboxRow
from agentopic.ports.transport import Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

_SENDER_HEADER = f"ce_{names.AGAGENTSENDERTYPE}"
SENDERS = 2
FLUSH_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every incarnation of a process is made from."""

    mesh: Mesh
    kernel: Kernel
    catalog: TopicCatalog
    options: EngineOptions
    groups: Sequence[AgentGroup]
    middleware: Sequence[Middleware] = ()

    @property
    def journal(self) -> Journal:
        """The journal, which whoever hosts agent types must have.

        Raises:
            ConfigError: there is none.
        """
        if self.mesh.journal is None:
            raise ConfigError("a process that hosts agents needs a journal: set AGENTOPIC_JOURNAL")
        return self.mesh.journal


class Incarnation:
    """The engine of one process under one journal identity.

    Its tasks run until `stop`, or until the journal says that this process is dead. The shutdown order is: stop
    reading and taking; let running turns end; send what they decided; write that down; leave.
    """

    def __init__(self, plan: Plan, me: int) -> None:
        self.plan, self.me = plan, me
        loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = loop.create_future()
        self.ready = [asyncio.Event() for _ in plan.groups]
        clock, options = plan.mesh.clock, plan.options
        self.outbox = Outbox(plan.mesh.transport, sent=self._sent, refused=self._refused)
        self.writer = Writer(
            plan.journal,
            me,
            adopt=self._adopt,
            publish=self.outbox.add,
            dropped=self.outbox.forget,
            buried=self._on_buried,
        )
        self._heartbeat = Heartbeat(
            plan.journal, me, lease_seconds=options.lease_seconds, clock=clock, buried=self._on_buried
        )
        fence = Fence(self._heartbeat, self.writer, clock)
        gate = asyncio.Lock()
        dispatchers = [
            Dispatcher(
                group,
                plan.kernel,
                writer=self.writer,
                fence=fence,
                clock=clock,
                options=options,
                gate=gate,
                middleware=plan.middleware,
            )
            for group in plan.groups
        ]
        self.lanes = Lanes(dispatchers, writer=self.writer, outbox=self.outbox, clock=clock, failed=self._fail)
        self.readers = [
            PartitionReader(
                group,
                transport=plan.mesh.transport,
                admin=plan.mesh.admin,
                catalog=plan.catalog,
                writer=self.writer,
                clock=clock,
                options=options,
            )
            for group in plan.groups
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._senders: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start all tasks."""
        options, clock = self.plan.options, self.plan.mesh.clock
        self._writing = self._spawn(self.writer.run())
        self._heartbeat.start()
        self._senders = [self._spawn(self.outbox.run()) for _ in range(SENDERS)]
        watch = Watch(self.writer, self.outbox, lease_seconds=options.lease_seconds, clock=clock)
        self._tasks = [self._spawn(watch.run(self.lanes.nudge)), self._spawn(self.lanes.run())]
        for group, reader, ready in zip(self.plan.groups, self.readers, self.ready, strict=True):
            self._tasks.append(self._spawn(reader.run(self._intake(group, reader), ready)))

    def _intake(self, group: AgentGroup, reader: PartitionReader) -> Intake:
        return Intake(
            group,
            writer=self.writer,
            lanes=self.lanes,
            outbox=self.outbox,
            clock=self.plan.mesh.clock,
            options=self.plan.options,
            wanted=reader.start_point.wants,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.over.done():
            self.over.set_exception(error)
        elif not isinstance(error, ProcessBuriedError):
            log.error("a task failed while this incarnation was ending", error=repr(error))

    def _on_buried(self) -> None:
        self._fail(ProcessBuriedError("this process has been declared dead: it showed no beat for a whole lease"))

    async def stop(self) -> None:
        """End cleanly within the drain time; what could not end is freed for others without counting a crash."""
        await self._cancel(self._tasks)
        try:
            await self._drain()
            await self.leave()
        finally:
            await self._release()

    async def _drain(self) -> None:
        options = self.plan.options
        if not await self.lanes.drain(options.drain_seconds):
            log.warning("drain time is over; unfinished turns go on elsewhere", seconds=options.drain_seconds)
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.outbox.drained()
        except TimeoutError:
            log.warning("unsent rows are left to others", rows=len(self.outbox))
        await self._close_writer()

    async def leave(self) -> None:
        """Free what this process still holds, without counting a crash, if the journal can be told."""
        try:
            await self.plan.journal.leave(self.me)
        except (JournalUnavailableError, ProcessBuriedError) as exc:
            # Whoever watches buries this process a lease from now, and goes on with what it held.
            log.warning("could not leave; others take over after a lease", error=str(exc))

    async def abandon(self) -> None:
        """End at once: everything this process held is, or will be, someone else's."""
        await self._cancel(self._tasks)
        try:
            await self.lanes.abort()
        finally:
            await self._release()

    async def _close_writer(self) -> None:
        self.writer.close()
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=FLUSH_SECONDS)

    async def _release(self) -> None:
        await self._cancel([*self._senders, *([self._writing] if self._writing else [])])
        await self._heartbeat.stop()
        await self.lanes.aclose()

    @staticmethod
    async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # ── what the parts tell one another ────────────────────────────────────────────────────────────────────

    def _sent(self, rows: Sequence[Any]) -> None:
        self.writer.sent(rows)

    def _adopt(self, holdings: Holdings) -> None:
        self.outbox.add(holdings.rows)
        self.lanes.start(holdings.lanes)

    def _refused(self, row: OutboxRow, error: RecordRefusedError) -> OutboxRow | None:
        """Return the dead letter of an output the broker refuses for good; None when that one was refused too."""
        namespace = self.plan.options.namespace
        parsed = parse_topic(row.topic)
        if parsed is not None and parsed.kind == "dead":
            log.error("the broker refuses a dead letter", kafka_topic=row.topic, error=str(error))
            return None
        record = Record(
            topic=row.topic,
            partition=-1 if row.partition is None else row.partition,
            offset=-1,
            timestamp_ms=-1,
            key=row.key,
            value=row.value,
            headers=row.headers,
        )
        owner = self._sender(row)
        return dead_letter(
            record,
            topic=dead_letters(namespace, owner.agent_type),
            group=owner.group,
            error=error,
            attempts=1,
            now=self.plan.mesh.clock.now(),
        )

    def _sender(self, row: OutboxRow) -> AgentGroup:
        sender = next((value.decode() for name, value in row.headers if name == _SENDER_HEADER), None)
        groups = self.plan.groups
        return next((group for group in groups if group.agent_type == sender), groups[0])
