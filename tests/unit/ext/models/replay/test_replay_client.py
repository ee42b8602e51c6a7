from __future__ import annotations

import pytest

from agentopic.core.models import ChatCompletionClient, CreateResult, RequestUsage, UserMessage
from agentopic.ext.models.replay import ReplayChatCompletionClient

HELLO = [UserMessage(content="hello you", source="user")]


async def test_answers_come_in_order_with_usage_in_words() -> None:
    client = ReplayChatCompletionClient(["one two three", "four"])

    first = await client.create(HELLO)
    second = await client.create(messages=HELLO)

    assert (first.content, second.content) == ("one two three", "four")
    assert (first.usage, client.total_usage()) == (RequestUsage(2, 3), RequestUsage(4, 4))
    assert [call["messages"] for call in client.create_calls] == [HELLO, HELLO]
    assert client.remaining_tokens(HELLO) == 10_000 - 8


async def test_a_script_ends_and_begins_again() -> None:
    client = ReplayChatCompletionClient(["one"])
    await client.create(HELLO)
    with pytest.raises(ValueError, match="No more mock responses"):
        await client.create(HELLO)

    client.reset()

    assert (await client.create(HELLO)).content == "one"
    assert client.total_usage() == RequestUsage(2, 1)


async def test_a_client_is_built_again_from_json() -> None:
    dumped = ReplayChatCompletionClient(["one"]).dump_component().model_dump(mode="json")

    loaded = ChatCompletionClient.load_component(dumped)

    assert (await loaded.create(HELLO)).content == "one"


async def test_a_streamed_text_comes_word_by_word_and_whole() -> None:
    client = ReplayChatCompletionClient(["one\ntwo  three"])

    *words, result = [item async for item in client.create_stream(HELLO)]

    assert words == ["one\n", "two  ", "three"]
    assert isinstance(result, CreateResult)
    assert result.content == "one\ntwo  three"
