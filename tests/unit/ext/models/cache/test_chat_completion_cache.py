from __future__ import annotations

from typing import Any

from agentopic.core import InMemoryStore
from agentopic.core.models import ChatCompletionClient, UserMessage
from agentopic.ext.models.cache import ChatCompletionCache
from agentopic.ext.models.replay import ReplayChatCompletionClient

HELLO = [UserMessage(content="hello", source="user")]
OTHER = [UserMessage(content="other", source="user")]


def inner(*answers: str) -> ReplayChatCompletionClient:
    client = ReplayChatCompletionClient(list(answers))
    client.set_cached_bool_value(False)
    return client


async def test_an_equal_question_is_answered_from_the_store() -> None:
    cache = ChatCompletionCache(inner("one", "two"))

    answers = [await cache.create(messages) for messages in (HELLO, HELLO, OTHER)]

    assert [(answer.content, answer.cached) for answer in answers] == [("one", False), ("one", True), ("two", False)]


async def test_a_stream_is_stored_as_it_came() -> None:
    cache = ChatCompletionCache(inner("a b"))

    first = [item async for item in cache.create_stream(HELLO)]
    second = [item async for item in cache.create_stream(HELLO)]

    assert second[:-1] == first[:-1] == ["a ", "b"]
    assert (await cache.create(HELLO)).content == "a b"


async def test_what_another_version_stored_is_asked_again() -> None:
    store: InMemoryStore[Any] = InMemoryStore()
    cache = ChatCompletionCache(inner("one", "two"), store)
    await cache.create(HELLO)
    for key in store.store:
        store.store[key] = {"old": True}

    assert (await cache.create(HELLO)).content == "two"


async def test_a_stored_answer_may_come_back_as_plain_json() -> None:
    store: InMemoryStore[Any] = InMemoryStore()
    cache = ChatCompletionCache(inner("one"), store)
    answer = await cache.create(HELLO)
    for key in store.store:
        store.store[key] = answer.model_dump(mode="json")

    assert (await cache.create(HELLO)).content == "one"


def test_a_cache_is_built_again_from_json() -> None:
    dumped = ChatCompletionCache(inner("one")).dump_component().model_dump(mode="json")

    loaded = ChatCompletionClient.load_component(dumped)

    assert isinstance(loaded, ChatCompletionCache)
    assert isinstance(loaded.client, ReplayChatCompletionClient)


async def test_an_answer_that_was_not_streamed_is_streamed_in_one_piece() -> None:
    cache = ChatCompletionCache(inner("one"))
    await cache.create(HELLO)

    items = [item async for item in cache.create_stream(HELLO)]

    assert [item if isinstance(item, str) else (item.content, item.cached) for item in items] == ["one", ("one", True)]
