"""Where a block of code is written, and which program runs it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from agentopic.core.code_executor import CodeBlock

_FILE_NAME = re.compile(r"^(?:#|//|/\*|<!--)\s*filename:\s*(?P<name>[\w.\-/]+)")
_PIP_INSTALL = re.compile(r"^(\s*[!%]?\s*(?:python3?\s+-m\s+)?pip3?\s+install\b)(?!.*\s-q(?:uiet)?\b)", re.MULTILINE)

_PROGRAMS: dict[str, tuple[tuple[str, ...], str]] = {
    "python": ((), "py"),
    "py": ((), "py"),
    "bash": (("bash",), "sh"),
    "shell": (("sh",), "sh"),
    "sh": (("sh",), "sh"),
    "pwsh": (("pwsh", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File"), "ps1"),
    "powershell": (("pwsh", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File"), "ps1"),
    "ps1": (("pwsh", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File"), "ps1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFile:
    """One block as a file to run."""

    path: Path
    text: str
    argv: tuple[str, ...]
    named: bool
    """Whether the code named its file (`# filename: x`); such a file is kept."""


def code_file(block: CodeBlock, work_dir: Path, python: str) -> CodeFile:
    """Decide file and program of a block.

    Raises:
        ValueError: the language is not known, or the named file is outside the work directory.
    """
    language = block.language.lower()
    if language not in _PROGRAMS:
        raise ValueError(f"unknown language {block.language}")
    program, suffix = _PROGRAMS[language]
    text = _PIP_INSTALL.sub(r"\1 -q", block.code) if suffix == "sh" else block.code
    named = _FILE_NAME.match(text.lstrip().splitlines()[0]) if text.strip() else None
    digest = hashlib.sha256(text.encode()).hexdigest()
    name = named["name"] if named else f"tmp_code_{digest}.{suffix}"
    path = (work_dir / name).resolve()
    if not path.is_relative_to(work_dir.resolve()):
        raise ValueError(f"file name {name} is outside the work directory")
    return CodeFile(path=path, text=text, argv=(*(program or (python,)), str(path)), named=named is not None)
