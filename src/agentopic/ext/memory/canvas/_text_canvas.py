"""`TextCanvas`: named texts with all their revisions."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel

from agentopic.errors import PatchError
from agentopic.ext.memory.canvas._unified_diff import apply_unified_diff


class CanvasState(BaseModel):
    """A canvas as JSON: the revisions of each file, oldest first."""

    files: dict[str, list[str]] = {}


class BaseCanvas(ABC):
    """Named files that change by whole contents or by patches."""

    @abstractmethod
    def list_files(self) -> dict[str, int]:
        """The files with their latest revision numbers, which count from 1."""

    @abstractmethod
    def get_latest_content(self, filename: str) -> str:
        """What a file holds now; empty when there is none."""

    @abstractmethod
    def add_or_update_file(self, filename: str, new_content: str | bytes | Any) -> None:
        """Make a new revision of a file."""

    @abstractmethod
    def get_diff(self, filename: str, from_revision: int, to_revision: int) -> str:
        """What changed between two revisions, as a unified diff."""

    @abstractmethod
    def apply_patch(self, filename: str, patch_data: str | bytes | Any) -> None:
        """Make a new revision of a file by a patch."""


class TextCanvas(BaseCanvas):
    """Files of text in this process."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def get_revision_content(self, filename: str, revision: int) -> str:
        """What a file held at a revision; empty when there is none."""
        revisions = self._files.get(filename, [])
        return revisions[revision - 1] if 1 <= revision <= len(revisions) else ""

    def get_revision_diffs(self, filename: str) -> list[str]:
        """The changes from each revision to the next."""
        count = len(self._files.get(filename, ()))
        return [self.get_diff(filename, revision, revision + 1) for revision in range(1, count)]

    def list_files(self) -> dict[str, int]:
        return {name: len(revisions) for name, revisions in self._files.items()}

    def get_latest_content(self, filename: str) -> str:
        revisions = self._files.get(filename)
        return revisions[-1] if revisions else ""

    def add_or_update_file(self, filename: str, new_content: str | bytes | Any) -> None:
        """Make a new revision of a file; bytes are read as UTF-8.

        Raises:
            ValueError: the content is neither text nor UTF-8 bytes.
        """
        self._files.setdefault(filename, []).append(_text(new_content))

    def get_diff(self, filename: str, from_revision: int, to_revision: int) -> str:
        before = self.get_revision_content(filename, from_revision).splitlines(keepends=True)
        after = self.get_revision_content(filename, to_revision).splitlines(keepends=True)
        names = (f"{filename}@r{from_revision}", f"{filename}@r{to_revision}")
        return "".join(difflib.unified_diff(before, after, *names))

    def apply_patch(self, filename: str, patch_data: str | bytes | Any) -> None:
        """Make a new revision by a unified diff, whose old lines must be in the file.

        Raises:
            PatchError: the file is not there, or the patch does not fit or is none.
        """
        if filename not in self._files:
            raise PatchError(f"file {filename!r} is not on the canvas; create it first")
        patched = apply_unified_diff(self.get_latest_content(filename), _text(patch_data))
        self._files[filename].append(patched)

    def get_all_contents_for_context(self) -> str:
        """All files at their latest revision, as a model reads them."""
        files = [f"File: {name} (rev {len(texts)}):\n{texts[-1]}\n" for name, texts in self._files.items()]
        return "\n".join(["=== CANVAS FILES ===", *files, "=== END OF CANVAS ==="])

    def save_state(self) -> CanvasState:
        """Everything, with all revisions."""
        return CanvasState(files={name: list(revisions) for name, revisions in self._files.items()})

    def load_state(self, state: CanvasState) -> None:
        """Take over a saved state in place of what there is."""
        self._files = {name: list(revisions) for name, revisions in state.files.items() if revisions}


def _text(content: object) -> str:
    if isinstance(content, bytes):
        return content.decode("utf-8")
    if isinstance(content, str):
        return content
    raise ValueError(f"a text or bytes are needed, not {type(content).__name__}")
