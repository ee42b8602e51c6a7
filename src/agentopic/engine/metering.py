"""Metering: everything around the paid calls of a process, put together for the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from agentopic.core._turn import StepSpec
from agentopic.engine.budget import RAISED, Breach
from agentopic.engine.budgets import Budgets
from agentopic.engine.circuit import Circuits
from agentopic.engine.control_client import ControlClient
from agentopic.engine.group import AgentGroup
from agentopic.engine.ledger import Ledger, cost_facts, run_scope, type_scope
from agentopic.engine.mesh import Mesh
from agentopic.engine.model_guard import ModelGuard
from agentopic.engine.options import EngineOptions
from agentopic.engine.previews import Previews, stream_topic
from agentopic.engine.prices import price_table
from agentopic.engine.rate_limiting import RateLimiting
from agentopic.engine.run_facts import cost_row
from agentopic.engine.spent import SpentReader
from agentopic.engine.step_guards import StepGuard
from agentopic.engine.steps import Steps
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.turn import Turn
from agentopic.engine.writer import Writer
from agentopic.envelope.kafka_topics import consumer_group, runs
from agentopic.errors import AgentopicError, ConfigError, JournalUnavailableError, ProcessBuriedError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.journal import Question

FLUSH_SECONDS = 1.0


class Metering:
    """What the calls of a process share, whatever its incarnation: prices, circuits, rate limits, previews.

    Raises:
        ConfigError: the price file cannot be used, or limits are set that nothing here can apply.
    """

    def __init__(self, mesh: Mesh, catalog: TopicCatalog, options: EngineOptions) -> None:
        self.mesh, self.catalog, self.options = mesh, catalog, options
        self.control: ControlClient | None = None
        """Through which questions are answered that have become idle."""
        self.ledger = Ledger(price_table(options.prices), mesh.clock)
        self.circuits = Circuits(options.circuit, mesh.clock)
        self.rates = RateLimiting(mesh.rate_limits, options.rate_limits)
        self._stream = stream_topic(
            options.namespace, partitions=options.partitions, replication=options.topic_replication
        )
        self.previews = Previews(mesh.transport, catalog, mesh.clock, namespace=options.namespace, topic=self._stream)

    def topics(self) -> Sequence[TopicSpec]:
        """Return the topics that are to be there from the start."""
        return [self._stream] if self.options.previews == "always" else []

    def scope(self, *, run: str | None, agent_type: str | None, day: date | None) -> str:
        """Return the scope of a run, or of an agent type on a day (None: today).

        Raises:
            ConfigError: neither or both are named.
        """
        if (run is None) == (agent_type is None):
            raise ConfigError("name a run or an agent type, to tell whose spending is meant")
        if run is not None:
            return run_scope(run)
        group = consumer_group(self.options.namespace, agent_type or "")
        return type_scope(group, day or self.mesh.clock.now().date())


class Meter:
    """The metering of one incarnation: its guard, its hooks, and what it writes to the ledger once a second."""

    def __init__(self, metering: Metering, writer: Writer, groups: Sequence[AgentGroup]) -> None:
        self._metering, self._writer = metering, writer
        self._spent = SpentReader(lambda scopes: writer.read(lambda: writer.journal.spent(scopes)))
        self._guard = ModelGuard(
            ledger=metering.ledger,
            circuits=metering.circuits,
            rates=metering.rates,
            budgets=Budgets(self._spent, self._questions, self._release),
            limits={group.agent_type: group.budgets for group in groups},
        )

    @property
    def guards(self) -> Sequence[StepGuard]:
        """What stands around every outside call."""
        return (self._guard,)

    def preview(self, turn: Turn, spec: StepSpec[Any], item: Any) -> None:
        """Show an item of a stream, unless previews are switched off."""
        if self._metering.options.previews != "never":
            self._metering.previews.show(turn, spec, item)

    def ended(self, turn: Turn, steps: Steps) -> None:
        """Count what no result carries, and forget the attempt's calls that never ended."""
        self._guard.forget(turn)
        ledger = self._metering.ledger
        ledger.book(steps.log.stray)
        counts = steps.stats.get("model")
        if counts is not None:
            ledger.note(ledger.account(turn), saved=counts.saved, unknown=counts.unknown, diverged=counts.diverged)

    async def run(self) -> None:
        """Write to the ledger about once a second, and send previews, until cancelled."""
        previewing = asyncio.get_running_loop().create_task(self._metering.previews.run())
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            previewing.cancel()
            await asyncio.wait({previewing})

    async def flush(self) -> None:
        """Write what has been noted so far.

        After a call of unknown outcome it is not written again: these are counts of events, and what was paid
        travels with its results.
        """
        entries = self._metering.ledger.take()
        if entries:
            writer = self._writer
            with suppress(JournalUnavailableError, ProcessBuriedError):
                await writer.call(lambda: writer.journal.spend(writer.me, entries))
        await self._guard.settled()

    async def tell(self, turn: Turn) -> None:
        """Have a turn that used a model tell what its run has cost so far."""
        if "model" not in turn.steps.stats or not await self._has_facts():
            return
        scope = run_scope(turn.run)
        spent = (await self._spent.read([scope]))[scope]
        namespace, now = self._metering.options.namespace, self._metering.mesh.clock.now()
        turn.outbox.append(cost_row(turn.delivery, cost_facts(spent), namespace=namespace, now=now, part="cost"))

    async def _has_facts(self) -> bool:
        return await self._metering.catalog.has(runs(self._metering.options.namespace))

    async def _release(self, breach: Breach) -> None:
        """Answer all other questions about a budget that has been raised; best effort, a person can do it too."""
        control = self._metering.control
        if control is None:
            return
        with suppress(AgentopicError):
            for question in await control.questions():
                if breach.is_asked_by(question.note):
                    await control.answer(question.id, question.agent, RAISED)

    async def _questions(self, group: str) -> Sequence[Question]:
        return await self._writer.read(lambda: self._writer.journal.questions([group]))
