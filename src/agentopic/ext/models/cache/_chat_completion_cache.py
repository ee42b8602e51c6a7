"""`ChatCompletionCache`: asks a model only what it was not asked before."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError

from agentopic.core import CacheStore, CancellationToken, Component, ComponentModel, InMemoryStore
from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelInfo,
    RequestUsage,
)
from agentopic.core.tools import Tool, ToolSchema
from agentopic.core.utils._canonical_json import canonical_json

CHAT_CACHE_VALUE_TYPE: TypeAlias = CreateResult | list[str | CreateResult]
"""What is stored: an answer, or the items of a streamed one."""

_MESSAGES: TypeAdapter[list[LLMMessage]] = TypeAdapter(list[LLMMessage])
_VALUE: TypeAdapter[CHAT_CACHE_VALUE_TYPE] = TypeAdapter(CHAT_CACHE_VALUE_TYPE)
_FOUND: TypeAdapter[CHAT_CACHE_VALUE_TYPE | None] = TypeAdapter(CHAT_CACHE_VALUE_TYPE | None)


class ChatCompletionCacheConfig(BaseModel):
    """Config of ChatCompletionCache."""

    client: ComponentModel
    store: ComponentModel | None = None


class ChatCompletionCache(ChatCompletionClient, Component[ChatCompletionCacheConfig]):
    """Wraps a model client: equal questions get the stored answer, marked `cached`.

    Inside a durable turn the wrapped client's calls are the steps that are billed; what the store held is recorded
    too, so that a later attempt of the turn goes the same way.
    """

    component_type = "chat_completion_cache"
    component_provider_override = "autogen_ext.models.cache.ChatCompletionCache"
    component_config_schema = ChatCompletionCacheConfig
    step_scope = True

    def __init__(self, client: ChatCompletionClient, store: CacheStore[CHAT_CACHE_VALUE_TYPE] | None = None) -> None:
        self.client = client
        self.store: CacheStore[CHAT_CACHE_VALUE_TYPE] = InMemoryStore() if store is None else store

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """The stored answer, or the model's, which is then stored."""
        key = _key(messages, tools, tool_choice, json_output, extra_create_args)
        stored = await self._stored(key)
        if stored is not None:
            result = next(item for item in _items(stored) if isinstance(item, CreateResult))
            return result.model_copy(update={"cached": True})
        result = await self.client.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        self.store.set(key, result)
        return result

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The stored items, or the model's, which are then stored."""
        key = _key(messages, tools, tool_choice, json_output, extra_create_args)
        stored = await self._stored(key)
        if stored is not None:
            for item in _stream_items(stored):
                yield item if isinstance(item, str) else item.model_copy(update={"cached": True})
            return
        items: list[str | CreateResult] = []
        stream = self.client.create_stream(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        async with aclosing(stream):
            async for item in stream:
                items.append(item)
                if isinstance(item, CreateResult):
                    self.store.set(key, items)
                yield item

    async def close(self) -> None:
        """Close the wrapped client."""
        await self.client.close()

    def actual_usage(self) -> RequestUsage:
        """The wrapped client's."""
        return self.client.actual_usage()

    def total_usage(self) -> RequestUsage:
        """The wrapped client's."""
        return self.client.total_usage()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """The wrapped client's count."""
        return self.client.count_tokens(messages, tools=tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """The wrapped client's count."""
        return self.client.remaining_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelCapabilities:
        """The wrapped client's."""
        return self.client.capabilities

    @property
    def model_info(self) -> ModelInfo:
        """The wrapped client's."""
        return self.client.model_info

    async def _stored(self, key: str) -> CHAT_CACHE_VALUE_TYPE | None:
        turn = current_turn.get()
        if turn is None:
            return self._found(key)

        async def look(_idempotency_key: str) -> CHAT_CACHE_VALUE_TYPE | None:
            return self._found(key)

        spec: StepSpec[CHAT_CACHE_VALUE_TYPE | None] = StepSpec(
            kind="effect",
            name="cached answer",
            input=key.encode(),
            encode=_FOUND.dump_json,
            decode=_FOUND.validate_json,
            repeatable=True,
        )
        return await turn.step(spec, look)

    def _found(self, key: str) -> CHAT_CACHE_VALUE_TYPE | None:
        found: Any = self.store.get(key)
        if found is None:
            return None
        try:
            value = _VALUE.validate_python(found)
        except ValidationError:
            return None  # stored by another version: asked again and replaced
        complete = any(isinstance(item, CreateResult) for item in _items(value))
        return value if complete else None

    def _to_config(self) -> ChatCompletionCacheConfig:
        return ChatCompletionCacheConfig(
            client=self.client.dump_component(),
            store=None if isinstance(self.store, InMemoryStore) else self.store.dump_component(),
        )

    @classmethod
    def _from_config(cls, config: ChatCompletionCacheConfig) -> Self:
        store: CacheStore[CHAT_CACHE_VALUE_TYPE] | None = (
            None if config.store is None else CacheStore[CHAT_CACHE_VALUE_TYPE].load_component(config.store)
        )
        return cls(client=ChatCompletionClient.load_component(config.client), store=store)


def _items(stored: CHAT_CACHE_VALUE_TYPE) -> list[str | CreateResult]:
    return [stored] if isinstance(stored, CreateResult) else stored


def _stream_items(stored: CHAT_CACHE_VALUE_TYPE) -> list[str | CreateResult]:
    """What a stream gives; the text of an answer that was not streamed comes in one piece before it."""
    if isinstance(stored, CreateResult) and isinstance(stored.content, str):
        return [stored.content, stored]
    return _items(stored)


def _key(
    messages: Sequence[LLMMessage],
    tools: Sequence[Tool | ToolSchema],
    tool_choice: Tool | Literal["auto", "required", "none"],
    json_output: bool | type[BaseModel] | None,
    extra_create_args: Mapping[str, Any],
) -> str:
    question = {
        "messages": _MESSAGES.dump_python(list(messages), mode="json"),
        "tools": [tool.schema if isinstance(tool, Tool) else tool for tool in tools],
        "tool_choice": tool_choice if isinstance(tool_choice, str) else tool_choice.name,
        "json_output": json_output,
        "extra_create_args": extra_create_args,
    }
    return hashlib.sha256(canonical_json(question)).hexdigest()
