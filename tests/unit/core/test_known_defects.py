"""What AutoGen users reported and never saw repaired: each defect by its name, absent in process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import (
    AgentId,
    DefaultInterventionHandler,
    DefaultTopicId,
    DropMessage,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)
from agentopic.core.tools import FunctionTool, StaticWorkbench
from agentopic.errors import MessageDroppedError, UndeliverableError

SOON = 5.0


@dataclass
class Note:
    text: str = ""


class Clerk(RoutedAgent):
    """Does what a note says."""

    def __init__(self, seen: list[str], held: asyncio.Event | None = None) -> None:
        super().__init__("does what it is told")
        self.seen, self.held = seen, held or asyncio.Event()

    @message_handler
    async def on_note(self, message: Note, ctx: MessageContext) -> Note:
        await asyncio.sleep(0)
        self.seen.append(f"{message.text} {DefaultTopicId().source}")
        if message.text == "wait":
            await self.held.wait()
        if message.text == "fail without text":
            raise ValueError
        return message


class Screen(DefaultInterventionHandler):
    """Drops or refuses what the text names."""

    def _judged(self, kind: str, message: Any) -> Any:
        if message.text == f"drop {kind}":
            return DropMessage
        if message.text == f"refuse {kind}":
            raise PermissionError(kind)
        return message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return self._judged("publish", message)

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return self._judged("send", message)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return self._judged("response", message)


async def office(seen: list[str], held: asyncio.Event | None = None) -> SingleThreadedAgentRuntime:
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[Screen()])
    await Clerk.register(runtime, "clerk", lambda: Clerk(seen, held))
    await runtime.add_subscription(TypeSubscription("notes", "clerk"))
    runtime.start()
    return runtime


async def idle(runtime: SingleThreadedAgentRuntime) -> None:
    async with asyncio.timeout(SOON):
        await runtime.stop_when_idle()


@pytest.mark.parametrize("text", ["drop publish", "refuse publish"])
async def test_stop_when_idle_does_not_hang_after_a_dropped_or_failed_publish(text: str) -> None:
    seen = list[str]()
    runtime = await office(seen)

    await runtime.publish_message(Note(text), TopicId("notes", "k"))
    await runtime.publish_message(Note("next"), TopicId("notes", "k"))
    await idle(runtime)

    assert seen == ["next k"]


@pytest.mark.parametrize("kind", ["send", "response"])
async def test_stop_when_idle_does_not_hang_after_a_dropped_or_failed_request(kind: str) -> None:
    runtime = await office([])

    for text, error in ((f"drop {kind}", MessageDroppedError), (f"refuse {kind}", PermissionError)):
        with pytest.raises(error):
            await runtime.send_message(Note(text), AgentId("clerk", "k"))

    await idle(runtime)


async def test_an_error_with_empty_text_is_not_lost() -> None:
    async def silent() -> str:
        raise ValueError

    runtime = await office([])

    with pytest.raises(ValueError, match=r"^$"):
        await runtime.send_message(Note("fail without text"), AgentId("clerk", "k"))
    told = await StaticWorkbench([FunctionTool(silent, description="d")]).call_tool("silent", {})
    await runtime.stop()

    assert (told.is_error, told.to_text()) == (True, "ValueError")


async def test_a_send_that_waits_when_the_runtime_stops_comes_to_an_end() -> None:
    runtime = SingleThreadedAgentRuntime()
    await Clerk.register(runtime, "clerk", lambda: Clerk([]))
    sending = asyncio.ensure_future(runtime.send_message(Note("late"), AgentId("clerk", "k")))
    await asyncio.sleep(0)
    runtime.start()
    await runtime.stop()

    with pytest.raises(UndeliverableError):
        async with asyncio.timeout(SOON):
            await sending


async def test_stopping_with_work_in_flight_does_not_over_count() -> None:
    seen, held = list[str](), asyncio.Event()
    runtime = await office(seen, held)
    await runtime.publish_message(Note("wait"), TopicId("notes", "k"))
    await runtime.stop_when(lambda: bool(seen))
    held.set()
    runtime.start()
    await runtime.publish_message(Note("after"), TopicId("notes", "k"))
    await idle(runtime)

    assert seen == ["wait k", "after k"]
    assert runtime.unprocessed_messages_count == 0


async def test_a_default_topic_has_the_agents_key_for_as_long_as_its_handler_runs() -> None:
    seen = list[str]()
    runtime = await office(seen)

    await runtime.publish_message(Note("hello"), TopicId("notes", "tenant 7"))
    await idle(runtime)

    assert seen == ["hello tenant 7"]
