"""Makes the calls of a workbench steps: recorded inside a durable turn, plain outside of one."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeAlias

from pydantic import BaseModel

from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.tools._call_limit import check_length, time_limit
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.core.tools._stream_step import ReplayedStep, stream_step
from agentopic.core.utils._canonical_json import canonical_json
from agentopic.errors import ToolCallError

CallTool: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
CallToolStream: TypeAlias = Callable[..., AsyncGenerator[Any, None]]

_MARK = "__agentopic_recorded__"


def record_workbench_calls(cls: type, result_type: type[BaseModel]) -> None:
    """Wrap `call_tool` and `call_tool_stream` of a workbench class, once per definition."""
    for name, wrap in (("call_tool", _recorded_call), ("call_tool_stream", _recorded_call_stream)):
        defined: Any = getattr(cls, name, None)
        if not (defined is None or getattr(defined, "__isabstractmethod__", False) or hasattr(defined, _MARK)):
            wrapped = wrap(defined, result_type)
            setattr(wrapped, _MARK, True)
            setattr(cls, name, wrapped)


def _recorded_call(call_tool: CallTool, result_type: type[BaseModel]) -> CallTool:
    signature = inspect.signature(call_tool)

    @functools.wraps(call_tool)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.step_scope:
            return await call_tool(self, *args, **kwargs)
        turn, call = current_turn.get(), signature.bind(self, *args, **kwargs)
        if turn is None:
            return await _limited_call(call_tool, call, result_type)

        async def run(idempotency_key: str) -> Any:
            with use_idempotency_key(idempotency_key):
                return await _limited_call(call_tool, call, result_type)

        return await turn.step(_spec(call, result_type), run)

    return recorded


async def _limited_call(call_tool: CallTool, call: inspect.BoundArguments, result_type: type[BaseModel]) -> Any:
    """The result of a call, or one that says how it went beyond the limits of its workbench."""
    workbench, name = call.args[0], call.arguments["name"]
    try:
        async with time_limit(workbench, name):
            result = await call_tool(*call.args, **call.kwargs)
        check_length(name, result.to_text(replace_image=""), workbench.max_result_characters)
    except ToolCallError as exc:
        told = {"name": name, "result": [{"type": "TextResultContent", "content": str(exc)}], "is_error": True}
        return result_type.model_validate(told)
    return result


def _recorded_call_stream(call_stream: CallToolStream, result_type: type[BaseModel]) -> CallToolStream:
    signature = inspect.signature(call_stream)

    @functools.wraps(call_stream)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        turn = current_turn.get()
        if turn is None or self.step_scope:
            return call_stream(self, *args, **kwargs)
        spec = _spec(signature.bind(self, *args, **kwargs), result_type)

        async def with_key(idempotency_key: str) -> AsyncGenerator[Any, None]:
            with use_idempotency_key(idempotency_key):
                async with aclosing(call_stream(self, *args, **kwargs)) as items:
                    async for item in items:
                        yield item

        return _unwrapped(stream_step(turn, spec, with_key, lambda item: isinstance(item, result_type)))

    return recorded


async def _unwrapped(items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    try:
        async for item in items:
            yield item.result if isinstance(item, ReplayedStep) else item
    finally:
        await items.aclose()


def _spec(call: inspect.BoundArguments, result_type: type[BaseModel]) -> StepSpec[Any]:
    workbench: Any = call.args[0]
    return StepSpec(
        kind="tool",
        name=call.arguments["name"],
        input=canonical_json(call.arguments.get("arguments") or {}),
        encode=lambda result: result.model_dump_json().encode(),
        decode=result_type.model_validate_json,
        repeatable=workbench.effect != "unrepeatable",
        on_unknown=workbench.on_unknown,
        told=lambda result: _told_result(call.arguments["name"], result),
    )


def _told_result(tool: str, result: Any) -> bytes:
    """The stored result of a call of which a person has told what came of it."""
    text = result if isinstance(result, str) else json.dumps(result)
    return json.dumps({"name": tool, "result": [{"type": "TextResultContent", "content": text}]}).encode()
