from __future__ import annotations

from typing import Any

import PIL.Image

from agentopic.core import Image
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
        self.queries = self.cleared = 0
        self.added = list[MemoryContent]()

    async def update_context(self, model_context: Any) -> UpdateContextResult:
        return UpdateContextResult(memories=await self.query("all"))

    async def query(self, query: Any, cancellation_token: Any = None, **kwargs: Any) -> MemoryQueryResult:
        self.queries += 1
        return MemoryQueryResult(results=[TEXT])

    async def add(self, content: MemoryContent, cancellation_token: Any = None) -> None:
        self.added.append(content)

    async def clear(self) -> None:
        self.cleared += 1

    async def close(self) -> None: ...


async def test_a_query_is_asked_once_per_turn(turns) -> None:
    memory = Remote()

    found = []
    for _ in range(2):
        with turns.attempt():
            found.append((await memory.update_context(UnboundedChatCompletionContext())).memories.results[0].content)

    assert found == ["abc", "abc"]
    assert memory.queries == 1


BINARY = MemoryContent(content=b"\xff\xfe", mime_type=MemoryMimeType.BINARY)
PICTURES = [
    MemoryContent(content=Image(PIL.Image.new("RGB", (1, 1), color)), mime_type=MemoryMimeType.IMAGE)
    for color in ("red", "blue")
]


async def test_what_is_added_in_a_turn_is_added_once(turns) -> None:
    memory = Remote()

    for _ in range(2):
        with turns.attempt():
            await memory.add(TEXT)
            await memory.add(content=BINARY)
            await memory.clear()

    assert (memory.added, memory.cleared) == ([TEXT, BINARY], 1)


async def test_pictures_that_are_added_are_told_apart(turns) -> None:
    memory = Remote()

    for pictures in (PICTURES, PICTURES[::-1]):
        with turns.attempt():
            for each in pictures:
                await memory.add(each)

    assert memory.added == PICTURES


async def test_what_a_list_memory_is_told_is_there_in_every_attempt(turns) -> None:
    for _ in range(2):
        memory = ListMemory()
        with turns.attempt():
            await memory.add(TEXT)

        assert memory.content == [TEXT]


async def test_a_list_memory_needs_no_record(turns) -> None:
    with turns.attempt() as turn:
        await ListMemory(memory_contents=[TEXT]).query("x")

    assert turn.ran == []
