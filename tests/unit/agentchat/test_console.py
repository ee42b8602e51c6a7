from __future__ import annotations

import asyncio

import pytest

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import TextMessage, UserInputRequestedEvent
from agentopic.agentchat.ui import Console, UserInputManager
from agentopic.core import CancellationToken
from agentopic.ext.models.replay import ReplayChatCompletionClient


async def test_a_run_is_printed_with_its_cost(capsys) -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["x y"]))

    result = await Console(agent.run_stream(task="q"), output_stats=True)

    printed = capsys.readouterr().out
    assert printed.startswith(
        "---------- TextMessage (user) ----------\nq\n---------- TextMessage (a) ----------\nx y\n"
    )
    assert "Number of messages: 2" in printed
    assert "Total completion tokens: 2" in printed
    assert len(result.messages) == 2


async def test_a_streamed_text_is_printed_once(capsys) -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["x y"]), model_client_stream=True)

    response = await Console(
        agent.on_messages_stream([TextMessage(content="q", source="u")], CancellationToken()), output_stats=True
    )

    assert isinstance(response, Response)
    assert capsys.readouterr().out.count("x y") == 1


async def test_a_stream_without_an_end_is_an_error() -> None:
    async def nothing():
        return
        yield

    with pytest.raises(ValueError, match="No TaskResult"):
        await Console(nothing())


async def test_a_person_is_asked_after_the_reason_was_shown() -> None:
    manager = UserInputManager(lambda prompt: f"answer to {prompt}")
    asking = asyncio.ensure_future(manager.get_wrapped_callback()("why?", None))

    async def run():
        await asyncio.sleep(0)
        assert not asking.done()
        yield UserInputRequestedEvent(request_id="1", source="u")
        yield Response(chat_message=TextMessage(content=await asking, source="u"))

    response = await Console(run(), user_input_manager=manager)

    assert response.chat_message.to_text() == "answer to why?"
