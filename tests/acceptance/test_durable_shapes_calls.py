"""However an assistant reaches a tool or another agent: only the leaves are recorded, billed and never repeated."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from agentopic.agentchat.agents import AssistantAgent, SocietyOfMindAgent
from agentopic.agentchat.base import ChatAgent, TaskResult, Team
from agentopic.agentchat.teams import DiGraphBuilder, GraphFlow, RoundRobinGroupChat, SelectorGroupChat
from agentopic.agentchat.tools import AgentTool, TeamTool
from agentopic.core import CancellationToken, MessageContext
from agentopic.core.tools import BaseStreamTool, StaticStreamWorkbench, StaticWorkbench
from agentopic.ext.models.cache import ChatCompletionCache
from agentopic.ext.tools.mcp import McpWorkbench, StdioServerParams
from agentopic.testing import Aftermath, MemoryMesh, crash_everywhere, expect

from .sales_desk import Shop, ShopWorkbench
from .shapes import TASK, Messages, Outside, Said, Task, desk, until

TILL = str(Path(__file__).parent / "mcp_till.py")
LOOK = ("c1", "look", '{"item": "lamp"}')
LOOK_TOO = ("c2", "look", '{"item": "lamp"}')
GIVE = ("c1", "helper", '{"task": "help"}')
GIVE_TOO = ("c2", "helper", '{"task": "help"}')

Shape = Callable[[Outside], Awaitable[TaskResult]]


async def plain_function(outside: Outside) -> TaskResult:
    tools = [outside.tool("look", effect="pure")]
    return await outside.agent("clerk", [LOOK], "done", tools=tools, reflect_on_tool_use=True).run(task="go")


async def streamed(outside: Outside) -> TaskResult:
    tools = [outside.tool("look", effect="pure")]
    clerk = outside.agent("clerk", [LOOK], "all done", tools=tools, reflect_on_tool_use=True, model_client_stream=True)
    return await clerk.run(task="go")


async def streamed_team(outside: Outside) -> TaskResult:
    """A later attempt is given recorded answers in other pieces, and shows the same ids after them."""
    people: list[ChatAgent | Team] = [
        outside.agent(name, "in three pieces", model_client_stream=True) for name in ("one", "two")
    ]
    return await RoundRobinGroupChat(people, max_turns=3).run(task="go")


async def side_by_side(outside: Outside) -> TaskResult:
    """The same call twice in one answer: two calls, told apart by their ids."""
    return await outside.agent("clerk", [LOOK, LOOK_TOO], tools=[outside.tool("look", effect="pure")]).run(task="go")


async def agent_tool(outside: Outside) -> TaskResult:
    tools = [outside.tool("look", effect="pure")]
    helper = outside.agent("helper", [LOOK], "helped", tools=tools, reflect_on_tool_use=True)
    return await outside.agent("clerk", [GIVE], "done", tools=[AgentTool(helper)], max_tool_iterations=2).run(task="go")


async def two_agent_tools(outside: Outside) -> TaskResult:
    """Two agents asked side by side, whose models are asked the same."""
    one, two = (AgentTool(outside.agent(name, "helped")) for name in ("one", "two"))
    calls = [("c1", "one", '{"task": "help"}'), ("c2", "two", '{"task": "help"}')]
    return await outside.agent("clerk", calls, tools=[one, two]).run(task="go")


async def team_tool(outside: Outside) -> TaskResult:
    team = RoundRobinGroupChat([outside.agent("one", "1"), outside.agent("two", "2")], max_turns=2)
    tool = TeamTool(team, "helper", "helps")
    return await outside.agent("clerk", [GIVE], "done", tools=[tool], max_tool_iterations=2).run(task="go")


class Steps(BaseModel):
    item: str


class Progress(BaseModel):
    part: int


class StreamedLook(BaseStreamTool[Steps, Progress, Progress]):
    """Shows progress."""

    effect = "pure"
    component_provider_override = "tests.StreamedLook"

    def __init__(self, outside: Outside) -> None:
        super().__init__(Steps, Progress, "look", "looks")
        self._outside = outside

    async def run(self, args: Steps, cancellation_token: CancellationToken) -> Progress:
        raise AssertionError("streamed")

    async def run_stream(self, args: Steps, cancellation_token: CancellationToken) -> AsyncGenerator[Progress, None]:
        yield Progress(part=1)
        await self._outside.do("look")
        yield Progress(part=2)


async def static_workbench(outside: Outside) -> TaskResult:
    workbench = StaticWorkbench([outside.tool("look", effect="pure")])
    return await outside.agent("clerk", [LOOK, LOOK_TOO], workbench=workbench).run(task="go")


async def streaming_workbench(outside: Outside) -> TaskResult:
    workbench = StaticStreamWorkbench([StreamedLook(outside)])
    return await outside.agent("clerk", [LOOK, LOOK_TOO], workbench=workbench).run(task="go")


async def nested_team(outside: Outside) -> TaskResult:
    inner = RoundRobinGroupChat(
        [outside.agent("one", "1"), outside.agent("two", "2")], max_turns=2, name="inner", description="inner"
    )
    tools = [outside.tool("look", effect="pure")]
    clerk = outside.agent("clerk", [LOOK], tools=tools)
    return await RoundRobinGroupChat([clerk, inner], max_turns=2).run(task="go")


async def chosen_speakers(outside: Outside) -> TaskResult:
    people: list[ChatAgent | Team] = [outside.agent("one", "1"), outside.agent("two", "2", "3")]
    chooser = outside.model("chooser", "two")
    return await SelectorGroupChat(people, chooser, max_turns=2, allow_repeated_speaker=True).run(task="go")


async def at_once(outside: Outside) -> TaskResult:
    """Participants of a graph that speak at once and whose models are asked the same."""
    first, one, two = (outside.agent(name, name) for name in ("first", "one", "two"))
    graph = DiGraphBuilder()
    graph.add_node(first).add_node(one).add_node(two).add_edge(first, one).add_edge(first, two)
    return await GraphFlow(graph.get_participants(), graph.build()).run(task="go")


async def society(outside: Outside) -> TaskResult:
    team = RoundRobinGroupChat([outside.agent("one", "1"), outside.agent("two", "2")], max_turns=2)
    return await SocietyOfMindAgent("clerk", team, outside.model("clerk", "we say")).run(task="go")


async def cached_model(outside: Outside) -> TaskResult:
    """Two participants share a cache and ask it the same: one question is paid."""
    shared = ChatCompletionCache(outside.model("clerk", "hm"))
    first, second = [await AssistantAgent("clerk", shared).run(task="go") for _ in range(2)]
    return TaskResult(messages=[*first.messages, *second.messages])


SHAPES: dict[str, tuple[Shape, dict[str, int]]] = {
    "plain function": (plain_function, {"clerk": 2, "look": 1}),
    "streamed": (streamed, {"clerk": 2, "look": 1}),
    "streamed team": (streamed_team, {"one": 2, "two": 1}),
    "side by side": (side_by_side, {"clerk": 1, "look": 2}),
    "AgentTool": (agent_tool, {"clerk": 2, "helper": 2, "look": 1}),
    "two AgentTools": (two_agent_tools, {"clerk": 1, "one": 1, "two": 1}),
    "TeamTool": (team_tool, {"clerk": 2, "one": 1, "two": 1}),
    "static workbench": (static_workbench, {"clerk": 1, "look": 2}),
    "streaming workbench": (streaming_workbench, {"clerk": 1, "look": 2}),
    "nested team": (nested_team, {"clerk": 1, "one": 1, "two": 1, "look": 1}),
    "chosen speakers": (chosen_speakers, {"chooser": 2, "two": 2}),
    "at once": (at_once, {"first": 1, "one": 1, "two": 1}),
    "society": (society, {"one": 1, "two": 1, "clerk": 1}),
    "cached model": (cached_model, {"clerk": 1}),
}


def program(shape: Shape, outside: Outside) -> Callable[[Task, MessageContext], Awaitable[Messages]]:
    async def run(_task: Task, _ctx: MessageContext) -> Messages:
        return (await shape(outside)).messages

    return run


@pytest.mark.parametrize("name", SHAPES)
def test_a_crash_anywhere_repeats_no_recorded_call_and_changes_no_word(name: str) -> None:
    shape, leaves = SHAPES[name]
    outside, told = Outside(), set[str]()

    def check(after: Aftermath) -> None:
        said = expect(after.events("said")).exactly(1).one(Said)
        told.add(str([(each["id"], each["type"], each["content"]) for each in said.messages]))
        assert set(outside.done) == set(leaves)
        for leaf, times in leaves.items():
            assert times <= outside.done[leaf] <= times + after.open_calls[leaf], f"{leaf}: {outside.done[leaf]} times"

    points = crash_everywhere(desk(program(shape, outside)), TASK, check, reset=outside.reset)

    assert len(points) > 10
    assert len(told) == 1


@pytest.mark.parametrize("name", SHAPES)
async def test_only_the_leaves_are_recorded_and_billed_and_each_once(name: str) -> None:
    shape, leaves = SHAPES[name]
    outside, left = Outside(), list[tuple[str, str]]()
    async with MemoryMesh() as mesh:
        runtime = await mesh.run(desk(program(shape, outside), left=left, fails=2))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        await runtime.stop()

        said = mesh.events("said")
        spent = await runtime.spent(run=said[0].correlationid)

    calls = sum(times for leaf, times in leaves.items() if leaf != "look")
    assert len(said) == 1
    assert outside.done == leaves
    assert [each for each in left if each[0] != "effect"] == sorted(
        ("tool" if leaf == "look" else "model", leaf) for leaf, times in leaves.items() for _ in range(times)
    )
    assert (spent.calls, spent.input_tokens, spent.diverged, spent.unknown) == (calls, calls * 10, 0, 0)
    assert spent.saved == 2 * calls


UNKNOWN = "The outcome of this call is unknown"


def shop_calls(shop: Shop, outside: Outside) -> Shape:
    """A workbench of somebody's own that holds no tools: its calls themselves are the steps."""

    async def shape(_outside: Outside) -> TaskResult:
        calls = [("c1", "look_up", '{"item": "lamp"}'), ("c2", "charge", '{"cents": 5}')]
        return await outside.agent("clerk", calls, workbench=ShopWorkbench(shop)).run(task="go")

    return shape


def test_a_call_of_a_workbench_is_never_repeated_silently() -> None:
    outside, shop = Outside(), Shop()

    def check(after: Aftermath) -> None:
        said = expect(after.events("said")).exactly(1).one(Said)
        assert shop.done["charge"] == 1 or UNKNOWN in said.last
        assert max(shop.done.values(), default=0) <= 1
        assert (UNKNOWN in said.last) is bool(after.open_calls["charge"] or after.open_calls["look_up"])

    crash_everywhere(desk(program(shop_calls(shop, outside), outside)), TASK, check, reset=shop.done.clear)


def mcp_program(outside: Outside, log: Path, tool: str) -> Callable[[Task, MessageContext], Awaitable[Messages]]:
    async def run(_task: Task, _ctx: MessageContext) -> Messages:
        server = StdioServerParams(command=sys.executable, args=[TILL, str(log)])
        async with McpWorkbench(server) as workbench:
            clerk = outside.agent("clerk", [("c1", tool, '{"item": "lamp"}')], workbench=workbench)
            return (await clerk.run(task="go")).messages

    return run


async def test_calls_of_an_mcp_server_are_recorded(tmp_path: Path) -> None:
    outside, left, log = Outside(), list[tuple[str, str]](), tmp_path / "log"
    async with MemoryMesh() as mesh:
        await mesh.run(desk(mcp_program(outside, log, "look"), left=left, fails=2))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        said = expect(mesh.events("said")).one(Said)

    assert log.read_text() == "look\n"
    assert outside.done == {"clerk": 1}
    assert ("tool", "look") in left
    assert said.last == "look lamp"


async def test_a_call_of_an_mcp_server_that_was_open_when_its_process_ended_is_not_made_again(tmp_path: Path) -> None:
    outside, log = Outside(), tmp_path / "log"
    service = desk(mcp_program(outside, log, "hang"))
    async with MemoryMesh(drain_seconds=0.05) as mesh:
        first = await mesh.run(service)
        await mesh.publish(*TASK[0])
        await until(log.exists, "the server is called")
        await first.stop()
        await mesh.run(service)
        await until(lambda: bool(mesh.events("said")), "the second process ends the turn")
        said = expect(mesh.events("said")).one(Said)

    assert log.read_text() == "hang\n"
    assert UNKNOWN in said.last
