from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from agentopic.agentchat import EVENT_LOGGER_NAME
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.base import Handoff, TaskResult
from agentopic.agentchat.messages import (
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    StructuredMessage,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallSummaryMessage,
)
from agentopic.core import CancellationToken, ComponentLoader, FunctionCall
from agentopic.core.memory import ListMemory, MemoryContent
from agentopic.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResultMessage,
    ModelInfo,
    RequestUsage,
)
from agentopic.core.tools import FunctionTool, StaticStreamWorkbench, StaticWorkbench
from agentopic.errors import ComponentError
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)


class Number(BaseModel):
    x: int


def scripted(*answers: str | CreateResult) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers), ABLE)


def calling(*calls: tuple[str, str], thought: str | None = None) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=str(i), name=name, arguments=args) for i, (name, args) in enumerate(calls)],
        usage=RequestUsage(3, 4),
        cached=False,
        thought=thought,
    )


async def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


async def boom() -> int:
    """Fails."""
    raise RuntimeError("bad")


def kinds(result: TaskResult) -> list[str]:
    return [type(message).__name__ for message in result.messages]


async def test_a_text_answer_is_a_text_message() -> None:
    agent = AssistantAgent("a", scripted("hi"))

    result = await agent.run(task="hello")

    assert kinds(result) == ["TextMessage", "TextMessage"]
    assert result.messages[-1].to_text() == "hi"
    assert result.messages[-1].models_usage is not None


async def test_what_tools_return_is_summarised_in_the_order_of_the_calls() -> None:
    agent = AssistantAgent(
        "a", scripted(calling(("add", '{"a":1,"b":2}'), ("boom", ""), thought="hm")), tools=[add, boom]
    )

    result = await agent.run(task="t")

    assert kinds(result)[1:] == [
        "ThoughtEvent",
        "ToolCallRequestEvent",
        "ToolCallExecutionEvent",
        "ToolCallSummaryMessage",
    ]
    assert result.messages[-1].to_text() == "3\nbad"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (("add", '{"a":1'), "Error: Expecting"),
        (("add", "[1]"), "not a JSON object"),
        (("nope", "{}"), "'nope' not found"),
        (("add", '{"a":"q","b":1}'), "valid integer"),
    ],
)
async def test_a_call_that_cannot_be_made_is_told_to_the_model(call, complaint) -> None:
    agent = AssistantAgent("a", scripted(calling(call)), tools=[add])

    result = await agent.run(task="t")

    (event,) = [m for m in result.messages if isinstance(m, ToolCallExecutionEvent)]
    assert event.content[0].is_error
    assert complaint in event.content[0].content


async def test_tools_asked_for_at_once_run_side_by_side() -> None:
    both = asyncio.Barrier(2)

    async def meet(who: str) -> str:
        """Waits for the other."""
        await both.wait()
        return who

    agent = AssistantAgent("a", scripted(calling(("meet", '{"who":"x"}'), ("meet", '{"who":"y"}'))), tools=[meet])

    assert (await agent.run(task="t")).messages[-1].to_text() == "x\ny"


async def test_the_model_puts_results_into_words_when_asked() -> None:
    client = scripted(calling(("add", '{"a":1,"b":2}')), "it is 3")
    agent = AssistantAgent("a", client, tools=[add], reflect_on_tool_use=True)

    result = await agent.run(task="t")

    assert isinstance(result.messages[-1], TextMessage)
    assert result.messages[-1].content == "it is 3"
    assert client.create_calls[-1]["tools"] == []


@pytest.mark.parametrize(("iterations", "last"), [(5, TextMessage), (2, ToolCallSummaryMessage)])
async def test_the_model_is_asked_again_as_often_as_allowed(iterations, last) -> None:
    answers = (calling(("add", '{"a":1,"b":2}')), calling(("add", '{"a":2,"b":2}')), "done")
    agent = AssistantAgent("a", scripted(*answers), tools=[add], max_tool_iterations=iterations)

    result = await agent.run(task="t")

    assert isinstance(result.messages[-1], last)


async def test_a_handoff_ends_the_answer_and_takes_the_other_calls_along() -> None:
    client = scripted(calling(("transfer_to_bob", "{}"), ("add", '{"a":1,"b":2}')))
    agent = AssistantAgent("a", client, tools=[add], handoffs=["bob"])

    message = (await agent.run(task="t")).messages[-1]

    assert isinstance(message, HandoffMessage)
    assert message.target == "bob"
    assert [type(m) for m in message.context] == [AssistantMessage, FunctionExecutionResultMessage]


async def test_the_context_of_a_handoff_reaches_the_targets_model() -> None:
    agent = AssistantAgent("b", scripted("ok"))
    handoff = HandoffMessage(
        source="a", target="b", content="yours", context=[AssistantMessage(content="before", source="a")]
    )

    await agent.run(task=handoff)

    assert [m.content for m in await agent.model_context.get_messages()] == ["before", "yours", "ok"]


async def test_of_several_handoffs_the_first_is_followed() -> None:
    client = scripted(calling(("transfer_to_bob", "{}"), ("transfer_to_al", "{}")))
    agent = AssistantAgent("a", client, handoffs=["bob", Handoff(target="al")])

    with pytest.warns(UserWarning, match="several handoffs"):
        message = (await agent.run(task="t")).messages[-1]

    assert isinstance(message, HandoffMessage)
    assert message.target == "bob"


async def test_pieces_of_a_stream_name_their_message_and_are_not_in_the_result() -> None:
    agent = AssistantAgent("a", scripted("hi there"), model_client_stream=True)

    items = [item async for item in agent.run_stream(task="t")]

    chunks = [item for item in items if isinstance(item, ModelClientStreamingChunkEvent)]
    result = items[-1]
    assert isinstance(result, TaskResult)
    assert [chunk.content for chunk in chunks] == ["hi ", "there"]
    assert {chunk.full_message_id for chunk in chunks} == {result.messages[-1].id}
    assert kinds(result) == ["TextMessage", "TextMessage"]


async def test_an_output_class_makes_structured_messages() -> None:
    client = scripted(calling(("add", '{"a":1,"b":2}')), '{"x":3}')
    agent = AssistantAgent("a", client, tools=[add], output_content_type=Number, output_content_type_format="x is {x}")

    message = (await agent.run(task="t")).messages[-1]

    assert isinstance(message, StructuredMessage)
    assert message.content == Number(x=3)
    assert message.to_text() == "x is 3"


async def test_memories_are_told_to_the_model_and_shown() -> None:
    memory = ListMemory(memory_contents=[MemoryContent(content="abc", mime_type="text/plain")])
    client = scripted("hi")
    agent = AssistantAgent("a", client, memory=[memory])

    result = await agent.run(task="t")

    assert kinds(result) == ["TextMessage", "MemoryQueryEvent", "TextMessage"]
    assert any("abc" in str(message.content) for message in client.create_calls[0]["messages"])


async def test_tool_calls_are_logged_as_events(caplog: pytest.LogCaptureFixture) -> None:
    agent = AssistantAgent("a", scripted(calling(("add", '{"a":1,"b":2}'))), tools=[add])

    with caplog.at_level("DEBUG", EVENT_LOGGER_NAME):
        await agent.run(task="t")

    logged = [record.msg for record in caplog.records if record.name == EVENT_LOGGER_NAME]
    assert [type(event).__name__ for event in logged] == ["ToolCallRequestEvent", "ToolCallExecutionEvent"]


async def test_the_conversation_survives_saving_and_is_forgotten_on_reset() -> None:
    agent = AssistantAgent("a", scripted("one"))
    await agent.run(task="t")
    other = AssistantAgent("a", scripted("two"))

    await other.load_state(await agent.save_state())
    await agent.on_reset(CancellationToken())

    assert [m.content for m in await other.model_context.get_messages()] == ["t", "one"]
    assert await agent.model_context.get_messages() == []


async def test_an_agent_is_built_again_from_json() -> None:
    agent = AssistantAgent(
        "a",
        scripted('{"x":1}'),
        tools=[add],
        handoffs=["bob"],
        memory=[ListMemory()],
        output_content_type=Number,
        max_tool_iterations=3,
    )
    dumped = agent.dump_component().model_dump(mode="json")

    loaded = ComponentLoader.load_component(dumped, expected=AssistantAgent, allow_source_code=True)

    assert dumped["provider"] == "autogen_agentchat.agents.AssistantAgent"
    assert loaded.dump_component().model_dump(mode="json") == dumped
    message = (await loaded.run(task="t")).messages[-1]
    assert isinstance(message, StructuredMessage)
    assert type(message).__name__ == "StructuredMessage[Number]"


def test_a_summary_function_cannot_be_dumped() -> None:
    agent = AssistantAgent("a", scripted(), tool_call_summary_formatter=lambda call, result: call.name)

    with pytest.raises(ComponentError, match="tool_call_summary_formatter"):
        agent.dump_component()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tools": [add, add]}, "Tool names must be unique"),
        ({"handoffs": ["b", "b"]}, "Handoff names must be unique"),
        ({"tools": ["x"]}, "Unsupported tool type"),
        ({"handoffs": [3]}, "Unsupported handoff type"),
        ({"max_tool_iterations": 0}, "at least 1"),
        ({"workbench": StaticWorkbench([]), "tools": [add]}, "cannot be used with a workbench"),
        ({"model_client": ReplayChatCompletionClient([]), "tools": [add]}, "does not support function calling"),
        ({"name": "not an identifier"}, "valid Python identifier"),
    ],
)
def test_what_cannot_work_is_refused_at_construction(options: dict[str, Any], complaint: str) -> None:
    arguments: dict[str, Any] = {"name": "a", "model_client": scripted(), **options}

    with pytest.raises(ValueError, match=complaint):
        AssistantAgent(**arguments)


@pytest.mark.parametrize("task", [[], [3]])
async def test_a_task_must_be_text_or_messages(task: Any) -> None:
    with pytest.raises(ValueError, match=r"empty|Invalid message type"):
        await AssistantAgent("a", scripted("x")).run(task=task)


async def test_a_later_attempt_makes_no_call_and_mints_the_same_messages(turns) -> None:
    calls = []

    async def pay(cents: int) -> str:
        """Pays."""
        calls.append(cents)
        return "paid"

    def agent() -> AssistantAgent:
        client = scripted(calling(("pay", '{"cents":1}'), ("pay", '{"cents":2}'), thought="hm"), "done")
        return AssistantAgent("a", client, tools=[pay], reflect_on_tool_use=True, model_client_stream=True)

    with turns.attempt():
        first = await agent().run(task="t")
    with turns.attempt() as again:
        second = await agent().run(task="t")

    assert calls == [1, 2]
    assert again.ran == []
    assert [m.dump() for m in second.messages] == [m.dump() for m in first.messages]


async def test_the_model_is_told_when_a_crash_left_a_call_open(turns) -> None:
    class Died(BaseException): ...

    async def pay() -> str:
        """Pays."""
        raise Died

    def agent() -> AssistantAgent:
        return AssistantAgent("a", scripted(calling(("pay", "{}"))), tools=[pay])

    with turns.attempt(), pytest.raises(Died):
        await agent().run(task="t")
    with turns.attempt():
        result = await agent().run(task="t")

    (event,) = [m for m in result.messages if isinstance(m, ToolCallExecutionEvent)]
    assert event.content[0].is_error
    assert "outcome of this call is unknown" in event.content[0].content


class StuckClient(ReplayChatCompletionClient):
    """Says one word and then nothing more."""

    component_provider_override = None

    async def create_stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[str | CreateResult, None]:
        yield "one "
        await asyncio.Event().wait()


async def test_closing_a_run_ends_its_model_call_without_a_record(turns) -> None:
    agent = AssistantAgent("a", StuckClient([]), model_client_stream=True)

    with turns.attempt():
        run = agent.run_stream(task="t", output_task_messages=False)
        first = await anext(run)
        await run.aclose()

    assert isinstance(first, ModelClientStreamingChunkEvent)
    assert turns.journal == {}
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_a_run_ends_all_its_tools() -> None:
    started = asyncio.Barrier(3)
    ended = []

    async def wait(who: str) -> str:
        """Waits for ever."""
        await started.wait()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(who)
        return who

    client = scripted(calling(("wait", '{"who":"x"}'), ("wait", '{"who":"y"}')))
    run = asyncio.create_task(AssistantAgent("a", client, tools=[wait]).run(task="t"))
    await started.wait()

    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted(ended) == ["x", "y"]


async def test_a_workbench_that_gives_no_result_is_told_to_the_model() -> None:
    class Silent(StaticStreamWorkbench):
        async def call_tool_stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            return
            yield

    workbench = Silent([FunctionTool(add, description="Adds.")])
    agent = AssistantAgent("a", scripted(calling(("add", '{"a":1,"b":2}'))), workbench=workbench)

    result = await agent.run(task="t")

    assert result.messages[-1].to_text() == "Tool add ended without a result."


@pytest.mark.parametrize("answer", ["", "garbage", '{"x": "no"}', '{"x": 1', "[]", "null"])
async def test_an_answer_that_does_not_fit_the_output_class_is_an_error(answer: str) -> None:
    agent = AssistantAgent("a", scripted(answer), output_content_type=Number)

    with pytest.raises(ValidationError):
        await agent.run(task="t")
