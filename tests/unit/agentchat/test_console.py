from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from PIL import Image as PillowImage

from agentopic.agentchat.agents import AssistantAgent, UserProxyAgent
from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import MultiModalMessage, TextMessage, UserInputRequestedEvent
from agentopic.agentchat.ui import Console, UserInputManager
from agentopic.core import CancellationToken, Image
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
    proxy = UserProxyAgent("u", input_func=manager.get_wrapped_callback())

    result = await Console(proxy.run_stream(task="why?"), user_input_manager=manager)

    assert result.messages[-1].to_text() == "answer to Enter your response: "
    assert not manager.input_events


async def test_a_person_is_not_asked_before_the_reason_was_shown() -> None:
    manager = UserInputManager(lambda prompt: "answer")
    stream: Any = UserProxyAgent("u", input_func=manager.get_wrapped_callback()).run_stream(task="why?")
    _task, request = await anext(stream), await anext(stream)
    assert isinstance(request, UserInputRequestedEvent)
    answering: asyncio.Future[Any] = asyncio.ensure_future(anext(stream))
    for _ in range(5):
        await asyncio.sleep(0)

    waited = not answering.done()
    manager.notify_event_received(request.request_id)

    assert waited
    assert (await answering).to_text() == "answer"


async def test_a_reply_of_an_agent_is_titled_with_its_source(capsys) -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["x y"]))

    await Console(agent.on_messages_stream([TextMessage(content="q", source="u")], CancellationToken()))

    assert capsys.readouterr().out == "---------- a ----------\nx y\n"


async def test_images_are_shown_only_where_the_terminal_can(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    async def run():
        yield MultiModalMessage(content=[Image(PillowImage.new("RGB", (1, 1)))], source="u")
        yield TaskResult(messages=[])

    await Console(run())
    monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
    await Console(run())
    await Console(run(), no_inline_images=True)

    printed = capsys.readouterr().out
    assert printed.count("<image>") == 2
    assert printed.count("\033]1337;File=inline=1:") == 1
