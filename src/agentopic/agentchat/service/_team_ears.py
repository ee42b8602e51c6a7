"""`TeamEars`: hears what a deployed team says, once per runtime, and gives it to the callers in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Protocol, runtime_checkable
from weakref import WeakKeyDictionary, ref

from agentopic.agentchat.service._conversation_ear import ConversationEar, Previewed
from agentopic.agentchat.service._payloads import PAYLOADS, TeamOutput
from agentopic.agentchat.service._seat_line import previewed
from agentopic.core import (
    AgentId,
    AgentRuntime,
    ClosureAgent,
    ClosureContext,
    MessageContext,
    TypeSubscription,
    try_get_known_serializers_for_type,
)
from agentopic.core._message_id import new_message_id
from agentopic.errors import TeamError


@runtime_checkable
class ShowsPreviews(Protocol):
    """A runtime on which previews can be watched."""

    def previews(self, show: Callable[[AgentId, Any], None]) -> AbstractAsyncContextManager[None]:
        """Have `show` given every preview from now on, with its agent."""
        ...


class TeamEars:
    """The ears of one team in one process; it listens from the first caller on."""

    _all: ClassVar[WeakKeyDictionary[AgentRuntime, dict[str, TeamEars]]] = WeakKeyDictionary()

    def __init__(self, runtime: AgentRuntime, team: str, output: str) -> None:
        self._weak_runtime, self._team, self._output = ref(runtime), team, output
        self._ears: dict[str, set[ConversationEar]] = {}
        self._is_listening = self._is_declared = False
        self._beginning = asyncio.Lock()

    @classmethod
    def of(cls, runtime: AgentRuntime, team: str, output: str) -> TeamEars:
        """The ears of a team on a runtime."""
        teams = cls._all.setdefault(runtime, {})
        return teams.setdefault(team, cls(runtime, team, output))

    @property
    def _runtime(self) -> AgentRuntime:
        """The runtime; not kept alive from here, or what is known of it would never go."""
        runtime = self._weak_runtime()
        if runtime is None:
            raise TeamError(f"the runtime through which team {self._team!r} was heard is gone")
        return runtime

    def declare(self) -> None:
        """Make what travels known to the runtime."""
        if not self._is_declared:
            for payload in PAYLOADS:
                self._runtime.add_message_serializer(try_get_known_serializers_for_type(payload))
            self._is_declared = True

    @asynccontextmanager
    async def open(self, conversation: str) -> AsyncGenerator[ConversationEar]:
        """Hear one conversation inside the block."""
        ear = ConversationEar(conversation)
        self._ears.setdefault(conversation, set()).add(ear)
        try:
            await self._listen()
            async with AsyncExitStack() as stack:
                if isinstance(self._runtime, ShowsPreviews):
                    await stack.enter_async_context(self._runtime.previews(partial(self._preview, ear)))
                yield ear
        finally:
            mine = self._ears[conversation]
            mine.discard(ear)
            if not mine:
                del self._ears[conversation]

    async def _listen(self) -> None:
        async with self._beginning:
            if self._is_listening:
                return
            ear_type = f"{self._team}.ear-{new_message_id()}"
            await ClosureAgent.register_closure(
                self._runtime,
                ear_type,
                self._hear,
                skip_direct_message_subscription=True,
                subscriptions=lambda: [TypeSubscription(self._output, ear_type)],
            )
            self._is_listening = True

    async def _hear(self, agent: ClosureContext, message: TeamOutput, ctx: MessageContext) -> None:
        for ear in self._ears.get(agent.id.key, ()):
            ear.hear(message)

    def _preview(self, ear: ConversationEar, agent: AgentId, data: Any) -> None:
        if agent.key != ear.conversation or not agent.type.startswith(f"{self._team}."):
            return
        found = previewed(data)
        if found is not None:
            ear.hear(Previewed(*found))
