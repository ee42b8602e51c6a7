"""`TextCanvasMemory`: shows an agent the canvas before it asks its model."""

from __future__ import annotations

from typing import Any

from agentopic.core import CancellationToken
from agentopic.core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from agentopic.core.model_context import ChatCompletionContext
from agentopic.core.models import SystemMessage
from agentopic.ext.memory.canvas._canvas_tools import ApplyPatchTool, UpdateFileTool
from agentopic.ext.memory.canvas._text_canvas import TextCanvas


class TextCanvasMemory(Memory):
    """Puts all files of a canvas into the context; agents that share the canvas see each other's work."""

    step_scope = True

    def __init__(self, canvas: TextCanvas | None = None) -> None:
        self.canvas = canvas if canvas is not None else TextCanvas()

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add one system message with the canvas as it is now, also when it is empty."""
        snapshot = self.canvas.get_all_contents_for_context()
        await model_context.add_message(SystemMessage(content=snapshot))
        content = MemoryContent(content=snapshot, mime_type=MemoryMimeType.TEXT)
        return UpdateContextResult(memories=MemoryQueryResult(results=[content]))

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Nothing: a canvas is read as a whole, by `update_context`."""
        return MemoryQueryResult(results=[])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Write content whose metadata names a `filename`; other content has no place on a canvas and is left out."""
        filename = (content.metadata or {}).get("filename")
        if filename is not None:
            self.canvas.add_or_update_file(str(filename), content.content)

    async def clear(self) -> None:
        """Begin with an empty canvas."""
        self.canvas = TextCanvas()

    async def close(self) -> None:
        """Nothing to give back."""

    def get_update_file_tool(self) -> UpdateFileTool:
        """A tool that writes whole files of this canvas."""
        return UpdateFileTool(self.canvas)

    def get_apply_patch_tool(self) -> ApplyPatchTool:
        """A tool that patches files of this canvas."""
        return ApplyPatchTool(self.canvas)
