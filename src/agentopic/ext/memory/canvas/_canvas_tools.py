"""The tools by which agents change a canvas; the canvas is their state."""

from __future__ import annotations

from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core.tools import BaseToolWithState
from agentopic.ext.memory.canvas._text_canvas import CanvasState, TextCanvas


class UpdateFileArgs(BaseModel):
    """What the model gives."""

    filename: str
    new_content: str


class UpdateFileResult(BaseModel):
    """What the model gets."""

    status: str


class UpdateFileTool(BaseToolWithState[UpdateFileArgs, UpdateFileResult, CanvasState]):
    """Writes a whole file; a durable turn records the canvas with the result, so that a later attempt has it too."""

    effect = "idempotent"

    def __init__(self, canvas: TextCanvas) -> None:
        super().__init__(
            UpdateFileArgs, UpdateFileResult, CanvasState, "update_file", "Create or replace a file on the canvas."
        )
        self._canvas = canvas

    async def run(self, args: UpdateFileArgs, cancellation_token: CancellationToken) -> UpdateFileResult:
        """Make a new revision of the file."""
        self._canvas.add_or_update_file(args.filename, args.new_content)
        return UpdateFileResult(status="OK")

    def save_state(self) -> CanvasState:
        return self._canvas.save_state()

    def load_state(self, state: CanvasState) -> None:
        self._canvas.load_state(state)


class ApplyPatchArgs(BaseModel):
    """What the model gives."""

    filename: str
    patch_text: str


class ApplyPatchResult(BaseModel):
    """What the model gets."""

    status: str


class ApplyPatchTool(BaseToolWithState[ApplyPatchArgs, ApplyPatchResult, CanvasState]):
    """Changes a file by a unified diff; a durable turn records the canvas with the result.

    Raises (from `run_json`; a workbench tells the model the text):
        PatchError: the file is not there, or the patch does not fit it.
    """

    effect = "idempotent"

    def __init__(self, canvas: TextCanvas) -> None:
        super().__init__(
            ApplyPatchArgs,
            ApplyPatchResult,
            CanvasState,
            "apply_patch",
            "Change an existing file on the canvas by a patch in unified diff format; create the file first.",
        )
        self._canvas = canvas

    async def run(self, args: ApplyPatchArgs, cancellation_token: CancellationToken) -> ApplyPatchResult:
        """Make a new revision of the file."""
        self._canvas.apply_patch(args.filename, args.patch_text)
        return ApplyPatchResult(status="PATCH APPLIED")

    def save_state(self) -> CanvasState:
        return self._canvas.save_state()

    def load_state(self, state: CanvasState) -> None:
        self._canvas.load_state(state)
