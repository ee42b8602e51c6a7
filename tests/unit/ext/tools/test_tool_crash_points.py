"""A process may end anywhere around calls of tools and memories: none that is recorded is made again."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool
from pydantic import BaseModel

from agentopic import AgentService
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event, payload
from agentopic.core.memory import Memory, MemoryContent
from agentopic.core.model_context import UnboundedChatCompletionContext
from agentopic.errors import StepOutcomeUnknownError
from agentopic.ext.memory.canvas import TextCanvasMemory
from agentopic.ext.memory.redis import RedisMemory
from agentopic.ext.tools.mcp import IDEMPOTENCY_META_KEY, McpWorkbench, StdioServerParams
from agentopic.testing import Aftermath, crash_everywhere, crash_point, expect


@payload("tools.Task.v1")
class Task(BaseModel):
    number: int


@payload("tools.Done.v1")
class Done(BaseModel):
    text: str


class McpServer:
    """Stands for a server that keeps what it did while its clients die."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.keys: set[Any] = set()

    def clear(self) -> None:
        self.calls.clear()
        self.keys.clear()

    @asynccontextmanager
    async def session(self, *_args: Any, **_options: Any):
        yield self

    async def initialize(self) -> None:
        await crash_point("during initialize")

    async def list_tools(self, params: Any = None) -> ListToolsResult:
        self.calls["list_tools"] += 1
        return ListToolsResult(tools=[Tool(name="charge", input_schema={"type": "object", "properties": {}})])

    async def call_tool(self, name: str, arguments: dict[str, Any], meta: Any = None) -> CallToolResult:
        await crash_point("before the charge")
        self.calls[name] += 1
        self.keys.add(meta[IDEMPOTENCY_META_KEY])
        await crash_point("after the charge")
        return CallToolResult(content=[TextContent(type="text", text=f"charged {arguments['n']}")])


class Till(RoutedAgent):
    def __init__(self, on_unknown: Any, effect: Any = "unrepeatable") -> None:
        super().__init__("till")
        params = StdioServerParams(command="server")
        self.workbench = McpWorkbench(params, on_unknown=on_unknown, effect=effect)

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        tools = await self.workbench.list_tools()
        try:
            text = (await self.workbench.call_tool(tools[0]["name"], {"n": message.number})).to_text()
        except StepOutcomeUnknownError:
            text = "unknown"
        await self.publish_message(Done(text=text), TopicId("done", self.id.key))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> McpServer:
    fake = McpServer()
    monkeypatch.setattr("agentopic.ext.tools.mcp._workbench.create_mcp_server_session", fake.session)
    return fake


def service(make: Any) -> AgentService:
    return AgentService(
        "till", make, subscriptions=[TypeSubscription("tasks", "till")], publishes={"done": Done}, stateless=True
    )


EVENTS = [(Task(number=7), TopicId("tasks", "ann"))]


def test_an_mcp_call_of_unknown_outcome_is_told_and_never_made_again(server: McpServer) -> None:
    def check(after: Aftermath) -> None:
        expect(after.events("done")).from_agent("till").exactly(1)
        assert server.calls["charge"] <= 1, "charged twice"
        assert server.calls["list_tools"] <= 1 + after.open_calls["McpWorkbench.list_tools"]

    points = crash_everywhere(service(partial(Till, None)), EVENTS, check, reset=server.clear)

    assert {"during initialize", "after the charge", "before result"} <= set(points)


@pytest.mark.parametrize(("on_unknown", "effect"), [("retry", "unrepeatable"), (None, "idempotent")])
def test_an_mcp_call_that_may_be_repeated_keeps_its_key(server: McpServer, on_unknown: Any, effect: Any) -> None:
    def check(after: Aftermath) -> None:
        expect(after.events("done")).from_agent("till").exactly(1)
        assert 1 <= server.calls["charge"] <= 1 + after.open_calls["charge"], "charged twice"
        assert len(server.keys) == 1, "a repeated call has another key"

    crash_everywhere(service(partial(Till, on_unknown, effect)), EVENTS, check, reset=server.clear)


def test_a_person_decides_about_an_mcp_call_of_unknown_outcome(server: McpServer) -> None:
    asked: list[Any] = []

    def check(after: Aftermath) -> None:
        expect(after.events("done")).from_agent("till").exactly(1)
        assert server.calls["charge"] <= 1, "charged twice"

    def answer(question: Any) -> str:
        asked.append(question)
        return "done: charged 7"

    crash_everywhere(service(partial(Till, "ask")), EVENTS, check, reset=server.clear, answer=answer)

    assert asked


class Store:
    """Stands for Redis."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.reads = 0

    def clear(self) -> None:
        self.entries.clear()
        self.reads = 0

    async def add(self, entry_id: str, _microseconds: int, entry: Any) -> None:
        await crash_point("before the memory is kept")
        self.entries.setdefault(entry_id, entry)
        await crash_point("after the memory is kept")

    async def latest(self, count: int) -> list[Any]:
        self.reads += 1
        return list(self.entries.values())[-count:]


class Rememberer(RoutedAgent):
    def __init__(self, store: Store) -> None:
        super().__init__("rememberer")
        memory: Any = RedisMemory()
        memory._store = store
        self.memory: Memory = memory

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        await self.memory.add(MemoryContent(content=f"task {message.number}", mime_type="text/plain"))
        found = await self.memory.query("task")
        await self.publish_message(Done(text=str(len(found.results))), TopicId("done", self.id.key))


def test_a_memory_is_added_once_and_a_recorded_query_not_repeated() -> None:
    store = Store()

    def check(after: Aftermath) -> None:
        expect(after.events("done")).from_agent("till").exactly(1)
        assert len(store.entries) == 1, "remembered twice"
        assert store.reads <= 1 + after.open_calls["RedisMemory.query"]

    crash_everywhere(service(partial(Rememberer, store)), EVENTS, check, reset=store.clear)


class Writer(RoutedAgent):
    def __init__(self, contents: list[str]) -> None:
        super().__init__("writer")
        self.contents = contents
        self.memory = TextCanvasMemory()

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        update, patch = self.memory.get_update_file_tool(), self.memory.get_apply_patch_tool()
        diff = "@@ -1 +1 @@\n-one\n+two\n"
        await update.run_json({"filename": "a", "new_content": "one\n"}, ctx.cancellation_token)
        await patch.run_json({"filename": "a", "patch_text": diff}, ctx.cancellation_token)
        await self.memory.update_context(UnboundedChatCompletionContext())
        self.contents.append(self.memory.canvas.get_latest_content("a"))
        await self.publish_message(Done(text="done"), TopicId("done", self.id.key))


def test_a_canvas_is_as_it_was_left_after_a_crash() -> None:
    contents: list[str] = []

    def check(after: Aftermath) -> None:
        expect(after.events("done")).from_agent("till").exactly(1)
        assert set(contents) == {"two\n"}

    crash_everywhere(service(partial(Writer, contents)), EVENTS, check, reset=contents.clear)
