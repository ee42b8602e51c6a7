"""`ChatCompletionClient`: the interface of every model; its calls are steps inside a durable turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import ComponentBase
from agentopic.core.models._model_info import ModelCapabilities, ModelInfo
from agentopic.core.models._recording import record_model_calls
from agentopic.core.models._types import CreateResult, LLMMessage, RequestUsage
from agentopic.core.tools._tool import Tool
from agentopic.core.tools._tool_schema import ToolSchema


class ChatCompletionClient(ComponentBase[BaseModel], ABC):
    """Asks a model for the next message.

    Inside a durable turn `create` and `create_stream` of every subclass are recorded as steps of kind `model`: a
    later attempt of the turn gets the recorded answer and pays nothing. Outside a turn they are plain calls.
    """

    step_scope: ClassVar[bool] = False
    """True on clients that only wrap others (caches, fall-backs): the wrapped clients are recorded instead."""

    @property
    def step_name(self) -> str:
        """The name under which calls are recorded and billed; the model's name where the client knows it."""
        return type(self).__name__

    @property
    def step_endpoint(self) -> str:
        """What answers the calls: clients of one endpoint share its rate limits and its failures."""
        return self.step_name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        record_model_calls(cls)

    @abstractmethod
    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Ask for one answer.

        `json_output` True holds the model to JSON, a pydantic class to its schema. `extra_create_args` go to the
        provider as they are.

        Raises:
            ModelError: the provider gave no usable answer (a subclass says which kind).
            ValueError: the model cannot do what is asked (tools, images, JSON).
        """

    @abstractmethod
    def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Like `create`, with the text as it arrives; the last item is the whole answer."""

    @abstractmethod
    async def close(self) -> None:
        """Give back connections."""

    @abstractmethod
    def actual_usage(self) -> RequestUsage:
        """Tokens paid by this client, without answers from a cache."""

    @abstractmethod
    def total_usage(self) -> RequestUsage:
        """Tokens of all answers of this client."""

    @abstractmethod
    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens these messages and tools take in the prompt; may be an estimate."""

    @abstractmethod
    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens left in the context window after these messages and tools."""

    @property
    @abstractmethod
    def capabilities(self) -> ModelCapabilities:
        """The older form of `model_info`."""

    @property
    @abstractmethod
    def model_info(self) -> ModelInfo:
        """What the model can do."""
