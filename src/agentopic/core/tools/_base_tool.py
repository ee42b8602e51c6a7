"""`BaseTool` and its kinds: what a tool class inherits; its calls are steps inside a durable turn."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import ComponentBase
from agentopic.core._genai_spans import trace_tool_span
from agentopic.core._logger_names import EVENT_LOGGER_NAME
from agentopic.core._turn import OnUnknown
from agentopic.core.logging import ToolCallEvent
from agentopic.core.tools._call_limit import RESULT_CHARACTERS, TIMEOUT_SECONDS
from agentopic.core.tools._recording import ToolEffect, record_tool_calls
from agentopic.core.tools._tool import StreamTool, Tool
from agentopic.core.tools._tool_schema import ToolSchema, tool_schema

ArgsT = TypeVar("ArgsT", bound=BaseModel, contravariant=True)  # noqa: PLC0105 - AutoGen's name
ReturnT = TypeVar("ReturnT", bound=BaseModel, covariant=True)  # noqa: PLC0105 - AutoGen's name
StreamT = TypeVar("StreamT", bound=BaseModel, covariant=True)  # noqa: PLC0105 - AutoGen's name
StateT = TypeVar("StateT", bound=BaseModel)

_event_log = logging.getLogger(EVENT_LOGGER_NAME)


class BaseTool(ABC, Tool, ComponentBase[BaseModel], Generic[ArgsT, ReturnT]):
    """A tool with typed arguments.

    Inside a durable turn every call is recorded as a step of kind `tool`: a later attempt of the turn gets the
    recorded result, and the tool is not run. A call that was open when an attempt died is repeated only if
    `effect` says so. Outside a turn a call is a plain call.
    """

    component_type = "tool"

    effect: ToolEffect = "unrepeatable"
    """What a repeated call does; anything but "unrepeatable" may be called again with the same idempotency key."""

    on_unknown: OnUnknown | None = None
    """What is done about an unrepeatable call that was open when its process died; None: as the service says."""

    timeout_seconds: float | None = TIMEOUT_SECONDS
    """How long a call may take, without waits for a person or a timer; None: as long as it likes."""

    max_result_characters: int | None = RESULT_CHARACTERS
    """How long the text of a result may be that a model is shown or the journal keeps; None: of any length."""

    step_scope: ClassVar[bool] = False
    """True on tools that only run agents, teams or other tools: what runs inside is recorded instead."""

    def __init__(
        self,
        args_type: type[ArgsT],
        return_type: type[ReturnT],
        name: str,
        description: str,
        strict: bool = False,
    ) -> None:
        self._args_type = args_type
        self._return_type = _without_annotation(return_type)
        self._name = name
        self._description = description
        self._strict = strict

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        record_tool_calls(cls)

    @property
    def schema(self) -> ToolSchema:
        """Name, description and arguments; ValueError when strict is asked for and cannot be had."""
        return tool_schema(self._name, self._description, cast("type[BaseModel]", self._args_type), strict=self._strict)

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str:
        return self._description

    def args_type(self) -> type[BaseModel]:
        return cast("type[BaseModel]", self._args_type)

    def return_type(self) -> type[Any]:
        return self._return_type

    def state_type(self) -> type[BaseModel] | None:
        return None

    def return_value_as_string(self, value: Any) -> str:
        """A model as its JSON text, anything else by `str`."""
        if not isinstance(value, BaseModel):
            return str(value)
        dumped = value.model_dump()
        return json.dumps(dumped) if isinstance(dumped, dict) else str(dumped)  # pyright: ignore[reportUnnecessaryIsInstance] - a model serializer may return anything

    @abstractmethod
    async def run(self, args: ArgsT, cancellation_token: CancellationToken) -> ReturnT:
        """Do the work; what is raised here reaches the model as an error text."""

    async def run_json(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> Any:
        """Validate the arguments and run; pydantic.ValidationError when they do not fit."""
        with trace_tool_span(tool_name=self._name, tool_description=self._description, tool_call_id=call_id):
            value = await self.run(self._args_type.model_validate(args), cancellation_token)
        self._log_call(args, value)
        return value

    async def save_state_json(self) -> Mapping[str, Any]:
        """No state; BaseToolWithState has one."""
        return {}

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """No state; BaseToolWithState has one."""

    def _log_call(self, args: Mapping[str, Any], value: Any) -> None:
        if _event_log.isEnabledFor(logging.INFO):
            event = ToolCallEvent(tool_name=self.name, arguments=dict(args), result=self.return_value_as_string(value))
            _event_log.info(event)


record_tool_calls(BaseTool)


class BaseStreamTool(BaseTool[ArgsT, ReturnT], StreamTool, ABC, Generic[ArgsT, StreamT, ReturnT]):
    """A tool that shows progress; the last item of its stream is its result."""

    component_type = "tool"

    @abstractmethod
    def run_stream(self, args: ArgsT, cancellation_token: CancellationToken) -> AsyncGenerator[StreamT | ReturnT, None]:
        """Do the work and yield what happens; the last item must be the result."""

    async def run_json_stream(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> AsyncGenerator[StreamT | ReturnT, None]:
        """Validate the arguments and stream.

        Raises:
            TypeError: the last item is not of the tool's return type.
        """
        last: StreamT | ReturnT | None = None
        with trace_tool_span(tool_name=self._name, tool_description=self._description, tool_call_id=call_id):
            async for item in self.run_stream(self._args_type.model_validate(args), cancellation_token):
                last = item
                yield item
        if not isinstance(last, self._return_type):
            raise TypeError(f"tool {self._name!r} ended with {type(last).__name__}, not with its result")
        self._log_call(args, last)


record_tool_calls(BaseStreamTool)


class BaseToolWithState(BaseTool[ArgsT, ReturnT], ABC, Generic[ArgsT, ReturnT, StateT]):
    """A tool that remembers; its state is recorded with each result, so that a later attempt reaches it too."""

    component_type = "tool"

    def __init__(
        self,
        args_type: type[ArgsT],
        return_type: type[ReturnT],
        state_type: type[StateT],
        name: str,
        description: str,
    ) -> None:
        super().__init__(args_type, return_type, name, description)
        self._state_type = state_type

    def state_type(self) -> type[BaseModel] | None:
        return self._state_type

    @abstractmethod
    def save_state(self) -> StateT:
        """The state now."""

    @abstractmethod
    def load_state(self, state: StateT) -> None:
        """Take over a saved state."""

    async def save_state_json(self) -> Mapping[str, Any]:
        return self.save_state().model_dump(mode="json")

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        self.load_state(self._state_type.model_validate(state))


def _without_annotation(annotated: Any) -> Any:
    return get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated
