from __future__ import annotations

import re

import pytest
from PIL import Image as PillowImage

from agentopic.agentchat.agents import AssistantAgent, UserProxyAgent
from agentopic.agentchat.base import Response, TaskResult
from agentopic.agentchat.messages import MultiModalMessage, TextMessage
from agentopic.agentchat.ui import UserInputManager
from agentopic.core import CancellationToken, Image
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.ext.ui import RichConsole


async def test_messages_are_framed_under_their_sources(capsys) -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["x y"]), model_client_stream=True)

    result = await RichConsole(agent.run_stream(task="[bold]q[/bold]"), output_stats=True)

    printed = capsys.readouterr().out
    assert isinstance(result, TaskResult)
    assert "[bold]q[/bold]" in printed
    assert printed.count("x y") == 1
    assert "─ a ─" in printed
    assert re.search(r"\[Prompt tokens: \d+, Completion tokens: \d+\]", printed)
    assert "Summary" in printed
    assert "Number of messages: 2" in printed


async def test_a_response_is_shown_and_returned(capsys) -> None:
    agent = AssistantAgent("a", ReplayChatCompletionClient(["x y"]))

    response = await RichConsole(
        agent.on_messages_stream([TextMessage(content="q", source="u")], CancellationToken()), output_stats=True
    )

    assert isinstance(response, Response)
    assert "Number of inner messages: 0" in capsys.readouterr().out


async def test_images_are_named_where_they_cannot_be_shown(capsys) -> None:
    async def run():
        yield MultiModalMessage(content=["look", Image(PillowImage.new("RGB", (1, 1)))], source="u")
        yield TaskResult(messages=[])

    await RichConsole(run())

    printed = capsys.readouterr().out
    assert "look" in printed
    assert "<image>" in printed


async def test_a_person_is_asked_after_the_reason_was_shown() -> None:
    manager = UserInputManager(lambda prompt: "yes")
    proxy = UserProxyAgent("u", input_func=manager.get_wrapped_callback())

    result = await RichConsole(proxy.run_stream(task="why?"), user_input_manager=manager)

    assert result.messages[-1].to_text() == "yes"


async def test_a_stream_without_an_end_is_an_error() -> None:
    async def nothing():
        return
        yield

    with pytest.raises(ValueError, match="No TaskResult"):
        await RichConsole(nothing())
