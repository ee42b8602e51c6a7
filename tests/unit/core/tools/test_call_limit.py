"""Tools that hang, return too much or return what is no text: each call ends, and the model is told how."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic.core import AgentId, CancellationToken, FunctionCall, SingleThreadedAgentRuntime
from agentopic.core._waiting_clock import held_clock
from agentopic.core.tool_agent import ToolAgent, ToolExecutionException
from agentopic.core.tools import (
    BaseStreamTool,
    FunctionTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    ToolResult,
    ToolSchema,
    Workbench,
)
from agentopic.errors import ToolTimeoutError

TOKEN = CancellationToken()
FOR_EVER = 10_000_000.0


async def hang() -> str:
    """Hang."""
    await asyncio.get_running_loop().create_future()
    return ""


def hang_in_a_thread() -> str:
    """Hang without letting go of the thread."""
    threading.Event().wait(FOR_EVER)
    return ""


async def told(tool: Any) -> tuple[bool, str]:
    """What a model reads of a call."""
    result = await StaticWorkbench([tool]).call_tool(tool.name, {})
    return result.is_error, result.to_text()


@pytest.mark.parametrize("function", [hang, hang_in_a_thread])
async def test_a_tool_that_hangs_is_ended_and_the_model_told(function: Any) -> None:
    tool = FunctionTool(function, description="hangs", name="slow", timeout_seconds=0.01)

    assert await told(tool) == (True, "tool 'slow' did not end within 0.01 s")


async def test_a_tool_that_hangs_raises_a_typed_error_at_its_caller() -> None:
    tool = FunctionTool(hang, description="hangs", timeout_seconds=0.01)

    with pytest.raises(ToolTimeoutError):
        await tool.run_json({}, TOKEN)


async def test_a_timeout_of_the_tool_itself_is_its_own_failure() -> None:
    async def late() -> str:
        raise TimeoutError("the other side is late")

    tool = FunctionTool(late, description="d")

    with pytest.raises(TimeoutError, match="other side") as raised:
        await tool.run_json({}, TOKEN)
    assert not isinstance(raised.value, ToolTimeoutError)


async def test_waiting_for_a_person_does_not_count() -> None:
    answered = asyncio.Event()

    async def ask() -> str:
        with held_clock(), held_clock():
            await answered.wait()
        return "answered"

    tool = FunctionTool(ask, description="asks", timeout_seconds=0.001)
    calling = asyncio.ensure_future(told(tool))
    ended, _ = await asyncio.wait({calling}, timeout=0.05)
    answered.set()

    assert ended == set()
    assert await calling == (False, "answered")


async def test_a_wait_inside_of_another_tools_call_counts_for_neither() -> None:
    answered = asyncio.Event()

    async def ask() -> str:
        with held_clock():
            await answered.wait()
        return "answered"

    inner = FunctionTool(ask, description="asks", timeout_seconds=0.01)

    async def delegate() -> str:
        return await inner.run_json({}, TOKEN)

    outer = FunctionTool(delegate, description="has another one ask", timeout_seconds=0.01)
    calling = asyncio.ensure_future(outer.run_json({}, TOKEN))
    ended, _ = await asyncio.wait({calling}, timeout=0.05)
    answered.set()

    assert ended == set()
    assert await calling == "answered"


async def test_what_a_call_has_left_running_may_wait_after_its_end() -> None:
    left = list[asyncio.Task[str]]()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def linger(*, early: bool) -> str:
        if not early:
            await ended.wait()
        with held_clock():
            begun.set()
            await ended.wait()
        return "ended"

    async def leave() -> str:
        left.extend(asyncio.create_task(linger(early=early)) for early in (True, False))
        await begun.wait()
        return "left"

    tool = FunctionTool(leave, description="leaves", timeout_seconds=60.0)
    await tool.run_json({}, TOKEN)
    ended.set()

    assert await asyncio.gather(*left) == ["ended", "ended"]


async def test_a_call_whose_time_is_over_may_wait_on_its_way_out() -> None:
    waited = list[str]()

    async def hang_on() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            with held_clock():
                await asyncio.sleep(0)
                waited.append("on the way out")
        return ""

    tool = FunctionTool(hang_on, description="hangs on", timeout_seconds=0.01)

    with pytest.raises(ToolTimeoutError):
        await tool.run_json({}, TOKEN)
    assert waited == ["on the way out"]


async def test_after_the_wait_the_rest_of_the_time_counts() -> None:
    async def ask_and_hang() -> str:
        with held_clock():
            await asyncio.sleep(0)
        return await hang()

    tool = FunctionTool(ask_and_hang, description="d", name="asker", timeout_seconds=0.01)

    assert (await told(tool))[0] is True


async def test_a_result_of_50_mb_becomes_a_message_that_says_so() -> None:
    async def huge() -> str:
        return "x" * 50_000_000

    tool = FunctionTool(huge, description="d")

    is_error, text = await told(tool)
    assert is_error
    assert text == (
        "the result of tool 'huge' has 50000000 characters, more than the 1000000 that are shown; ask for less of it"
    )


async def test_the_limit_of_a_result_may_be_lifted() -> None:
    async def huge() -> str:
        return "x" * 2_000_000

    tool = FunctionTool(huge, description="d", max_result_characters=None)

    assert await told(tool) == (False, "x" * 2_000_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"\x00\xff", r"b'\x00\xff'"), ("lone \ud800 half", "lone ? half"), ("nul \0", "nul \0"), (None, "None")],
)
async def test_binary_results_are_text_that_can_be_sent(value: Any, text: str) -> None:
    async def odd() -> Any:
        return value

    is_error, read = await told(FunctionTool(odd, description="d"))

    assert (is_error, read) == (False, text)
    assert read.encode()


async def test_a_value_that_cannot_be_written_as_text_is_a_failure_of_its_tool() -> None:
    class Odd:
        def __str__(self) -> str:
            raise ValueError("no text of mine")

    async def odd() -> Any:
        return Odd()

    assert await told(FunctionTool(odd, description="d")) == (True, "no text of mine")


async def test_a_function_in_a_thread_may_raise_anything() -> None:
    def stops() -> str:
        raise StopIteration

    def leaves() -> str:
        raise KeyError("left")

    assert await told(FunctionTool(stops, description="d")) == (True, "the function raised StopIteration")
    assert await told(FunctionTool(leaves, description="d")) == (True, "'left'")


class NoArguments(BaseModel):
    pass


class Text(BaseModel):
    text: str


class Dribble(BaseStreamTool[NoArguments, str, Text]):  # pyright: ignore[reportInvalidTypeArguments] - any item may be shown
    """Shows one item and hangs."""

    timeout_seconds = 0.01

    def __init__(self) -> None:
        super().__init__(NoArguments, Text, "dribble", "d")

    async def run(self, args: NoArguments, cancellation_token: CancellationToken) -> Text:
        return Text(text="")

    async def run_stream(
        self, args: NoArguments, cancellation_token: CancellationToken
    ) -> AsyncGenerator[str | Text, None]:
        yield "first"
        await asyncio.get_running_loop().create_future()


async def test_a_stream_that_stalls_is_ended_after_what_it_has_shown() -> None:
    bench = StaticStreamWorkbench([Dribble()])

    items = [item async for item in bench.call_tool_stream("dribble")]

    assert items[0] == "first"
    assert (items[1].is_error, items[1].to_text()) == (True, "tool 'dribble' did not end within 0.01 s")


async def test_a_tool_agent_tells_of_a_tool_that_hangs() -> None:
    runtime = SingleThreadedAgentRuntime()
    tool = FunctionTool(hang, description="d", timeout_seconds=0.01)
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("runs", [tool]))
    runtime.start()

    with pytest.raises(ToolExecutionException, match="did not end within"):
        await runtime.send_message(FunctionCall(id="1", name="hang", arguments=""), AgentId("tools", "k"))
    await runtime.stop()


class Foreign(Workbench):
    """Calls what lies outside of this process."""

    component_type = "workbench"
    timeout_seconds = 0.01

    async def list_tools(self) -> list[ToolSchema]:
        return [ToolSchema(name="far")]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        if name == "hang":
            await hang()
        return ToolResult(name=name, result=[TextResultContent(content="x" * 50_000_000)])

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def reset(self) -> None: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...


@pytest.mark.parametrize(
    ("name", "text"), [("hang", "tool 'hang' did not end within 0.01 s"), ("huge", "has 50000000 characters")]
)
async def test_a_workbench_of_somebody_else_is_held_to_the_limits_too(name: str, text: str) -> None:
    result = await Foreign().call_tool(name)

    assert result.is_error
    assert text in result.to_text()
