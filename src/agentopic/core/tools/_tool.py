"""`Tool` and `StreamTool`: what anything that a model may call looks like."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core.tools._tool_schema import ToolSchema


@runtime_checkable
class Tool(Protocol):
    """Something a model may call with JSON arguments."""

    @property
    def name(self) -> str:
        """The name the model calls it by."""
        ...

    @property
    def description(self) -> str:
        """What it is good for, for the model."""
        ...

    @property
    def schema(self) -> ToolSchema:
        """Name, description and arguments as the model sees them."""
        ...

    def args_type(self) -> type[BaseModel]:
        """The class its arguments are validated with."""
        ...

    def return_type(self) -> type[Any]:
        """What `run_json` returns."""
        ...

    def state_type(self) -> type[BaseModel] | None:
        """The class of its state, or None."""
        ...

    def return_value_as_string(self, value: Any) -> str:
        """A returned value as the text the model reads."""
        ...

    async def run_json(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> Any:
        """Call it with unvalidated arguments; pydantic.ValidationError when they do not fit."""
        ...

    async def save_state_json(self) -> Mapping[str, Any]:
        """Its state as JSON."""
        ...

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""
        ...


@runtime_checkable
class StreamTool(Tool, Protocol):
    """A tool that shows progress while it runs."""

    def run_json_stream(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> AsyncGenerator[Any, None]:
        """Like `run_json`, with what happens on the way; the last item is the result."""
        ...
