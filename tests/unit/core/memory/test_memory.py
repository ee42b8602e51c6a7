from __future__ import annotations

from typing import Any

from agentopic.core.memory import (
    ListMemory,
    Memory,
    MemoryContent,
    MemoryMimeType,
    MemoryQueryResult,
    UpdateContextResult,
)
from agentopic.core.model_context import UnboundedChatCompletionContext

TEXT = MemoryContent(content="abc", mime_type=MemoryMimeType.TEXT)
JSON = MemoryContent(content={"a": 1}, mime_type="application/json", metadata={"k": "v"})


async def test_a_list_memory_tells_the_model_everything_in_order() -> None:
    memory = ListMemory()
    await memory.add(TEXT)
    await memory.add(JSON)
    context = UnboundedChatCompletionContext()

    update = await memory.update_context(context)

    assert update.memories.results == [TEXT, JSON]
    (message,) = await context.get_messages()
    assert "1. abc\n2. {'a': 1}" in str(message.content)


async def test_an_empty_list_memory_adds_nothing() -> None:
    context = UnboundedChatCompletionContext()

    await ListMemory().update_context(context)

    assert await context.get_messages() == []


async def test_a_list_memory_is_built_again_from_json() -> None:
    memory = ListMemory("facts", [JSON])

    loaded = Memory.load_component(memory.dump_component().model_dump(mode="json"))

    assert isinstance(loaded, ListMemory)
    assert (loaded.name, loaded.content) == ("facts", [JSON])


class Remote(Memory):
    """A memory as a user writes it."""

    def __init__(self) -> None:
        self.queries = 0

    async def update_context(self, model_context: Any) -> UpdateContextResult:
        return UpdateContextResult(memories=await self.query("all"))

    async def query(self, query: Any, cancellation_token: Any = None, **kwargs: Any) -> MemoryQueryResult:
        self.queries += 1
        return MemoryQueryResult(results=[TEXT])

    async def add(self, content: MemoryContent, cancellation_token: Any = None) -> None: ...
    async def clear(self) -> None: ...
    async def close(self) -> None: ...


async def test_a_query_is_asked_once_per_turn(turns) -> None:
    memory = Remote()

    found = []
    for _ in range(2):
        with turns.attempt():
            found.append((await memory.update_context(UnboundedChatCompletionContext())).memories.results[0].content)

    assert found == ["abc", "abc"]
    assert memory.queries == 1


async def test_a_list_memory_needs_no_record(turns) -> None:
    with turns.attempt() as turn:
        await ListMemory(memory_contents=[TEXT]).query("x")

    assert turn.ran == []
