"""`MemoryMesh`: services on a broker and a journal in memory, for tests of one's own agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.core import AgentId, TopicId
from agentopic.engine.control_client import OpenQuestion
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.service import AgentService
from agentopic.envelope import Envelope
from agentopic.envelope.kafka_topics import topic_events
from agentopic.errors import RuntimeStateError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.clock import Clock
from agentopic.testing.clock import FakeClock
from agentopic.testing.landed import DeadLetter, Landed

_LOOK_SECONDS = 0.01


class MemoryMesh:
    """A mesh that lives as long as its `async with` block; everything in it works as on Kafka and PostgreSQL.

    `options` are fields of `agentopic.EngineOptions`. With a `FakeClock` waiting is in the test's hands: turns that
    wait are put away within a second, and go on when `pass_time` has moved the clock far enough.

    >>> async with MemoryMesh() as mesh:
    ...     await mesh.run(app)
    ...     await mesh.publish(OrderPlaced(order="7"), TopicId("orders", "7"))
    ...     await mesh.idle()
    ...     expect(mesh.events("checked")).of_type(OrderChecked).exactly(1)
    """

    def __init__(self, *, namespace: str = "test", clock: Clock | None = None, **options: Any) -> None:
        """Make a mesh without any process."""
        self.log = MemoryLog()
        self.clock: Clock = clock or SystemClock()
        self.store = MemoryStore()
        chosen: dict[str, Any] = {"partitions": 2, "drain_seconds": 5.0}
        if clock is not None:
            self.store = MemoryStore(now=clock.monotonic, wall=lambda: clock.now().timestamp())
            chosen["suspend_seconds"] = 0.0
        self._options = EngineOptions(namespace=namespace, **{**chosen, **options})
        self._landed = Landed(self.log, namespace)
        self._stack = AsyncExitStack()
        self._processes: list[EngineRuntime] = []
        self._outside = self.runtime()

    async def __aenter__(self) -> Self:
        """Open it."""
        await self._outside.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drain and stop every process."""
        await self._stack.aclose()

    # ── processes ──────────────────────────────────────────────────────────────────────────────────────────

    def runtime(self) -> EngineRuntime:
        """Return one more process, not started, to register agents on; it is stopped with the mesh."""
        mesh = Mesh(
            transport=MemoryTransport(self.log),
            admin=MemoryAdmin(self.log),
            clock=self.clock,
            journal=MemoryJournal(self.store),
        )
        runtime = EngineRuntime(mesh, self._options)
        self._stack.push_async_callback(runtime.stop)
        return runtime

    async def run(self, *services: AgentService) -> EngineRuntime:
        """Start a process that runs these services; `stop` of what is returned drains it."""
        runtime = self.runtime()
        for service in services:
            await service.register(runtime)
        await runtime.start()
        self._processes.append(runtime)
        return runtime

    async def idle(self, seconds: float = 30.0) -> None:
        """Wait until everything published and all that it caused is done.

        Raises:
            TimeoutError: something is not done within that time; a question that nobody answers, for example.
        """
        async with asyncio.timeout(seconds):
            for runtime in self._processes:
                await runtime.idle()

    async def pass_time(self, seconds: float) -> None:
        """Wait until all that could be done at this time is done, then advance the `FakeClock`.

        Timers, time-outs and delays that fall due meanwhile fire; what they cause is waited for by `idle`.

        Raises:
            RuntimeStateError: the mesh was made without a `FakeClock`.
        """
        if not isinstance(self.clock, FakeClock):
            raise RuntimeStateError("time passes by itself on this mesh: make it with clock=FakeClock()")
        while not self._is_at_rest():  # noqa: ASYNC110 - in the journal
            await asyncio.sleep(_LOOK_SECONDS)
        self.clock.advance(seconds)

    def _is_at_rest(self) -> bool:
        """Whether everything is read and every unfinished delivery waits for something."""
        marks, lanes = self.store.marks.items(), self.store.lanes.values()
        is_read = all((mark.next or 0) >= len(self.log.partition(at)) for (_, at), mark in marks)
        return is_read and all(lane.owner is None and lane.ready_at > self.store.now() for lane in lanes)

    # ── the outside ────────────────────────────────────────────────────────────────────────────────────────

    def create(self, *topics: str) -> None:
        """Create topics that no service of the test owns: those only written to, without `publishes`."""
        names = [topic_events(self._options.namespace, each) for each in topics]
        self.log.create([TopicSpec(name=each, partitions=self._options.partitions) for each in names])

    async def publish(self, message: Any, topic: TopicId) -> None:
        """Publish from outside.

        Raises:
            MissingTopicError: nobody listens to the topic or owns it.
        """
        await self._outside.publish_message(message, topic)

    async def send(self, message: Any, recipient: AgentId) -> Any:
        """Send to an agent from outside and return its answer.

        Raises:
            RuntimeStateError: no process runs.
            RequestError: the agent's handler failed for good, or did not answer in time.
        """
        if not self._processes:
            raise RuntimeStateError("start a process with `run` before something is sent to it")
        return await self._processes[-1].send_message(message, recipient)

    async def question(self, agent_type: str) -> OpenQuestion:
        """Return the oldest open question of an agent type, once there is one."""
        while not (questions := await self._outside.control.questions([agent_type])):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(_LOOK_SECONDS)
        return questions[0]

    async def answer(self, question: OpenQuestion, value: Any) -> None:
        """Answer a question as a person would."""
        await self._outside.control.answer(question.id, question.agent, value)

    def events(self, topic: str) -> Sequence[Envelope]:
        """Return what was published to a topic type, each event once, in the order of its partitions."""
        return self._landed.events(topic)

    def dead_letters(self, agent_type: str) -> Sequence[DeadLetter]:
        """Return what an agent type has given up."""
        return self._landed.dead_letters(agent_type)
