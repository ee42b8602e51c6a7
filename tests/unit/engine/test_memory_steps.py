"""A durable turn adds to a memory once, and does not add anew what may have been added by a process that died."""

from __future__ import annotations

from typing import Any

import pytest

from agentopic.core import MessageContext
from agentopic.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult

from .town import Note, Resident, Town, topic


class Notebook(Memory):
    """A memory somewhere else."""

    def __init__(self) -> None:
        self.added = list[Any]()

    async def update_context(self, model_context: Any) -> UpdateContextResult:
        return UpdateContextResult(memories=await self.query(""))

    async def query(self, query: Any, cancellation_token: Any = None, **kwargs: Any) -> MemoryQueryResult:
        return MemoryQueryResult(results=[])

    async def add(self, content: MemoryContent, cancellation_token: Any = None) -> None:
        self.added.append(content.content)

    async def clear(self) -> None:
        self.added.clear()

    async def close(self) -> None: ...


class Ledger(Notebook):
    """One in which a fact stands once, however often it is added."""

    repeatable_add = True


@pytest.mark.parametrize("kind", [Notebook, Ledger])
async def test_a_later_attempt_adds_nothing_anew(town: Town, kind: type[Notebook]):
    memory, attempts = kind(), list[int]()

    async def handle(_: Resident, message: Note, __: MessageContext) -> None:
        attempts.append(1)
        await memory.add(MemoryContent(content=message.text, mime_type=MemoryMimeType.TEXT))
        if len(attempts) < 3:
            raise ValueError("not yet")

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    await runtime.publish_message(Note(text="fact"), topic("clerk"))
    await runtime.stop_when_idle()

    assert (len(attempts), memory.added) == (3, ["fact"])
