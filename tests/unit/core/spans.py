"""A tracer provider that remembers its spans."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace


class RememberedSpan(trace.NonRecordingSpan):
    """One span, with what it was opened with and what was recorded."""

    def __init__(self, name: str, number: int, options: dict[str, Any]) -> None:
        super().__init__(trace.SpanContext(trace_id=1, span_id=number, is_remote=False))
        self.name = name
        self.kind = options.get("kind")
        self.links = tuple(options.get("links") or ())
        self.attributes: dict[str, Any] = dict(options.get("attributes") or {})
        context = options.get("context")
        self.parent = trace.get_current_span(context)

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value


class RememberingTracer(trace.NoOpTracer):
    """Opens remembered spans."""

    def __init__(self, spans: list[RememberedSpan]) -> None:
        self.spans = spans

    @contextmanager
    def start_as_current_span(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, name: str, *args: Any, **options: Any
    ) -> Generator[RememberedSpan, Any, None]:
        span = RememberedSpan(name, len(self.spans) + 1, options)
        self.spans.append(span)
        with trace.use_span(span):
            yield span


class RememberingProvider(trace.TracerProvider):
    """Gives out remembering tracers."""

    def __init__(self) -> None:
        self.spans: list[RememberedSpan] = []
        self.tracer_names: list[str] = []

    def get_tracer(self, instrumenting_module_name: str, *args: Any, **options: Any) -> RememberingTracer:
        self.tracer_names.append(instrumenting_module_name)
        return RememberingTracer(self.spans)
