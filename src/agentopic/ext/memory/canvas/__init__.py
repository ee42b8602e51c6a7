"""A canvas of text files that agents write together, as in `autogen_ext.memory.canvas`."""

from agentopic.ext.memory.canvas._canvas_tools import ApplyPatchTool, UpdateFileTool
from agentopic.ext.memory.canvas._text_canvas import BaseCanvas, TextCanvas
from agentopic.ext.memory.canvas._text_canvas_memory import TextCanvasMemory

__all__ = ["ApplyPatchTool", "BaseCanvas", "TextCanvas", "TextCanvasMemory", "UpdateFileTool"]
