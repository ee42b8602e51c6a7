"""Spans of generative-AI work, by OpenTelemetry's GenAI semantic conventions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, Tracer, get_tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

_TRACER_NAME: Final = "agentopic-core"
_SYSTEM: Final = "agentopic"


@contextmanager
def trace_create_agent_span(
    agent_name: str,
    *,
    tracer: Tracer | None = None,
    parent: Span | None = None,
    agent_id: str | None = None,
    agent_description: str | None = None,
) -> Generator[Span, Any, None]:
    """The span `create_agent <name>`; an exception inside the block is recorded, with `error.type`."""
    attributes = {"gen_ai.agent.id": agent_id, "gen_ai.agent.description": agent_description}
    with _span(
        "create_agent",
        "agent",
        agent_name,
        SpanKind.CLIENT,
        tracer=tracer,
        parent=parent,
        optional=attributes,
    ) as span:
        yield span


@contextmanager
def trace_invoke_agent_span(
    agent_name: str,
    *,
    tracer: Tracer | None = None,
    parent: Span | None = None,
    agent_id: str | None = None,
    agent_description: str | None = None,
) -> Generator[Span, Any, None]:
    """The span `invoke_agent <name>`; an exception inside the block is recorded, with `error.type`."""
    attributes = {"gen_ai.agent.id": agent_id, "gen_ai.agent.description": agent_description}
    with _span(
        "invoke_agent",
        "agent",
        agent_name,
        SpanKind.CLIENT,
        tracer=tracer,
        parent=parent,
        optional=attributes,
    ) as span:
        yield span


@contextmanager
def trace_tool_span(
    tool_name: str,
    *,
    tracer: Tracer | None = None,
    parent: Span | None = None,
    tool_description: str | None = None,
    tool_call_id: str | None = None,
) -> Generator[Span, Any, None]:
    """The span `execute_tool <name>`; an exception inside the block is recorded, with `error.type`."""
    attributes = {"gen_ai.tool.description": tool_description, "gen_ai.tool.call.id": tool_call_id}
    with _span(
        "execute_tool",
        "tool",
        tool_name,
        SpanKind.INTERNAL,
        tracer=tracer,
        parent=parent,
        optional=attributes,
    ) as span:
        yield span


@contextmanager
def _span(
    operation: str,
    subject: str,
    name: str,
    kind: SpanKind,
    *,
    tracer: Tracer | None,
    parent: Span | None,
    optional: dict[str, str | None],
) -> Generator[Span, Any, None]:
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": operation,
        "gen_ai.system": _SYSTEM,
        f"gen_ai.{subject}.name": name,
    }
    attributes.update({key: value for key, value in optional.items() if value is not None})
    chosen = tracer if tracer is not None else get_tracer(_TRACER_NAME)
    context = None if parent is None else set_span_in_context(parent)
    with chosen.start_as_current_span(f"{operation} {name}", context=context, kind=kind, attributes=attributes) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            raise
