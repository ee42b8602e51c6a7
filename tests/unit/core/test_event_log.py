"""The structured events."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import (
    EVENT_LOGGER_NAME,
    AgentId,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    MessageHandlerContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    event,
)
from agentopic.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent, ToolCallEvent
from agentopic.errors import MessageDroppedError

WORKERS_TOPIC = TopicId("worker:", "k")


@dataclass
class Ask:
    text: str


@dataclass
class Opaque:
    thing: object


class Worker(RoutedAgent):
    @event
    async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
        raise ValueError("told to fail")


class Dropper(DefaultInterventionHandler):
    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return DropMessage


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == EVENT_LOGGER_NAME]


async def test_a_failing_handler_and_a_dropped_message_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[Dropper()])
    await Worker.register(runtime, "worker", lambda: Worker("works"))
    runtime.start()
    with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME):
        with pytest.raises(MessageDroppedError):
            await runtime.send_message(Ask("x"), AgentId("worker", "k"), sender=AgentId("s", "t"))
        await runtime.publish_message(Ask("y"), WORKERS_TOPIC)
        await runtime.stop_when_idle()

    lines = logged(caplog)

    assert {
        "payload": '{"text":"x"}',
        "sender": "s/t",
        "receiver": "worker/k",
        "kind": "MessageKind.DIRECT",
        "type": "MessageDropped",
    } in lines
    assert {
        "payload": '{"text":"y"}',
        "handling_agent": "worker/k",
        "exception": "told to fail",
        "type": "MessageHandlerException",
    } in lines


async def test_a_message_without_json_form_is_logged_without_payload(caplog: pytest.LogCaptureFixture) -> None:
    runtime = SingleThreadedAgentRuntime()
    with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME):
        await runtime.publish_message(Opaque(object()), WORKERS_TOPIC)

    assert [line["payload"] for line in logged(caplog)] == ["Message could not be serialized"]


async def test_nothing_is_written_while_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    runtime = SingleThreadedAgentRuntime()
    with caplog.at_level(logging.WARNING, EVENT_LOGGER_NAME):
        await runtime.publish_message(Ask("x"), WORKERS_TOPIC)

    assert logged(caplog) == []


def test_model_and_tool_events_name_the_agent_they_happened_in() -> None:
    with MessageHandlerContext.populate_context(AgentId("worker", "k")):
        call = LLMCallEvent(messages=[], response={"a": 1}, prompt_tokens=1, completion_tokens=2, extra=3)
        begin = LLMStreamStartEvent(messages=[{"role": "user"}])
        end = LLMStreamEndEvent(response={}, prompt_tokens=4, completion_tokens=5)
        tool = ToolCallEvent(tool_name="t", arguments={"a": object}, result="r")

    assert json.loads(str(call)) == {
        "extra": 3,
        "type": "LLMCall",
        "messages": [],
        "response": {"a": 1},
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "agent_id": "worker/k",
    }
    assert (call.prompt_tokens, call.completion_tokens) == (1, 2)
    assert (end.prompt_tokens, end.completion_tokens) == (4, 5)
    assert all(json.loads(str(each))["agent_id"] == "worker/k" for each in (begin, end, tool))
