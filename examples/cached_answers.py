"""A model that is asked each question once: answers stay in a folder, also for the next run.

pip install "agentopic[diskcache]"
python cached_answers.py
"""

from __future__ import annotations

import asyncio

import diskcache

from agentopic.core.models import UserMessage
from agentopic.ext.cache_store.diskcache import DiskCacheStore
from agentopic.ext.models.cache import CHAT_CACHE_VALUE_TYPE, ChatCompletionCache
from agentopic.ext.models.replay import ReplayChatCompletionClient


async def main() -> None:
    model = ReplayChatCompletionClient(["Leaves in hot water.", "Beans in hot water."])  # any client
    store = DiskCacheStore[CHAT_CACHE_VALUE_TYPE](diskcache.Cache("answers"))
    cached = ChatCompletionCache(model, store)
    for question in ("What is tea?", "What is coffee?", "What is tea?"):
        result = await cached.create([UserMessage(content=question, source="user")])
        print(result.content)
    print(f"the model was asked {len(model.create_calls)} times")


if __name__ == "__main__":
    asyncio.run(main())
