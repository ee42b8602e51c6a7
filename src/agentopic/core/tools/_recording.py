"""Makes the calls of a tool steps: recorded inside a durable turn, plain outside of one."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, nullcontext
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError

from agentopic.core._turn import StepSpec, TurnScope, current_turn
from agentopic.core.tools._call_limit import result_text, time_limit
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.core.tools._stream_step import ReplayedStep, stream_step
from agentopic.core.tools._tool import Tool
from agentopic.core.tools._tool_failure import ToolFailure, failures_are_told, told_failures
from agentopic.core.utils._canonical_json import canonical_json

ToolEffect: TypeAlias = Literal["pure", "idempotent", "unrepeatable"]
"""What a repeated call does: nothing at all, nothing more than the first did, or something again."""

RunJson: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
RunJsonStream: TypeAlias = Callable[..., AsyncGenerator[Any, None]]


class Record(dict[str, Any]):
    """What the journal keeps of one call."""


_MARK = "__agentopic_recorded__"


def record_tool_calls(cls: type) -> None:
    """Wrap `run_json` and `run_json_stream` of a tool class, once per definition."""
    for name, wrap in (("run_json", _recorded_run), ("run_json_stream", _recorded_run_stream)):
        defined: Any = getattr(cls, name, None)
        if not (defined is None or getattr(defined, "__isabstractmethod__", False) or hasattr(defined, _MARK)):
            wrapped = wrap(defined)
            setattr(wrapped, _MARK, True)
            setattr(cls, name, wrapped)


def _recorded_run(run_json: RunJson) -> RunJson:
    @functools.wraps(run_json)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.step_scope:
            return await run_json(self, *args, **kwargs)
        turn = current_turn.get()
        if turn is None:
            async with time_limit(self):
                return await run_json(self, *args, **kwargs)
        return await _run_in_turn(turn, self, run_json, args, kwargs)

    return recorded


async def _run_in_turn(
    turn: TurnScope, tool: Any, run_json: RunJson, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    ran, told = False, failures_are_told()

    async def run(idempotency_key: str) -> Record:
        nonlocal ran
        ran = True
        with use_idempotency_key(idempotency_key):
            try:
                with told_failures() if told else nullcontext():
                    async with time_limit(tool):
                        value = await run_json(tool, *args, **kwargs)
                    record = _result_record(tool, value)
            except ToolFailure as failure:
                record = Record(failure=failure.text)
            return await _with_state(tool, record)

    record = await turn.step(_spec(tool, args, kwargs), run)
    return await _value(tool, record, replayed=not ran)


def _recorded_run_stream(run_json_stream: RunJsonStream) -> RunJsonStream:
    @functools.wraps(run_json_stream)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        turn = current_turn.get()
        if self.step_scope:
            return run_json_stream(self, *args, **kwargs)
        if turn is None:
            return _limited(self, run_json_stream(self, *args, **kwargs))

        told = failures_are_told()

        async def with_record(idempotency_key: str) -> AsyncGenerator[Any, None]:
            with use_idempotency_key(idempotency_key):
                async for item in _ending_in_a_record(self, run_json_stream(self, *args, **kwargs), told=told):
                    yield item

        return _values(
            self, stream_step(turn, _spec(self, args, kwargs), with_record, lambda item: isinstance(item, Record))
        )

    return recorded


async def _limited(tool: Any, stream: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """The items of a stream, each of which must come in the tool's time."""
    async with aclosing(stream) as items:
        while True:
            try:
                async with time_limit(tool):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            yield item


async def _ending_in_a_record(tool: Any, stream: AsyncGenerator[Any, None], *, told: bool) -> AsyncGenerator[Any, None]:
    last: list[Any] = []
    try:
        with told_failures() if told else nullcontext():
            async with aclosing(_limited(tool, stream)) as items:
                async for item in items:
                    if last:
                        yield last.pop()
                    last.append(item)
    except ToolFailure as failure:
        for item in last:
            yield item
        yield await _with_state(tool, Record(failure=failure.text))
        return
    for item in last:
        try:
            with told_failures() if told else nullcontext():
                record = _result_record(tool, item)
        except ToolFailure as failure:
            record = Record(failure=failure.text)
        yield await _with_state(tool, record)


async def _values(tool: Any, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(items):
        async for item in items:
            if isinstance(item, ReplayedStep):
                yield await _value(tool, item.result, replayed=True)
            elif isinstance(item, Record):
                yield await _value(tool, item, replayed=False)
            else:
                yield item


def _spec(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> StepSpec[Record]:
    arguments = args[0] if args else kwargs["args"]
    return StepSpec(
        kind="tool",
        name=tool.name,
        input=canonical_json(arguments),
        encode=lambda record: json.dumps(record).encode(),
        decode=lambda recorded: Record(json.loads(recorded)),
        repeatable=tool.effect != "unrepeatable",
        on_unknown=tool.on_unknown,
        told=lambda result: json.dumps(_told_record(tool, result)).encode(),
    )


def _told_record(tool: Any, result: Any) -> Record:
    """The record of a call whose result a person has told: as the tool's own type if it is one, else as text."""
    try:
        _adapter(tool).validate_python(result)
    except ValidationError:
        return Record(text=result if isinstance(result, str) else json.dumps(result))
    return Record(value=result)


async def _with_state(tool: Any, record: Record) -> Record:
    """What the journal keeps of a call: its result and, of a stateful tool, the state reached by it."""
    if tool.state_type() is not None:
        record["state"] = await tool.save_state_json()
    return record


def _result_record(tool: Tool, value: Any) -> Record:
    """The result as JSON; what JSON cannot carry without changing the text the model reads, as that text.

    Raises:
        ToolResultTooLargeError: that text is longer than the tool's limit.
    """
    adapter = _adapter(tool)
    text = result_text(tool, value)
    try:
        as_json = adapter.dump_python(value, mode="json", warnings="error")
        read_back = tool.return_value_as_string(adapter.validate_python(as_json))
    except (PydanticSerializationError, ValidationError, UnicodeError):
        return Record(text=text)
    return Record(value=as_json) if read_back == text else Record(text=text)


async def _value(tool: Any, record: Record, *, replayed: bool) -> Any:
    """The recorded result, the same on the first attempt and on a later one.

    Raises:
        ToolFailure: the recorded result is a failure that the model is told.
    """
    if replayed and "state" in record:
        await tool.load_state_json(record["state"])
    if "failure" in record:
        raise ToolFailure(record["failure"])
    return _adapter(tool).validate_python(record["value"]) if "value" in record else record["text"]


def _adapter(tool: Tool) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(tool.return_type())
    except (PydanticSchemaGenerationError, PydanticUserError):
        return TypeAdapter(Any)
