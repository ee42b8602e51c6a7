from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from agentopic.core import FunctionCall, InMemoryStore
from agentopic.core.models import ChatCompletionClient, CreateResult, RequestUsage, UserMessage
from agentopic.core.tools import FunctionTool
from agentopic.errors import ModelUnavailableError
from agentopic.ext.models.cache import ChatCompletionCache
from agentopic.ext.models.replay import ReplayChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]


class PlainClient(ReplayChatCompletionClient):
    """A client as a user writes it: nothing about steps in it."""

    component_provider_override = None
    failures = 0
    calls = 0

    async def create(self, messages: Any, **kwargs: Any) -> CreateResult:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise ModelUnavailableError("down")
        return await super().create(messages, **kwargs)

    async def create_stream(self, messages: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
        self.calls += 1
        async for item in super().create_stream(messages, **kwargs):
            yield item


def calls_result() -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", arguments="{}", name="f")],
        usage=RequestUsage(3, 4),
        cached=False,
        thought="hm",
    )


async def test_a_call_outside_a_turn_is_plain() -> None:
    client = PlainClient(["hi"])

    result = await client.create(HELLO)

    assert result.content == "hi"


@pytest.mark.parametrize("scripted", ["hi", calls_result()])
async def test_a_later_attempt_gets_the_recorded_answer_and_calls_nothing(turns, scripted) -> None:
    client = PlainClient([scripted])
    with turns.attempt() as first:
        answered = await client.create(HELLO)

    with turns.attempt() as second:
        again = await client.create(HELLO)

    assert again == answered
    assert client.calls == 1
    assert (first.ran, second.ran, second.replayed) == (["PlainClient"], [], ["PlainClient"])


async def test_the_same_question_twice_in_one_turn_is_two_steps(turns) -> None:
    client = PlainClient(["one", "two"])
    answers: list[Any] = []

    for _ in range(2):
        with turns.attempt():
            answers = [(await client.create(HELLO)).content, (await client.create(messages=HELLO)).content]

    assert answers == ["one", "two"]
    assert client.calls == 2


async def test_another_set_of_tools_is_another_question(turns) -> None:
    def f(a: int) -> int:
        return a

    client = PlainClient(["one", "two"])
    with turns.attempt():
        await client.create(HELLO)

    with turns.attempt() as second:
        await client.create(HELLO, tools=[FunctionTool(f, description="d")])

    assert second.ran == ["PlainClient"]


async def test_an_error_is_not_recorded_as_an_answer(turns) -> None:
    client = PlainClient(["hi"])
    client.failures = 1
    with turns.attempt(), pytest.raises(ModelUnavailableError):
        await client.create(HELLO)

    with turns.attempt():
        result = await client.create(HELLO)

    assert result.content == "hi"


async def test_a_recorded_stream_gives_its_text_at_once_and_then_the_answer(turns) -> None:
    client = PlainClient(["a b c"])
    with turns.attempt():
        live = [item async for item in client.create_stream(HELLO)]

    with turns.attempt():
        replayed = [item async for item in client.create_stream(HELLO)]

    assert live[:-1] == ["a ", "b ", "c"]
    assert replayed == ["a b c", live[-1]]
    assert client.calls == 1


async def test_closing_a_stream_ends_its_step_without_a_record(turns) -> None:
    class Stuck(PlainClient):
        async def create_stream(self, messages: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
            yield "a "
            await asyncio.Event().wait()

    with turns.attempt():
        stream = Stuck([]).create_stream(HELLO)
        first = await anext(stream)
        await stream.aclose()

    assert first == "a "
    assert turns.journal == {}


async def test_a_failing_stream_raises_its_own_error(turns) -> None:
    client = PlainClient([])

    with turns.attempt(), pytest.raises(ValueError, match="No more mock responses"):
        _ = [item async for item in client.create_stream(HELLO)]


async def test_of_a_cache_what_it_held_and_the_inner_call_are_recorded(turns) -> None:
    inner = PlainClient(["hi"])
    with turns.attempt():
        await ChatCompletionCache(inner).create(HELLO)

    with turns.attempt() as later:
        await ChatCompletionCache(inner).create(HELLO)

    assert later.replayed == ["cached answer", "PlainClient"]
    assert len(turns.journal) == 2


async def test_a_cached_answer_stays_the_same_when_the_cache_has_lost_it(turns) -> None:
    store: InMemoryStore[Any] = InMemoryStore()
    await ChatCompletionCache(PlainClient(["hi"]), store).create(HELLO)
    with turns.attempt():
        first = await ChatCompletionCache(PlainClient(["other"]), store).create(HELLO)

    with turns.attempt():
        again = await ChatCompletionCache(PlainClient(["other"])).create(HELLO)

    assert (first.content, first.cached) == (again.content, again.cached) == ("hi", True)


def test_a_class_is_wrapped_once_per_definition() -> None:
    class Same(PlainClient):
        """Defines no call of its own."""

    assert Same.create is PlainClient.create
    assert "create" in ChatCompletionClient.__abstractmethods__
