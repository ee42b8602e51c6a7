"""`FileReading`: lists and reads the files below one directory, for a model."""

from __future__ import annotations

from pathlib import Path

_PART_CHARACTERS = 8_000


class FileReading:
    """Two tools that reach nothing outside of their directory; what cannot be read is said in their answers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()

    async def list_directory(self, path: str = ".") -> str:
        """List a directory: one name a line, directories with a slash."""
        found = self._inside(path)
        if found is None or not found.is_dir():
            return f"{path!r} is no directory here"
        return "\n".join(sorted(f"{child.name}/" if child.is_dir() else child.name for child in found.iterdir()))

    async def read_file(self, path: str, part: int = 1) -> str:
        """Read a text file; long files come in parts, the first one is 1."""
        found = self._inside(path)
        if found is None or not found.is_file():
            return f"{path!r} is no file here"
        try:
            text = found.read_text(encoding="utf-8", errors="replace")
        except OSError as exc:
            return f"{path!r} cannot be read: {exc.strerror}"
        parts = max(1, -(-len(text) // _PART_CHARACTERS))
        if not 1 <= part <= parts:
            return f"{path!r} has {parts} parts"
        begin = (part - 1) * _PART_CHARACTERS
        return f"part {part} of {parts}\n{text[begin : begin + _PART_CHARACTERS]}"

    def _inside(self, path: str) -> Path | None:
        found = (self._directory / path).resolve()
        return found if found.is_relative_to(self._directory) else None
