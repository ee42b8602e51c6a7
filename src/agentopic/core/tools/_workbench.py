"""`Workbench`: a set of tools that share resources; its calls are steps inside a durable turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, Field

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import ComponentBase
from agentopic.core._image import Image
from agentopic.core._turn import OnUnknown
from agentopic.core.tools._call_limit import RESULT_CHARACTERS, TIMEOUT_SECONDS
from agentopic.core.tools._recording import ToolEffect
from agentopic.core.tools._tool_schema import ToolSchema
from agentopic.core.tools._workbench_recording import record_workbench_calls


class TextResultContent(BaseModel):
    """Text that a tool returned."""

    type: Literal["TextResultContent"] = "TextResultContent"
    content: str


class ImageResultContent(BaseModel):
    """An image that a tool returned."""

    type: Literal["ImageResultContent"] = "ImageResultContent"
    content: Image


ResultContent: TypeAlias = Annotated[TextResultContent | ImageResultContent, Field(discriminator="type")]


class ToolResult(BaseModel):
    """What one call of a workbench's tool gave."""

    type: Literal["ToolResult"] = "ToolResult"
    name: str
    result: list[ResultContent]
    is_error: bool = False

    def to_text(self, replace_image: str | None = None) -> str:
        """The parts as lines of text; an image as `replace_image`, or as a note with its base64 data."""
        return "\n".join(_part_text(part, replace_image) for part in self.result)


class Workbench(ABC, ComponentBase[BaseModel]):
    """Lists and calls tools; the list may change between calls.

    Use it as an async context manager, or call `start` and `stop`. Inside a durable turn every `call_tool` is
    recorded as a step, unless `step_scope` says that the tools behind it are recorded themselves.
    """

    component_type = "workbench"

    effect: ToolEffect = "unrepeatable"
    """What a repeated call does, for all tools of the workbench."""

    on_unknown: OnUnknown | None = None
    """What is done about an unrepeatable call that was open when its process died; None: as the service says."""

    timeout_seconds: float | None = TIMEOUT_SECONDS
    """How long a call may take, without waits for a person or a timer; None: as long as it likes."""

    max_result_characters: int | None = RESULT_CHARACTERS
    """How long the text of a result may be, images aside; None: of any length."""

    step_scope: ClassVar[bool] = False
    """True on workbenches whose tools are recorded themselves."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        record_workbench_calls(cls, ToolResult)

    @abstractmethod
    async def list_tools(self) -> list[ToolSchema]:
        """The tools as they are now."""

    @abstractmethod
    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool; what goes wrong in it, or an unknown name, is a ToolResult with `is_error`."""

    @abstractmethod
    async def start(self) -> None:
        """Acquire what the tools need."""

    @abstractmethod
    async def stop(self) -> None:
        """Give everything back."""

    @abstractmethod
    async def reset(self) -> None:
        """Put the workbench and its tools back to how they began."""

    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """The state as JSON."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.stop()


class StreamWorkbench(Workbench, ABC):
    """A workbench whose tools may show progress."""

    @abstractmethod
    def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """Like `call_tool`, with what happens on the way; the last item is the ToolResult."""


def _part_text(part: ResultContent, replace_image: str | None) -> str:
    if isinstance(part, TextResultContent):
        return part.content
    return replace_image if replace_image is not None else f"[Image: {part.content.to_base64()}]"
