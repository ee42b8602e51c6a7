from __future__ import annotations

import asyncio
import functools

import pytest

from agentopic.agentchat.agents import AssistantAgent, UserProxyAgent
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import HandoffMessage, TextMessage, UserInputRequestedEvent
from agentopic.agentchat.tools import AgentTool
from agentopic.core import CancellationToken
from agentopic.errors import ContextError, UserInputError

from .durable_desk import answered_after_a_restart
from .model_script import calling, scripted


async def test_a_function_that_is_called_in_a_thread_knows_its_request() -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(UserProxyAgent.InputRequestContext.request_id())
        return "yes"

    items = [item async for item in UserProxyAgent("u", input_func=answer).on_messages_stream([], CancellationToken())]

    assert isinstance(items[0], UserInputRequestedEvent)
    assert asked == [items[0].request_id]


def test_a_request_is_known_only_inside_an_input_function() -> None:
    with pytest.raises(ContextError, match="input function"):
        UserProxyAgent.InputRequestContext.request_id()
    with pytest.raises(RuntimeError):
        UserProxyAgent.InputRequestContext()


async def test_a_partial_of_a_coroutine_function_is_awaited() -> None:
    async def answer(greeting: str, prompt: str, cancellation_token: CancellationToken | None) -> str:
        return greeting

    response = await UserProxyAgent("u", input_func=functools.partial(answer, "hello")).on_messages(
        [], CancellationToken()
    )

    assert response.chat_message.to_text() == "hello"


async def test_a_failing_function_is_an_input_error_that_says_why() -> None:
    def fails(prompt: str) -> str:
        raise LookupError

    with pytest.raises(UserInputError, match="Failed to get user input: LookupError") as caught:
        await UserProxyAgent("u", input_func=fails).on_messages([], CancellationToken())

    assert isinstance(caught.value.__cause__, LookupError)


async def test_a_handoff_to_somebody_else_is_refused() -> None:
    handoff = HandoffMessage(content="h", source="a", target="x")

    with pytest.raises(UserInputError, match="does not match agent name: a hands off to x, this is u"):
        await UserProxyAgent("u", input_func=str).on_messages([handoff], CancellationToken())


async def test_the_terminal_is_read_without_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: f"typed after {prompt}")

    response = await UserProxyAgent("u").on_messages([], CancellationToken())

    assert response.chat_message.to_text() == "typed after Enter your response: "


async def test_an_ended_terminal_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(prompt: str) -> str:
        raise EOFError("EOF when reading a line")

    monkeypatch.setattr("builtins.input", ended)

    with pytest.raises(UserInputError, match="EOF"):
        await UserProxyAgent("u").on_messages([], CancellationToken())


async def test_a_cancelled_token_ends_the_wait_for_a_person_who_ignores_it() -> None:
    token, waiting = CancellationToken(), asyncio.Event()

    async def never(prompt: str, cancellation_token: CancellationToken | None) -> str:
        waiting.set()
        return await asyncio.Future()

    answering = asyncio.create_task(UserProxyAgent("u", input_func=never).on_messages([], token))
    await waiting.wait()
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await answering


async def test_cancelling_reaches_a_person_who_is_asked_inside_of_a_tool() -> None:
    token, waiting, ended = CancellationToken(), asyncio.Event(), asyncio.Event()

    async def never(prompt: str, cancellation_token: CancellationToken | None) -> str:
        waiting.set()
        try:
            return await asyncio.Future()
        finally:
            ended.set()

    tool = AgentTool(UserProxyAgent("person", input_func=never))
    agent = AssistantAgent("a", scripted(calling(("person", '{"task": "t"}'))), tools=[tool])

    running = asyncio.create_task(agent.run(task="t", cancellation_token=token))
    await waiting.wait()
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


async def test_an_answer_is_recorded_in_a_durable_turn(turns) -> None:
    asked: list[str] = []

    async def answer(prompt: str, cancellation_token: CancellationToken | None) -> str:
        asked.append(prompt)
        return f"answer {len(asked)}"

    said = []
    for _ in range(2):
        with turns.attempt():
            response = await UserProxyAgent("u", input_func=answer).on_messages([], CancellationToken())
            said.append(response.chat_message)

    assert len(asked) == 1
    assert said[0] == said[1]


async def test_a_question_waits_in_the_durable_inbox_through_a_restart() -> None:
    question, said = await answered_after_a_restart(lambda: UserProxyAgent("person"), "go on")

    assert question.note["text"] == "t"
    assert question.note["details"]["agent"] == "person"
    assert [message["content"] for message in said] == ["t", "go on"]


async def test_an_answer_that_is_no_text_is_passed_on_as_json() -> None:
    _, said = await answered_after_a_restart(lambda: UserProxyAgent("person"), {"amount": 3})

    assert said[-1]["content"] == '{"amount": 3}'


async def test_the_event_of_a_question_comes_before_it_and_names_it() -> None:
    stream = UserProxyAgent("u", input_func=str.upper).on_messages_stream(
        [TextMessage(content="q", source="a")], CancellationToken()
    )

    first, second = [item async for item in stream]

    assert isinstance(first, UserInputRequestedEvent)
    assert isinstance(second, Response)
