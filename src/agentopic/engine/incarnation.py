"""One life of a process in the journal: from joining to leaving, or to finding itself buried."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from agentopic.core import AgentId
from agentopic.core._kernel import Kernel
from agentopic.engine.control import ControlIntake, control_group
from agentopic.engine.dispatch import Dispatcher
from agentopic.engine.group import AgentGroup
from agentopic.engine.hooks import TurnHooks
from agentopic.engine.intake import Intake
from agentopic.engine.kept_deliveries import KeptDeliveries
from agentopic.engine.lanes import Lanes
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.links import Links
from agentopic.engine.liveness import Fence, Watch
from agentopic.engine.mail import Mailbox
from agentopic.engine.mesh import Mesh
from agentopic.engine.metering import Meter, Metering
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.outbox import Outbox
from agentopic.engine.partitions import PartitionReader, Source, StartPoint
from agentopic.engine.put_away import PutAway
from agentopic.engine.refused_rows import RefusedRows
from agentopic.engine.retention import Retention
from agentopic.engine.run_facts import question_row
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.turn import Turn
from agentopic.engine.withdrawal import withdrawal_row
from agentopic.engine.writer import Writer
from agentopic.envelope.kafka_topics import replies
from agentopic.errors import ConfigError, JournalRewoundError, JournalUnavailableError, ProcessBuriedError
from agentopic.ports.journal import Holdings, Journal, Letter, Notice, OutboxRow
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

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
    large: LargePayloads
    links: Links
    metering: Metering
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
        clock, options = plan.mesh.clock, plan.options
        self._refused = RefusedRows(options.namespace, plan.groups, clock)
        self.outbox = Outbox(plan.mesh.transport, sent=self._sent, refused=self._refused.instead)
        self.writer = Writer(
            plan.journal,
            me,
            adopt=self._adopt,
            publish=self.outbox.add,
            dropped=self.outbox.forget,
            buried=self._on_buried,
            confirmed=lambda: self._heartbeat.beats,
        )
        self.mailbox = Mailbox(
            self.writer, interval=options.lease_seconds / 3, letters=self._letters, ended=self._runs_ended
        )
        self._heartbeat = plan.mesh.heartbeat(
            plan.journal, me, lease_seconds=options.lease_seconds, clock=clock, buried=self._on_buried
        )
        fence = Fence(self._heartbeat, self.writer)
        self._meter = Meter(plan.metering, self.writer, plan.groups)
        gate = asyncio.Lock()
        share = options.message_buffer_bytes // max(1, len(plan.groups))
        self._kept = {group.group: KeptDeliveries(share if group.concurrency else 0, clock) for group in plan.groups}
        dispatchers = [
            Dispatcher(
                group,
                plan.kernel,
                kept=self._kept[group.group],
                writer=self.writer,
                fence=fence,
                clock=clock,
                options=options,
                gate=gate,
                large=plan.large,
                middleware=plan.middleware,
                hooks=self._hooks(),
            )
            for group in plan.groups
        ]
        self._put_away = PutAway([each.activations for each in dispatchers], clock=clock, options=options)
        self.lanes = Lanes(
            dispatchers, writer=self.writer, outbox=self.outbox, clock=clock, failed=self._fail, options=options
        )
        self.readers = [self._reader(_deliveries(group)) for group in plan.groups]
        self.controls = [self._reader(_commands(group)) for group in plan.groups]
        self.ready = [asyncio.Event() for _ in (*self.readers, *self.controls)]
        self._tasks: list[asyncio.Task[None]] = []
        self._senders: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start all tasks."""
        options, clock = self.plan.options, self.plan.mesh.clock
        self._writing = self._spawn(self.writer.run())
        self._heartbeat.start()
        # The last turns of a drain are metered too.
        self._senders = [*(self._spawn(self.outbox.run()) for _ in range(SENDERS)), self._spawn(self._meter.run())]
        watch = Watch(self.writer, self.outbox, lease_seconds=options.lease_seconds, clock=clock)
        retention = Retention(self.plan.journal, self.plan.large, options)
        self._tasks = [
            self._spawn(watch.run(self.lanes.nudge)),
            self._spawn(self.lanes.run()),
            self._spawn(self.lanes.suspended.run()),
            self._spawn(self._put_away.run()),
            self._spawn(retention.run()),
            self._spawn(self.mailbox.run()),
        ]
        ready = iter(self.ready)
        for group, reader in zip(self.plan.groups, self.readers, strict=True):
            self._tasks.append(self._spawn(reader.run(self._intake(group, reader), next(ready))))
        for group, reader in zip(self.plan.groups, self.controls, strict=True):
            self._tasks.append(self._spawn(reader.run(self._control(group), next(ready))))

    @property
    def is_ready(self) -> bool:
        """Whether it works: its partitions are leased and the journal answers."""
        return self.writer.available and not self.over.done() and all(each.is_set() for each in self.ready)

    @property
    def is_rewound(self) -> bool:
        """Whether it is over because the journal has lost its last moments."""
        return self._heartbeat.rewound or isinstance(self.writer.death, JournalRewoundError)

    def _hooks(self) -> TurnHooks:
        meter = self._meter
        return TurnHooks(
            guards=meter.guards,
            is_cancelled=self.mailbox.is_cancelled,
            withdraw=self._withdraw,
            asked=self._asked,
            handled=meter.tell,
            ended=meter.ended,
            preview=meter.preview,
        )

    def _reader(self, source: Source) -> PartitionReader:
        plan = self.plan
        return PartitionReader(
            source,
            transport=plan.mesh.transport,
            admin=plan.mesh.admin,
            catalog=plan.catalog,
            writer=self.writer,
            clock=plan.mesh.clock,
            options=plan.options,
        )

    def _control(self, group: AgentGroup) -> ControlIntake:
        return ControlIntake(
            group,
            writer=self.writer,
            outbox=self.outbox,
            clock=self.plan.mesh.clock,
            options=self.plan.options,
            wake=self._wake,
            heard=self.plan.links.heard,
        )

    def _intake(self, group: AgentGroup, reader: PartitionReader) -> Intake:
        return Intake(
            group,
            writer=self.writer,
            lanes=self.lanes,
            outbox=self.outbox,
            kept=self._kept[group.group],
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
        if self.is_rewound:
            self._fail(JournalRewoundError("the journal has lost its last moments: what is known here of it is void"))
        else:
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
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._meter.flush()
        except TimeoutError:
            log.warning("the last counts of the ledger are not written: the journal does not answer")
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

    def _letters(self, letters: Sequence[Letter]) -> None:
        self.lanes.notified(letters)

    def _runs_ended(self, runs: AbstractSet[str]) -> None:
        self.lanes.runs_ended(runs)

    def _wake(self, notices: Sequence[Notice]) -> None:
        if any(notice.process == self.me for notice in notices):
            self.mailbox.wake()
        self.plan.links.waker.wake([notice for notice in notices if notice.process != self.me])
        self.lanes.nudge()  # what was answered or resumed without a holder is ready

    def _withdraw(self, turn: Turn, recipient: str, wait_id: str) -> Sequence[OutboxRow]:
        namespace, now = self.plan.options.namespace, self.plan.mesh.clock.now()
        callee, key = self.plan.links.members.outside(AgentId.from_str(recipient)), bytes.fromhex(wait_id)
        places = self.plan.catalog.count(replies(namespace)) or 1
        return (withdrawal_row(namespace, turn.delivery, callee, key, now=now, places=places),)

    def _asked(self, turn: Turn, question_id: str, note: bytes) -> Sequence[OutboxRow]:
        namespace, now = self.plan.options.namespace, self.plan.mesh.clock.now()
        return (question_row(turn.delivery, question_id, note, namespace=namespace, now=now),)


def _deliveries(group: AgentGroup) -> Source:
    return Source(
        group=group.group,
        readable=group.router.readable,
        is_complete=group.router.is_complete,
        start_point=StartPoint(group.start_from, group.group),
        backlog_of=group.group,
    )


def _commands(group: AgentGroup) -> Source:
    name = control_group(group.group)
    return Source(
        group=name,
        readable=group.router.readable_control,
        is_complete=lambda kafka_topics: group.router.control in kafka_topics,
        start_point=StartPoint("earliest", name),
        backlog_of=None,
    )
