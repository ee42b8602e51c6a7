"""Spans of messages and of generative-AI work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracerProvider, SpanKind

from agentopic.core import (
    AgentId,
    DefaultInterventionHandler,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
    trace_create_agent_span,
    trace_invoke_agent_span,
    trace_tool_span,
)
from agentopic.core._runtime_tracing import RuntimeTracing

from .spans import RememberingProvider, RememberingTracer


@dataclass
class Ask:
    text: str = ""


class Worker(RoutedAgent):
    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> str:
        return "done"


async def test_a_message_leaves_spans_linked_to_where_it_came_from() -> None:
    provider = RememberingProvider()
    runtime = SingleThreadedAgentRuntime(tracer_provider=provider, intervention_handlers=[DefaultInterventionHandler()])
    await Worker.register(runtime, "worker", lambda: Worker("works"))
    await runtime.add_subscription(TypeSubscription("news", "worker"))
    runtime.start()

    await runtime.send_message(Ask(), AgentId("worker", "k"))
    await runtime.publish_message(Ask(), TopicId("news", "s"))
    await runtime.stop_when_idle()

    assert [span.name for span in provider.spans] == [
        "agentopic create worker.(k)-A",
        "agentopic intercept caller",
        "agentopic process worker.(k)-A",
        "agentopic intercept caller",
        "agentopic ack caller",
        "agentopic create news.(s)-T",
        "agentopic intercept caller",
        "agentopic process worker.(s)-A",
    ]
    create, process = provider.spans[0], provider.spans[2]
    assert (create.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert [link.context for link in process.links] == [create.get_span_context()]
    assert process.attributes == {
        "messaging.operation": "process",
        "messaging.destination": "worker.(k)-A",
        "messaging.message.type": "Ask",
    }
    assert set(provider.tracer_names) == {"agentopic SingleThreadedAgentRuntime"}


def test_without_a_provider_that_records_there_is_no_tracing() -> None:
    assert RuntimeTracing.of(None, "any") is None
    assert RuntimeTracing.of(NoOpTracerProvider(), "any") is None
    assert RuntimeTracing.of(RememberingProvider(), "any") is not None


@pytest.mark.parametrize(
    ("open_span", "options", "name", "attributes"),
    [
        (
            trace_create_agent_span,
            {"agent_id": "a/k", "agent_description": "d"},
            "create_agent x",
            {"gen_ai.agent.name": "x", "gen_ai.agent.id": "a/k", "gen_ai.agent.description": "d"},
        ),
        (trace_invoke_agent_span, {}, "invoke_agent x", {"gen_ai.agent.name": "x"}),
        (
            trace_tool_span,
            {"tool_description": "d", "tool_call_id": "c"},
            "execute_tool x",
            {"gen_ai.tool.name": "x", "gen_ai.tool.description": "d", "gen_ai.tool.call.id": "c"},
        ),
    ],
)
def test_generative_work_is_named_by_the_conventions(
    open_span: Callable[..., Any], options: dict[str, str], name: str, attributes: dict[str, str]
) -> None:
    tracer = RememberingTracer([])

    with open_span("x", tracer=tracer, **options):
        pass

    [span] = tracer.spans
    operation = name.split(maxsplit=1)[0]
    assert span.name == name
    assert span.attributes == {"gen_ai.operation.name": operation, "gen_ai.system": "agentopic", **attributes}


def test_an_exception_marks_the_span_and_goes_on() -> None:
    tracer = RememberingTracer([])

    with pytest.raises(KeyError), trace_tool_span("x", tracer=tracer):
        raise KeyError("x")

    assert tracer.spans[0].attributes["error.type"] == "KeyError"


def test_a_span_is_the_child_of_the_parent_it_is_given() -> None:
    tracer = RememberingTracer([])

    with trace_invoke_agent_span("outer", tracer=tracer) as outer:
        pass
    with trace_tool_span("inner", tracer=tracer, parent=outer):
        pass

    assert tracer.spans[1].parent is outer
