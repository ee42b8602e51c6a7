"""A service that holds an AssistantAgent, with its model, its tools and the mesh it lives on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from agentopic import wiring
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.messages import ModelClientStreamingChunkEvent
from agentopic.core import (
    CancellationToken,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
)
from agentopic.core.models import ModelInfo
from agentopic.core.tools import FunctionTool, TextResultContent, ToolResult, ToolSchema, Workbench
from agentopic.engine.runtime import EngineRuntime
from agentopic.ext.models.openai import OpenAIChatCompletionClient
from agentopic.ports.admin import TopicSpec
from agentopic.ports.journal import Journal
from agentopic.ports.transport import Record, TopicPartition
from agentopic.settings import Settings
from agentopic.testing.scripted_model import ChatRequest, Reply, ScriptedModel, ToolCall

from .dying_journal import Death, DyingJournal

INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


@payload("desk.Order.v1")
class Order(BaseModel):
    text: str


@payload("desk.Said.v1")
class Said(BaseModel):
    messages: list[dict[str, Any]]


class SalesModel:
    """Wants both tools called, then tells what they said: a function of the conversation alone."""

    async def reply(self, request: ChatRequest) -> Reply:
        if request.messages[-1]["role"] == "user":
            look_up = ToolCall(name="look_up", arguments={"item": "lamp"})
            charge = ToolCall(name="charge", arguments={"cents": 5})
            return Reply(text="let me see", tool_calls=(look_up, charge))
        told = [str(message["content"]) for message in request.messages if message["role"] == "tool"]
        return Reply(text=" / ".join(told))


class Shop:
    """The tools' other side: counts what was really done."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    async def look_up(self, item: str) -> str:
        """Look something up."""
        self.done["look_up"] += 1
        return f"{item} in stock"

    async def charge(self, cents: int) -> str:
        """Charge somebody."""
        self.done["charge"] += 1
        return f"charged {cents}, receipt {self.done['charge']}"


class ShopWorkbench(Workbench):
    """The same tools behind one door, as an MCP server has them."""

    component_provider_override = "tests.ShopWorkbench"

    def __init__(self, shop: Shop) -> None:
        self._tools = {name: FunctionTool(getattr(shop, name), name) for name in ("look_up", "charge")}
        self._shop = shop

    async def list_tools(self) -> list[ToolSchema]:
        return [tool.schema for tool in self._tools.values()]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        try:
            text = await getattr(self._shop, name)(**(arguments or {}))
        except (OSError, ExceptionGroup) as exc:
            return ToolResult(name=name, result=[TextResultContent(content=str(exc))], is_error=True)
        return ToolResult(name=name, result=[TextResultContent(content=text)])

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...


class Desk(RoutedAgent):
    """Hands every order to its assistant and publishes all that came of it."""

    def __init__(self, assistant: AssistantAgent, seen: list[dict[str, Any]]) -> None:
        super().__init__("sells")
        self._assistant, self._seen = assistant, seen

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        said: list[dict[str, Any]] = []
        async for item in self._assistant.run_stream(task=message.text):
            if not isinstance(item, TaskResult | ModelClientStreamingChunkEvent):
                said.append(dict(item.dump()))
                self._seen.append(said[-1])
        await self.publish_message(Said(messages=said), TopicId("said", self.id.key))

    async def save_state(self) -> Mapping[str, Any]:
        return await self._assistant.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        await self._assistant.load_state(state)


class Bench:
    """One mesh, one model, one shop; processes come and go."""

    def __init__(self, url: str, namespace: str, model: ScriptedModel, stack: AsyncExitStack, mode: str) -> None:
        self.shop, self.mode = Shop(), mode
        self._model, self._stack = model, stack
        self._settings = Settings(transport=url, namespace=namespace, partitions=2)
        self.mesh = wiring.mesh(self._settings)
        """Never hosts anything: it creates topics, looks and buries."""

    async def start(self) -> None:
        for part in (self.mesh.transport, self.mesh.journal):
            assert part is not None
            await part.start()
        self._stack.push_async_callback(self.mesh.aclose)
        await self.mesh.admin.create([TopicSpec(name=f"{self._settings.namespace}.topic.said", partitions=1)])

    async def life(self, death: Death | None = None) -> tuple[EngineRuntime, DyingJournal, list[dict[str, Any]]]:
        """Start one more process; everything in it is new but the shop and the model's server."""
        mesh, seen = wiring.mesh(self._settings), list[dict[str, Any]]()
        assert mesh.journal is not None
        journal = DyingJournal(mesh.journal, death)
        options = replace(wiring.engine_options(self._settings), drain_seconds=5.0)
        runtime = EngineRuntime(replace(mesh, journal=journal), options)
        client = OpenAIChatCompletionClient(
            model="scripted", api_key="none", base_url=self._model.base_url(), model_info=INFO
        )
        self._stack.push_async_callback(client.close)
        await Desk.register(runtime, "desk", lambda: Desk(self._assistant(client), seen))
        await runtime.add_subscription(TypeSubscription("order", "desk"))
        await runtime.start()
        return runtime, journal, seen

    def _assistant(self, client: OpenAIChatCompletionClient) -> AssistantAgent:
        how: dict[str, Any] = {"model_client_stream": self.mode == "streamed", "max_tool_iterations": 3}
        if self.mode == "workbench":
            how["workbench"] = ShopWorkbench(self.shop)
        else:
            how["tools"] = [
                FunctionTool(self.shop.look_up, "Look something up.", effect="pure"),
                FunctionTool(self.shop.charge, "Charge somebody."),
            ]
        return AssistantAgent("clerk", client, **how)

    @property
    def journal(self) -> Journal:
        """The journal as it is for whoever still lives."""
        assert self.mesh.journal is not None
        return self.mesh.journal

    async def left_behind(self, turn: bytes) -> dict[str, bool]:
        """The stored steps of a turn, by name, and whether each has its result."""
        seen: Counter[str] = Counter()
        found: dict[str, bool] = {}
        for row in await self.journal.recorded(turn):
            name = "ask" if row.kind == "model" else row.name
            seen[name] += 1
            found[f"{name}{seen[name]}"] = row.result is not None
        return found

    async def order(self, text: str = "a lamp, please") -> None:
        """Publish an order for one customer."""
        await self._publisher().publish_message(Order(text=text), TopicId("order", "ann"))

    def _publisher(self) -> EngineRuntime:
        return EngineRuntime(self.mesh, wiring.engine_options(self._settings))

    async def records(self, name: str) -> list[Record]:
        """What a topic holds, by its name after the namespace."""
        part = TopicPartition(f"{self._settings.namespace}.{name}", 0)
        offsets = (await self.mesh.admin.offsets([part]))[part]
        reader = await self.mesh.transport.reader("looking")
        await reader.assign({part: offsets.beginning})
        found: list[Record] = []
        while len(found) < offsets.end - offsets.beginning:
            found += await reader.read(100, 5.0)
        await reader.aclose()
        return found

    async def said(self) -> list[list[dict[str, Any]]]:
        """The messages of every answer that was published."""
        return [Said.model_validate_json(record.value or b"").messages for record in await self.records("topic.said")]
