"""`RuntimeTracing`: the spans of a message's way through a runtime."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from opentelemetry.trace import (
    Link,
    NoOpTracerProvider,
    ProxyTracerProvider,
    Span,
    SpanContext,
    SpanKind,
    Tracer,
    TracerProvider,
    get_tracer_provider,
)

from agentopic.core._agent_id import AgentId
from agentopic.core._topic import TopicId
from agentopic.switches import is_runtime_tracing_off

_PRODUCING: Final = frozenset({"create", "send", "publish"})


class RuntimeTracing:
    """Opens spans named `agentopic <operation> <destination>`; a message's origin is a link, no parent."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @classmethod
    def of(cls, provider: TracerProvider | None, runtime_name: str) -> RuntimeTracing | None:
        """Tracing with the given or the globally set provider; None when nothing would be recorded."""
        if is_runtime_tracing_off():
            return None
        chosen = provider if provider is not None else get_tracer_provider()
        if isinstance(chosen, NoOpTracerProvider | ProxyTracerProvider):
            return None
        return cls(chosen.get_tracer(f"agentopic {runtime_name}"))

    def span(
        self,
        operation: str,
        destination: AgentId | TopicId | None,
        message: Any,
        *,
        origin: SpanContext | None = None,
    ) -> AbstractContextManager[Span]:
        """A span that is current inside the `with` block; an exception is recorded in it."""
        name = _name(destination)
        return self._tracer.start_as_current_span(
            f"agentopic {operation} {name}",
            kind=SpanKind.PRODUCER if operation in _PRODUCING else SpanKind.CONSUMER,
            links=() if origin is None else (Link(origin),),
            attributes={
                "messaging.operation": operation,
                "messaging.destination": name,
                "messaging.message.type": type(message).__name__,
            },
        )


def _name(destination: AgentId | TopicId | None) -> str:
    match destination:
        case AgentId():
            return f"{destination.type}.({destination.key})-A"
        case TopicId():
            return f"{destination.type}.({destination.source})-T"
        case None:
            return "caller"
