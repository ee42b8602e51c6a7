"""A memory in Redis is shared, survives its process, and finds what is relevant."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from agentopic.core import ComponentLoader
from agentopic.core.memory import MemoryContent, MemoryMimeType
from agentopic.core.model_context import UnboundedChatCompletionContext
from agentopic.core.models import UserMessage
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.errors import MemoryStoreError
from agentopic.ext.memory.redis import RedisMemory, RedisMemoryConfig
from agentopic.testing import RedisServer

pytestmark = pytest.mark.redis

Open = Callable[..., RedisMemory]


@pytest.fixture
async def opened(redis_server: RedisServer) -> AsyncGenerator[Open]:
    memories: list[RedisMemory] = []
    name = uuid.uuid4().hex

    def open_memory(embed=None, **config) -> RedisMemory:
        given = RedisMemoryConfig(redis_url=redis_server.url, index_name=name, **config)
        memories.append(RedisMemory(given, embed=embed))
        return memories[-1]

    yield open_memory
    for memory in memories:
        await memory.close()


def text(content: str, **metadata: str) -> MemoryContent:
    return MemoryContent(content=content, mime_type=MemoryMimeType.TEXT, metadata=metadata or None)


async def found(memory: RedisMemory, question: str, **options) -> list[object]:
    return [each.content for each in (await memory.query(question, **options)).results]


async def test_what_one_process_adds_another_finds(opened) -> None:
    one, other = opened(), opened()
    await one.add(text("Ann likes blue", topic="colour"))
    await one.add(MemoryContent(content={"likes": "tea"}, mime_type=MemoryMimeType.JSON))

    colours, drinks = await other.query("which colour: blue?"), await other.query("tea")

    assert [(each.content, each.metadata) for each in colours.results] == [("Ann likes blue", {"topic": "colour"})]
    assert [each.content for each in drinks.results] == [{"likes": "tea"}]


async def test_more_and_rarer_common_words_come_first(opened) -> None:
    memory = opened()
    for content in ("the cat sat", "the dog sat on the mat", "the zebra", "nothing in common"):
        await memory.add(text(content))

    assert await found(memory, "where sat the dog?") == ["the dog sat on the mat", "the cat sat", "the zebra"]
    assert await found(memory, "where sat the dog?", top_k=1) == ["the dog sat on the mat"]
    assert await found(memory, "Quagga") == []


async def test_a_sequential_memory_finds_the_latest_in_order(opened) -> None:
    memory = opened(sequential=True, top_k=2)
    for content in "abc":
        await memory.add(text(content))

    assert await found(memory, "anything") == ["b", "c"]


async def test_vectors_decide_where_there_are_some(opened) -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[float("cat" in each or "feline" in each), float("dog" in each), 0.1] for each in texts]

    memory = opened(embed=embed, distance_threshold=0.3)
    for content in ("a cat", "a dog"):
        await memory.add(text(content))

    assert await found(memory, "feline") == ["a cat"]
    assert await found(memory, "feline", distance_threshold=2.0) == ["a cat", "a dog"]


async def test_the_context_is_told_what_is_relevant(opened) -> None:
    memory, context = opened(), UnboundedChatCompletionContext()
    await memory.add(text("Ann likes blue"))
    await context.add_message(UserMessage(content="What does Ann like?", source="user"))

    result = await memory.update_context(context)

    assert [each.content for each in result.memories.results] == ["Ann likes blue"]
    assert (await context.get_messages())[-1].content == "\nRelevant memory content:\n1. Ann likes blue\n"


async def test_nothing_relevant_adds_no_message(opened) -> None:
    context = UnboundedChatCompletionContext()

    await opened().update_context(context)

    assert await context.get_messages() == []


async def test_an_add_that_is_made_again_adds_nothing(opened) -> None:
    memory = opened(sequential=True)

    with use_idempotency_key("step-1"):
        await memory.add(text("once"))
        await memory.add(text("once"))

    assert await found(memory, "") == ["once"]


async def test_clear_forgets_for_everybody(opened) -> None:
    one, other = opened(), opened()
    await one.add(text("a"))

    await one.clear()

    assert await found(other, "a") == []


@pytest.mark.parametrize(
    "content",
    [
        MemoryContent(content=b"\0\1", mime_type=MemoryMimeType.BINARY),
        MemoryContent(content="x", mime_type="image/png"),
        MemoryContent(content=b"x", mime_type=MemoryMimeType.TEXT),
    ],
)
async def test_content_that_cannot_be_kept_is_refused(opened, content) -> None:
    with pytest.raises(ValueError, match="keeps"):
        await opened().add(content)


async def test_an_entry_that_is_none_is_a_typed_error(opened) -> None:
    memory = opened()
    await memory.add(text("a"))
    store = memory._store
    entry_id = (await store._redis.hkeys(store._entries))[0]
    for broken in ("no json", json.dumps({"other": 1}), json.dumps([1])):
        await store._redis.hset(store._entries, entry_id, broken)

        with pytest.raises(MemoryStoreError):
            await memory.query("a")


async def test_a_redis_that_is_not_there_is_a_typed_error(unused_tcp_port) -> None:
    memory = RedisMemory(RedisMemoryConfig(redis_url=f"redis://127.0.0.1:{unused_tcp_port}"))

    with pytest.raises(MemoryStoreError):
        await memory.query("a")
    await memory.close()


def test_autogens_config_loads() -> None:
    config = {"redis_url": "redis://h:1", "index_name": "i", "prefix": "p", "top_k": 3, "algorithm": "hnsw"}
    model = {"provider": "autogen_ext.memory.redis_memory.RedisMemory", "component_type": "memory", "config": config}

    loaded = ComponentLoader.load_component(model, RedisMemory)

    assert (loaded.config.index_name, loaded.config.top_k) == ("i", 3)
    assert loaded.dump_component().provider == model["provider"]
