"""An assistant that is reminded of what is known about its user before it is asked.

python memory.py
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core.memory import ListMemory, MemoryContent, MemoryMimeType
from agentopic.core.model_context import BufferedChatCompletionContext
from agentopic.core.models import CreateResult, LLMMessage
from agentopic.ext.models.replay import ReplayChatCompletionClient


class Listening(ReplayChatCompletionClient):
    """Prints what the model is told."""

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        for message in messages:
            print("told:", " ".join(str(message.content).split()))
        return await super().create(messages, **options)


async def main() -> None:
    known = ListMemory("customer")
    for fact in ("Ann drinks no coffee.", "Ann lives in Oslo."):
        await known.add(MemoryContent(content=fact, mime_type=MemoryMimeType.TEXT))
    waiter = AssistantAgent(
        "waiter",
        Listening(["Tea, then?"]),
        memory=[known],
        model_context=BufferedChatCompletionContext(buffer_size=5),
        system_message="Be brief.",
    )
    result = await waiter.run(task="A drink for Ann, please.")
    print("said:", result.messages[-1].to_text())


if __name__ == "__main__":
    asyncio.run(main())
