from __future__ import annotations

from typing import Any

from agentopic.agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
)
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import TextMessage
from agentopic.core import CancellationToken, ComponentLoader

from .model_script import scripted


class Noting(BaseChatAgent):
    """Notes what is done to it."""

    def __init__(self) -> None:
        super().__init__("noting", "notes")
        self.done: list[str] = []

    @property
    def produced_message_types(self) -> tuple[type[TextMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Any, cancellation_token: CancellationToken) -> Response:
        return Response(chat_message=TextMessage(content=" ".join(m.content for m in messages), source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.done.append("reset")

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        self.done.append("pause")

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        self.done.append("resume")

    async def close(self) -> None:
        self.done.append("close")


def filtering(wrapped: BaseChatAgent, *sources: PerSourceFilter) -> MessageFilterAgent:
    return MessageFilterAgent("f", wrapped, MessageFilterConfig(per_source=list(sources)))


async def test_only_what_passes_reaches_the_agent() -> None:
    agent = filtering(Noting(), PerSourceFilter(source="a", position="last", count=1), PerSourceFilter(source="b"))
    given = [TextMessage(content=f"{source}{i}", source=source) for i in range(2) for source in ("a", "b", "c")]

    response = await agent.on_messages(given, CancellationToken())

    assert response.chat_message.to_text() == "a1 b0 b1"


async def test_what_is_done_to_the_filter_is_done_to_the_agent() -> None:
    wrapped = Noting()
    agent = filtering(wrapped)

    await agent.on_pause(CancellationToken())
    await agent.on_resume(CancellationToken())
    await agent.on_reset(CancellationToken())
    await agent.close()

    assert wrapped.done == ["pause", "resume", "reset", "close"]


async def test_the_conversation_of_the_wrapped_agent_is_saved() -> None:
    agent = filtering(AssistantAgent("a", scripted("x")), PerSourceFilter(source="user"))
    await agent.run(task="t")
    state = await agent.save_state()
    again = filtering(AssistantAgent("a", scripted("x")))

    await again.load_state(state)

    assert await again.save_state() == state
    assert [m["content"] for m in state["wrapped_agent_state"]["llm_context"]["messages"]] == ["t", "x"]


async def test_a_state_of_autogens_is_loaded() -> None:
    agent = filtering(AssistantAgent("a", scripted("x")), PerSourceFilter(source="user"))
    await agent.run(task="t")
    before = await agent.save_state()

    await agent.load_state({"type": "BaseState", "version": "1.0.0"})

    assert await agent.save_state() == before


async def test_it_is_built_again_from_json() -> None:
    agent = filtering(AssistantAgent("a", scripted("x")), PerSourceFilter(source="user", position="first", count=2))
    dumped = agent.dump_component()

    loaded = ComponentLoader.load_component(dumped.model_dump(), MessageFilterAgent)

    assert loaded.dump_component() == dumped
