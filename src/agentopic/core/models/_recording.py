"""Makes the calls of a model client steps: recorded inside a durable turn, plain outside of one."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from agentopic.core._call_usage import CallUsage
from agentopic.core._function_call import FunctionCall
from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.models._types import CachedRequestUsage, CreateResult, LLMMessage
from agentopic.core.tools._stream_step import ReplayedStep, stream_step
from agentopic.core.utils._canonical_json import canonical_json

Create: TypeAlias = Callable[..., Coroutine[Any, Any, CreateResult]]
CreateStream: TypeAlias = Callable[..., AsyncGenerator[str | CreateResult, None]]

_MARK = "__agentopic_recorded__"
_MESSAGES: TypeAdapter[list[LLMMessage]] = TypeAdapter(list[LLMMessage])


def record_model_calls(cls: type) -> None:
    """Wrap `create` and `create_stream` of a concrete client class, once per definition."""
    for name, wrap in (("create", _recorded_create), ("create_stream", _recorded_create_stream)):
        defined: Any = getattr(cls, name)
        if not (getattr(defined, "__isabstractmethod__", False) or hasattr(defined, _MARK)):
            wrapped = wrap(defined)
            setattr(wrapped, _MARK, True)
            setattr(cls, name, wrapped)


def _recorded_create(create: Create) -> Create:
    @functools.wraps(create)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> CreateResult:
        turn = current_turn.get()
        if turn is None or self.step_scope:
            return await create(self, *args, **kwargs)

        async def run(_idempotency_key: str) -> CreateResult:
            return _recordable(await create(self, *args, **kwargs))

        return await turn.step(_spec(self, args, kwargs), run)

    return recorded


def _recorded_create_stream(create_stream: CreateStream) -> CreateStream:
    @functools.wraps(create_stream)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
        turn = current_turn.get()
        if turn is None or self.step_scope:
            return create_stream(self, *args, **kwargs)

        def open_stream(_idempotency_key: str) -> AsyncGenerator[str | CreateResult, None]:
            return _recordable_stream(create_stream(self, *args, **kwargs))

        return _stream_in_turn(stream_step(turn, _spec(self, args, kwargs), open_stream, _is_result))

    return recorded


async def _stream_in_turn(
    items: AsyncGenerator[Any, None],
) -> AsyncGenerator[str | CreateResult, None]:
    try:
        async for item in items:
            if not isinstance(item, ReplayedStep):
                yield item
                continue
            result: CreateResult = item.result
            if isinstance(result.content, str) and result.content:
                yield result.content
            yield result
    finally:
        await items.aclose()


async def _recordable_stream(
    items: AsyncGenerator[str | CreateResult, None],
) -> AsyncGenerator[str | CreateResult, None]:
    async with aclosing(items):
        async for item in items:
            yield _recordable(item) if isinstance(item, CreateResult) else item


def _recordable(result: CreateResult) -> CreateResult:
    """Return an answer as it is recorded: half a character, as models that were cut off give it, is replaced.

    Refused by the record, the answer would have been paid for nothing, and again with each attempt.
    """
    content, thought = result.content, result.thought
    whole = _whole(content) if isinstance(content, str) else [_whole_call(each) for each in content]
    whole_thought = None if thought is None else _whole(thought)
    if whole == content and whole_thought == thought:
        return result
    return result.model_copy(update={"content": whole, "thought": whole_thought})


def _whole_call(call: FunctionCall) -> FunctionCall:
    return call if call.arguments.isascii() else replace(call, arguments=_whole(call.arguments))


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _spec(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> StepSpec[CreateResult]:
    messages, rest = _split(args, kwargs)
    tools: Sequence[Any] = rest.pop("tools", ())
    return StepSpec(
        kind="model",
        name=client.step_name,
        input=canonical_json(
            {
                "messages": _MESSAGES.dump_python(list(messages), mode="json"),
                "tools": [_tool_schema(tool) for tool in tools],
                "tool_choice": _tool_choice(rest.pop("tool_choice", "auto")),
                **{name: value for name, value in rest.items() if value},
            }
        ),
        encode=lambda result: result.model_dump_json().encode(),
        decode=CreateResult.model_validate_json,
        repeatable=True,
        endpoint=client.step_endpoint,
        usage=usage_of_result,
        estimate=lambda: client.count_tokens(messages, tools=tools),
    )


def usage_of_result(result: CreateResult) -> CallUsage | None:
    """What an answer has cost; None for one from a cache."""
    if result.cached:
        return None
    usage = result.usage
    return CallUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens if isinstance(usage, CachedRequestUsage) else 0,
    )


def _split(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Sequence[LLMMessage], dict[str, Any]]:
    rest = {name: value for name, value in kwargs.items() if name != "cancellation_token"}
    messages = args[0] if args else rest.pop("messages")
    return messages, rest


def _is_result(item: Any) -> bool:
    return isinstance(item, CreateResult)


def _tool_schema(tool: Any) -> Any:
    return getattr(tool, "schema", tool)


def _tool_choice(choice: Any) -> str:
    return choice if isinstance(choice, str) else str(choice.name)
