"""Connections: how one process talks with the mesh outside of its lanes: hearing, asking, commanding, waking."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agentopic.core._kernel import Kernel
from agentopic.engine.callers import Callers
from agentopic.engine.control_client import ControlClient
from agentopic.engine.incarnation import Incarnation
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.lifetime import Lifetime
from agentopic.engine.links import Links
from agentopic.engine.listener import Listener
from agentopic.engine.mail import Waker
from agentopic.engine.mesh import Mesh
from agentopic.engine.messaging import Messages
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.preview_reader import PreviewReader
from agentopic.engine.process_lived.residence import Residence
from agentopic.engine.request_ids import AskingStep
from agentopic.engine.requests import Requests
from agentopic.engine.sending import Sender
from agentopic.engine.step_records import value_record
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.writer import Writer
from agentopic.envelope import Envelope, json
from agentopic.envelope import attributes as names
from agentopic.errors import ConfigError, JournalUnavailableError, ProcessBuriedError
from agentopic.ports.journal import Journal, Question, StepResult
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


class Connections:
    """Made once per runtime; outlives its incarnations, whichever lives at the moment makes the journal calls."""

    def __init__(
        self,
        kernel: Kernel,
        mesh: Mesh,
        catalog: TopicCatalog,
        options: EngineOptions,
        *,
        life: Lifetime,
        large: LargePayloads,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        self._mesh, self._life = mesh, life
        self._journal_lock = asyncio.Lock()
        self._journal_started = False
        self._keeping: set[asyncio.Task[None]] = set()
        self.sender = Sender(mesh.transport)
        self.listener = Listener(mesh, catalog, options)
        self.waker = Waker(self.sender, options.namespace)
        self.residence = Residence(
            kernel,
            mesh,
            catalog,
            options,
            large=large,
            listener=self.listener,
            sender=self.sender,
            middleware=middleware,
        )
        self.requests = Requests(
            self.listener,
            self.sender,
            catalog,
            options,
            owner=self.residence.owner,
            clock=mesh.clock,
            keep=self._keep,
        )
        self.control = self._controlling(catalog, options)
        self.previews = PreviewReader(mesh, catalog, options)
        self.plan_links = Links(
            listener=self.listener,
            waker=self.waker,
            members=self.residence.members,
            heard=self.requests.resolve,
        )
        self.listener.on(names.KIND_WAKE, self._woken)
        self.callers = Callers(self.requests, self.control, options, writer=self._writer)
        self.messages = Messages(
            kernel,
            mesh,
            catalog,
            options,
            requests=self.requests,
            callers=self.callers,
            residence=self.residence,
            large=large,
            settled=life.settled,
        )

    def _controlling(self, catalog: TopicCatalog, options: EngineOptions) -> ControlClient:
        return ControlClient(
            options.namespace,
            self.sender,
            catalog,
            self._mesh.clock,
            questions=self._questions,
            named=self.residence.members.outside,
        )

    def incarnation(self) -> Incarnation | None:
        """Return the life this process leads in the journal at the moment; None when it leads none."""
        life = None if self._life.host is None else self._life.host.incarnation
        return None if life is None or life.over.done() else life

    async def journal(self) -> Journal:
        """Return the journal, started.

        Raises:
            ConfigError: this process has none.
            UnreachableError: it does not answer.
        """
        if self._mesh.journal is None:
            raise ConfigError("this needs a journal: set AGENTOPIC_JOURNAL")
        async with self._journal_lock:
            if not self._journal_started:
                await self._mesh.journal.start()
                self._journal_started = True
        return self._mesh.journal

    async def drain(self) -> None:
        """Prepare for the end: what is being written down for callers is, and turns that wait are handed over."""
        self.requests.draining = True
        await self.callers.aclose()

    async def aclose(self) -> None:
        """End; whoever still waits for an answer is told. It may begin anew."""
        await self.requests.aclose()
        await self.previews.aclose()
        await self.listener.aclose()
        await self.waker.aclose()
        await self.sender.aclose()
        for task in self._keeping:
            task.cancel()
        if self._keeping:
            await asyncio.wait(self._keeping)
        self.requests.draining = self._journal_started = False

    def _writer(self) -> Writer | None:
        life = self.incarnation()
        return None if life is None else life.writer

    async def _questions(self, groups: Sequence[str]) -> Sequence[Question]:
        journal, writer = await self.journal(), self._writer()
        if writer is None:
            return await journal.questions(groups)
        return await writer.call(lambda: journal.questions(groups))

    def _woken(self, wake: Envelope) -> None:
        life = self.incarnation()
        if life is not None and wake.agtargetkey == self.listener.id:
            life.mailbox.wake()

    # ── answers for turns that do not run here any more ────────────────────────────────────────────────────

    def _keep(self, step: AskingStep, answer: Envelope) -> None:
        task = asyncio.get_running_loop().create_task(self._store(step, answer))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _store(self, step: AskingStep, answer: Envelope) -> None:
        life = self.incarnation()
        if life is None:
            return  # it comes again, to whoever goes on with the turn and asks
        result = value_record(json.dumps(answer), self._mesh.clock.now())
        try:
            await life.writer.close_step(StepResult(turn=step.turn, key=step.key, result=result, lane=step.lane))
        except (JournalUnavailableError, ProcessBuriedError) as exc:
            log.info("an answer for a parked turn was not stored, its turn asks again", error=str(exc))
            return
        life.lanes.nudge()
