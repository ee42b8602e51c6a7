from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core.tools import (
    BaseStreamTool,
    BaseToolWithState,
    FunctionTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    ToolResult,
    ToolSchema,
    Workbench,
    current_idempotency_key,
)
from agentopic.errors import JournalUnavailableError, StepOutcomeUnknownError

TOKEN = CancellationToken()


class Amount(BaseModel):
    cents: int


class Opaque:
    def __str__(self) -> str:
        return "opaque"


@dataclass
class Point:
    x: int


def model() -> Amount:
    return Amount(cents=5)


def undeclared():
    return Amount(cents=5)


def opaque():
    return Opaque()


def point() -> Point:
    return Point(x=1)


def nothing() -> None:
    return None


def wrongly_declared() -> str:
    return 3  # type: ignore[return-value]


@pytest.mark.parametrize("function", [model, undeclared, opaque, point, nothing, wrongly_declared])
async def test_the_model_reads_the_same_text_on_every_attempt(turns, function) -> None:
    calls = []

    def counted() -> Any:
        calls.append(1)
        return function()

    counted.__annotations__ = function.__annotations__
    tool = FunctionTool(counted, description="d")
    plain = tool.return_value_as_string(await tool.run_json({}, TOKEN))
    calls.clear()

    texts = []
    for _ in range(2):
        with turns.attempt():
            texts.append(tool.return_value_as_string(await tool.run_json({}, TOKEN)))

    assert texts == [plain, plain]
    assert len(calls) == 1


async def test_a_call_that_was_open_is_not_repeated(turns) -> None:
    async def pay(cents: int) -> str:
        raise ConnectionError("lost")

    tool = FunctionTool(pay, description="d")
    with turns.attempt(), pytest.raises(ConnectionError):
        await tool.run_json({"cents": 1}, TOKEN)

    with turns.attempt(), pytest.raises(StepOutcomeUnknownError):
        await tool.run_json({"cents": 1}, TOKEN)


@pytest.mark.parametrize("effect", ["pure", "idempotent"])
async def test_a_repeatable_call_is_repeated_with_the_same_key(turns, effect) -> None:
    keys = []

    async def look(idempotency_key: str) -> str:
        keys.append(idempotency_key)
        assert current_idempotency_key() == idempotency_key
        if len(keys) == 1:
            raise ConnectionError("lost")
        return "found"

    tool = FunctionTool(look, description="d", effect=effect)
    with turns.attempt(), pytest.raises(ConnectionError):
        await tool.run_json({}, TOKEN)

    with turns.attempt():
        found = await tool.run_json({}, TOKEN)

    assert found == "found"
    assert keys == ["key-look-0", "key-look-0"]
    assert "idempotency_key" not in str(tool.schema)


async def test_outside_a_turn_every_call_has_a_key_of_its_own() -> None:
    def key(idempotency_key: str) -> str:
        return idempotency_key

    tool = FunctionTool(key, description="d")

    assert await tool.run_json({}, TOKEN) != await tool.run_json({}, TOKEN)
    assert current_idempotency_key() is None


class Counter(BaseToolWithState[Amount, Amount, Amount]):
    def __init__(self) -> None:
        super().__init__(Amount, Amount, Amount, "counter", "d")
        self.total = 0

    async def run(self, args: Amount, cancellation_token: CancellationToken) -> Amount:
        self.total += args.cents
        return Amount(cents=self.total)

    def save_state(self) -> Amount:
        return Amount(cents=self.total)

    def load_state(self, state: Amount) -> None:
        self.total = state.cents


async def test_a_stateful_tool_reaches_its_state_without_running_again(turns) -> None:
    with turns.attempt():
        await Counter().run_json({"cents": 7}, TOKEN)

    later = Counter()
    with turns.attempt() as second:
        await later.run_json({"cents": 7}, TOKEN)

    assert second.ran == []
    assert later.total == 7


class Steps(BaseStreamTool[Amount, Amount, Amount]):
    def __init__(self) -> None:
        super().__init__(Amount, Amount, "steps", "d")

    async def run(self, args: Amount, cancellation_token: CancellationToken) -> Amount:
        return args

    async def run_stream(self, args: Amount, cancellation_token: CancellationToken) -> AsyncGenerator[Amount, None]:
        for cents in range(args.cents + 1):
            yield Amount(cents=cents)


async def test_a_stream_tool_shows_progress_live_and_only_the_result_later(turns) -> None:
    with turns.attempt():
        live = [item.cents async for item in Steps().run_json_stream({"cents": 2}, TOKEN)]

    with turns.attempt() as second:
        later = [item.cents async for item in Steps().run_json_stream({"cents": 2}, TOKEN)]

    assert (live, later) == ([0, 1, 2], [2])
    assert second.ran == []


async def test_of_a_static_workbench_only_the_tools_are_recorded(turns) -> None:
    workbench = StaticStreamWorkbench([Steps(), FunctionTool(model, description="d")])

    with turns.attempt():
        await workbench.call_tool("model")
        await workbench.call_tool("steps", {"cents": 1})

    with turns.attempt() as later:
        await workbench.call_tool("model")
        shown = [item async for item in workbench.call_tool_stream("steps", {"cents": 1})]

    assert sorted(later.replayed) == ["model", "steps"]
    assert shown == [ToolResult(name="steps", result=[TextResultContent(content='{"cents": 1}')])]


class Remote(Workbench):
    """A workbench as a user writes it."""

    def __init__(self) -> None:
        self.calls = 0

    async def list_tools(self) -> list[ToolSchema]:
        return [ToolSchema(name="x")]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        self.calls += 1
        return ToolResult(name=name, result=[TextResultContent(content=str(arguments))])

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...


async def test_a_workbench_of_its_own_is_recorded_itself(turns) -> None:
    workbench = Remote()

    results = []
    for _ in range(2):
        with turns.attempt():
            results.append(await workbench.call_tool("x", arguments={"a": 1}, call_id="7"))

    assert results[0] == results[1]
    assert workbench.calls == 1


async def test_the_model_is_told_that_an_outcome_is_unknown(turns) -> None:
    async def pay() -> str:
        raise asyncio.CancelledError

    workbench = StaticWorkbench([FunctionTool(pay, description="d")])
    with turns.attempt(), pytest.raises(asyncio.CancelledError):
        await workbench.call_tool("pay")

    with turns.attempt():
        unknown = await workbench.call_tool("pay")

    assert unknown.is_error
    assert "outcome of this call is unknown" in unknown.to_text()


@pytest.mark.parametrize("effect", ["pure", "unrepeatable"])
async def test_a_failure_that_the_model_was_told_is_told_again(turns, effect) -> None:
    calls = []

    async def pay() -> str:
        calls.append(1)
        raise ConnectionError

    workbench = StaticWorkbench([FunctionTool(pay, description="d", effect=effect)])
    texts = []
    for _ in range(2):
        with turns.attempt():
            texts.append((await workbench.call_tool("pay")).to_text())

    assert texts == ["ConnectionError"] * 2
    assert len(calls) == 1


async def test_a_failure_of_the_journal_is_not_told_to_the_model() -> None:
    async def pay() -> str:
        raise JournalUnavailableError("gone")

    workbench = StaticWorkbench([FunctionTool(pay, description="d")])

    with pytest.raises(JournalUnavailableError):
        await workbench.call_tool("pay")
